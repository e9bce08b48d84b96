// A view as it is saved: its question, as it stands in a link, and not which part of the answer is looked at.
import { readView, writeView } from './address.ts';
import { refine, type View } from './view.ts';

/** The question of a view. What is relative stays so: a period is said by its name, and a text as it was typed. */
export function savedQuery(view: View, zone: string): string {
  return writeView(refine(view, {}), new URLSearchParams(), zone).toString();
}

/** The view of a question that was saved. */
export function savedView(query: string): View {
  return refine(readView(new URLSearchParams(query)), {});
}

/** Whether two questions are the same, in whatever order their parameters stand. */
export function isSameQuestion(query: string, view: View, zone: string): boolean {
  return savedQuery(savedView(query), zone) === savedQuery(view, zone);
}
