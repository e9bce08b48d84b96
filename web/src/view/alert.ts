// What an alert counts: what the list is filtered by, whenever it happens.
import type { AlertInput } from '../api/alerts.ts';
import { timeless } from './query.ts';
import { questionFor } from './request.ts';
import type { View } from './view.ts';

/** The view without a time: an alert counts what is recorded from now on. */
export function withoutTime(view: View): View {
  return { ...view, search: timeless(view.search), from: null, to: null, period: null };
}

/** The question of a rule. */
export function alertQuestion(asked: View, readerZone: string): NonNullable<AlertInput['question']> {
  const { organization: _organization, ...question } = questionFor(withoutTime(asked), null, readerZone, 0);
  return question;
}

/** E-mail addresses as somebody types them: with commas, semicolons or blanks between. */
export function addressesOf(text: string): string[] {
  return text.split(/[\s,;，、；]+/u).filter((one) => one !== '');
}

/** A name of at most 256 bytes, cut where a character ends. */
export function nameOf(text: string): string {
  const encoder = new TextEncoder();
  let name = '';
  let bytes = 0;
  for (const character of text) {
    bytes += encoder.encode(character).length;
    if (bytes > 256) return name.trim();
    name += character;
  }
  return name.trim();
}
