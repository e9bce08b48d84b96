// What the list is filtered by, in words, for what is made of it.
import type { View } from '../view/view.ts';
import { chipsOf, wordChips, wordFor } from './Chips.tsx';
import type { LogContext } from './context.ts';
import { filterWords } from './names.ts';
import { rangeName } from './RangePicker.tsx';

/** What a view asks for, a line each; all of it where it asks for nothing. */
export function summaryOf(log: LogContext, view: View): string[] {
  const chosen = { ...log, view };
  const { texts } = log;
  const all = [...wordChips(chosen), ...chipsOf(chosen)].map(({ name, value }) => `${name}: ${value}`);
  if (view.emailContains && !filterWords(log, 'SEARCH')) {
    all.push(`${wordFor(log, 'EMAIL', texts.email)}: ${view.emailContains}`);
  }
  const range = rangeName(chosen);
  if (range !== null) all.push(`${texts.range}: ${range}`);
  return all.length > 0 ? all : [texts.allEvents];
}
