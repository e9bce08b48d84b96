// Search words, cut as the server cuts them: runs of letters and numbers, compatibility-normalised, lower case.

const run = /[\p{L}\p{N}]+/gu;
const normalised = (word: string): string => word.normalize('NFKC').toLowerCase();

/**
 * What is sent while a person types: the last word, still unfinished, becomes a prefix.
 *
 * A blank, a star or a closed quotation after it says that it is finished. A quotation still open is read as
 * words, because the server looks for a whole phrase or none. Null when there is nothing to look for.
 */
export function asTypedSearch(text: string): string | null {
  const quotes = text.split('"').length - 1;
  const words = quotes % 2 === 1 ? text.replace(/"(?=[^"]*$)/, ' ') : text;
  if (!/[\p{L}\p{N}]/u.test(words)) return null;
  return /[\p{L}\p{N}]$/u.test(words) ? `${words.trimStart()}*` : words.trim();
}

export interface Marker {
  words: ReadonlySet<string>;
  prefixes: readonly string[];
}

/** The words that a search asks for, in the form in which they are compared. */
export function markerFor(search: string): Marker | null {
  const sent = asTypedSearch(search);
  if (sent === null) return null;
  const words = new Set<string>();
  const prefixes: string[] = [];
  for (const match of sent.matchAll(run)) {
    const word = normalised(match[0]);
    if (sent[match.index + match[0].length] === '*') prefixes.push(word);
    else words.add(word);
  }
  return { words, prefixes };
}

export interface Segment {
  text: string;
  marked: boolean;
}

/** Splits a text into what the search found and what lies between. */
export function segments(text: string, marker: Marker | null): Segment[] {
  const result: Segment[] = [];
  if (marker) {
    let end = 0;
    for (const match of text.matchAll(run)) {
      const word = normalised(match[0]);
      const prefix = marker.prefixes.find((candidate) => word.startsWith(candidate));
      if (prefix === undefined && !marker.words.has(word)) continue;
      // Normalising may change the length (ﬁ becomes fi): then the whole word is marked rather than a wrong part.
      const length = prefix !== undefined && word.length === match[0].length ? prefix.length : match[0].length;
      if (match.index > end) result.push({ text: text.slice(end, match.index), marked: false });
      end = match.index + length;
      result.push({ text: text.slice(match.index, end), marked: true });
    }
    if (end < text.length) result.push({ text: text.slice(end), marked: false });
    return result;
  }
  return [{ text, marked: false }];
}
