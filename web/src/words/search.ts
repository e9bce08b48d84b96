// Search words, read as the server reads them (src/event/words.rs): runs of letters, numbers and their marks, in one
// spelling. What is typed without blanks is one thing: its words stand side by side.

import { asTypedQuery, wordsOf } from './query.ts';

// Scripts without blanks between words: such words are found inside of a run.
const dense = String.raw`(?=[\p{L}\p{N}])[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Bopo}\p{scx=Hang}\p{scx=Thai}\p{scx=Laoo}\p{scx=Mymr}\p{scx=Khmr}]`;
const run = new RegExp(
  String.raw`(?:${dense}\p{M}*)+|(?:(?!${dense})[\p{L}\p{N}][\p{M}\u00ad\u200c\u200d\ufeff]*)+`,
  'gu',
);
const isDense = (word: string): boolean => new RegExp(`^${dense}`, 'u').test(word);
const optional =
  /([\p{N}\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Hebrew}\p{Script=Arabic}])\p{M}+/gu;
const plain: Record<string, string> = {
  ß: 'ss',
  ς: 'σ',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ħ: 'h',
  ŧ: 't',
  ı: 'i',
  æ: 'ae',
  œ: 'oe',
};

/** The spelling in which words are compared: without case and accents, and in no language's own way (the Turkish I). */
export const normalised = (word: string): string =>
  word
    .normalize('NFKC')
    .toLowerCase()
    .normalize('NFD')
    .replace(/[\u00ad\u0640\u200c-\u200f\u2060-\u206f\ufe00-\ufe0f\ufeff]/gu, '')
    .replace(optional, '$1')
    .replace(/[ßςøłđħŧıæœ]/gu, (letter) => plain[letter] ?? letter)
    .normalize('NFKC');

/** Words that are looked for side by side. */
interface Sought {
  words: readonly string[];
  prefix: boolean;
}

export interface Marker {
  all: readonly Sought[];
}

/** What a search asks for, in the form in which it is compared. */
export function markerFor(search: string): Marker | null {
  const sent = asTypedQuery(wordsOf(search));
  if (sent === null) return null;
  const all: Sought[] = [];
  const ask = (text: string, prefix: boolean) => {
    const words = (text.match(run) ?? []).map(normalised).filter(Boolean);
    if (words.length > 0) all.push({ words, prefix });
  };
  for (const [index, piece] of sent.split('"').entries()) {
    if (index % 2 === 1) ask(piece, false);
    else for (const token of piece.match(/[^\s*]+\*?/gu) ?? []) ask(token, /[\p{L}\p{N}\p{M}]\*$/u.test(token));
  }
  return { all };
}

export interface Segment {
  text: string;
  marked: boolean;
}

interface Place {
  from: number;
  to: number;
}

/** A word of a text, where it stands. */
interface Word extends Place {
  text: string;
  folded: string;
}

/** The part of a word that is meant by one that is looked for; null where it is another. */
function part(word: Word, sought: string, prefix: boolean): Place | null {
  if (word.folded === sought) return word;
  // Normalising may change the length (ﬁ becomes fi): then the whole word is marked rather than a wrong part.
  const within = (at: number): Place =>
    word.folded.length === word.to - word.from ? { from: word.from + at, to: word.from + at + sought.length } : word;
  if (isDense(sought)) {
    const at = word.folded.indexOf(sought);
    return at < 0 ? null : within(at);
  }
  if (prefix && word.folded.startsWith(sought)) return within(0);
  if (!/^[A-Za-z]+$/u.test(word.text)) return null;
  // A part of a name in camel case.
  for (const hump of word.text.matchAll(/[A-Z]?[a-z]+|[A-Z]+(?![a-z])/gu)) {
    const folded = hump[0].toLowerCase();
    if (hump[0].length > 1 && (folded === sought || (prefix && folded.startsWith(sought)))) return within(hump.index);
  }
  return null;
}

/** Where the words that are looked for stand side by side from one word on; null where they do not. */
function places(words: readonly Word[], from: number, { words: sought, prefix }: Sought): Place[] | null {
  const found: Place[] = [];
  for (const [index, each] of sought.entries()) {
    const word = words[from + index];
    const isLast = index === sought.length - 1;
    const place =
      word && (sought.length === 1 || isLast || word.folded === each || isDense(each))
        ? part(word, each, prefix && isLast)
        : null;
    if (place === null) return null;
    found.push(place);
  }
  return found;
}

/** Splits a text into what the search found and what lies between. */
export function segments(text: string, marker: Marker | null): Segment[] {
  const result: Segment[] = [];
  if (marker) {
    const words = [...text.matchAll(run)].map((match): Word => ({
      from: match.index,
      to: match.index + match[0].length,
      text: match[0],
      folded: normalised(match[0]),
    }));
    const marks = words.flatMap((_, from) => marker.all.flatMap((sought) => places(words, from, sought) ?? []));
    marks.sort((one, other) => one.from - other.from || other.to - one.to);
    let end = 0;
    for (const mark of marks) {
      if (mark.to <= end) continue;
      const from = Math.max(mark.from, end);
      if (from > end) result.push({ text: text.slice(end, from), marked: false });
      end = mark.to;
      result.push({ text: text.slice(from, end), marked: true });
    }
    if (end < text.length) result.push({ text: text.slice(end), marked: false });
    return result;
  }
  return [{ text, marked: false }];
}
