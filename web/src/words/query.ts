// The text of a query box, taken apart as the service does it (src/question/query/mod.rs); docs/query.md has the grammar, and
// tests/vectors/query.json its examples. What a part means, and whether it can be meant, the service says.

/** The fields that can be asked for by name. */
export const queryFields = [
  'actor',
  'action',
  'category',
  'outcome',
  'resource',
  'ip',
  'after',
  'before',
  'on',
  'kind',
  'source',
  'correlation',
  'has',
] as const;
export type QueryField = (typeof queryFields)[number];

export interface QueryValue {
  text: string;
  /** In quotes a star is a star. */
  isQuoted: boolean;
}

export interface QueryPart {
  /** As it is written, and where: in code units of the text. */
  text: string;
  from: number;
  to: number;
  isExcluded: boolean;
  /** Null for words to search for. */
  field: QueryField | null;
  values: readonly QueryValue[];
  /** Words, with their quotes and stars; '' for a field. */
  words: string;
  /** Whether its last quotation has no end yet. */
  isOpen: boolean;
}

const blank = /\s/u;

/** The parts of a query, in their order. */
export function queryParts(text: string): QueryPart[] {
  const parts: QueryPart[] = [];
  let at = 0;
  const skip = (stops: (character: string) => boolean) => {
    const from = at;
    while (at < text.length && !stops(text[at]!)) at += 1;
    return text.slice(from, at);
  };
  /** What stands in quotes; without an end it reaches to that of the text. */
  const quoted = (): { text: string; isOpen: boolean } => {
    let found = '';
    for (at += 1; at < text.length; at += 1) {
      if (text[at] === '"') {
        at += 1;
        return { text: found, isOpen: false };
      }
      if (text[at] === '\\' && (text[at + 1] === '"' || text[at + 1] === '\\')) at += 1;
      found += text[at];
    }
    return { text: found, isOpen: true };
  };
  for (;;) {
    skip((character) => !blank.test(character));
    if (at >= text.length) return parts;
    const from = at;
    const isExcluded = /^-["\p{Alphabetic}\p{N}]/u.test(text.slice(at, at + 3));
    if (isExcluded) at += 1;
    const named = /^([A-Za-z]+):/.exec(text.slice(at))?.[1]?.toLowerCase();
    const field = queryFields.find((one) => one === named) ?? null;
    const values: QueryValue[] = [];
    let words = '';
    let isOpen = false;
    if (field !== null) {
      at += field.length;
      do {
        at += 1;
        if (text[at] === '"') {
          const value = quoted();
          isOpen = value.isOpen;
          values.push({ text: value.text, isQuoted: true });
        } else {
          values.push({ text: skip((character) => blank.test(character) || character === ','), isQuoted: false });
        }
      } while (text[at] === ',');
    } else if (text[at] === '"') {
      const value = quoted();
      isOpen = value.isOpen;
      words = `"${value.text.replaceAll('"', ' ')}"`;
    } else {
      words = skip((character) => blank.test(character) || character === '"');
    }
    parts.push({ text: text.slice(from, at), from, to: at, isExcluded, field, values, words, isOpen });
  }
}

/** Whether a part stands for itself, as a filter does: a field, or what is left out. All others are words. */
export const isTerm = ({ field, isExcluded }: QueryPart): boolean => field !== null || isExcluded;

/** A value as it is written in a query: in quotes where it needs them. */
export function written(value: string): string {
  const isPlain = value !== '' && !value.endsWith('*') && !/[\s,"]/u.test(value);
  return isPlain ? value : `"${value.replace(/["\\]/g, '\\$&')}"`;
}

/**
 * What is sent while a person types: the last word, still unfinished, becomes a prefix.
 *
 * A blank, a star or a closed quotation after it says that it is finished. A quotation still open is read as words,
 * because the service looks for a whole phrase or none. Null when nothing is asked for yet; what has no word in it is
 * sent, since the service says so.
 */
export function asTypedQuery(text: string): string | null {
  const parts = queryParts(text);
  const sent = parts.map((part) => (part.isOpen && !isTerm(part) ? part.words.slice(1, -1).trim() : part.text));
  const last = parts.at(-1);
  if (last && last.to === text.length && !isTerm(last) && /[\p{L}\p{N}\p{M}]$/u.test(sent.at(-1)!)) {
    sent[sent.length - 1] += '*';
  }
  const query = sent.filter((one) => one !== '').join(' ');
  return /[^\s*"-]/u.test(query) ? query : null;
}

/** The words of a query alone, which the page marks where they are found. */
export function wordsOf(text: string): string {
  const words = queryParts(text).filter((part) => !isTerm(part));
  return words.map((part) => part.text).join(' ') + (/\s$/u.test(text) ? ' ' : '');
}

/** The part of a query that a place is in, and the place in it: given in characters, found in code units. */
export function partAt(query: string, from: number, to: number): { part: QueryPart; from: number; to: number } | null {
  const units = (characters: number) => [...query].slice(0, characters).join('').length;
  const [begin, end] = [units(from), units(to)];
  const part = queryParts(query).find((one) => one.from <= begin && end <= one.to);
  return part ? { part, from: begin - part.from, to: end - part.from } : null;
}
