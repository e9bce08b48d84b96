// Characters that cannot be seen, and yet change what is read: a name with U+202E in it reads backwards, and two names
// that differ by U+200B look the same. They are shown by their code, unless their script or an emoji needs them.

/** Not seen by themselves: controls, what fonts ignore, separators of lines, and the blanks that are no blanks. */
const unseen = /[\p{Default_Ignorable_Code_Point}\p{Cc}\u2028\u2029\u2800\uFFF9-\uFFFB]/u;
const anyUnseen = new RegExp(unseen, 'gu');
const white = /[\t\n\r]/;
const joiner = /[\u200C\u200D]/;
const variation = /[\uFE00-\uFE0F\u{E0100}-\u{E01EF}]/u;
const tag = /[\u{E0020}-\u{E007F}]/u;
/** Scripts that write with joiners: taken away, the word would be spelled wrongly. */
const joining =
  /[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Mongolian}\p{Script=Tibetan}]/u;
const emojiEnd = /[\p{Extended_Pictographic}\p{Emoji_Modifier}\uFE0F]/u;
const varied =
  /[\p{Extended_Pictographic}\p{Emoji_Modifier}#*0-9\p{Script=Han}\p{Script=Mongolian}\p{Script=Phags_Pa}]/u;
const blackFlag = '\u{1F3F4}';

export interface Piece {
  text: string;
  /** The code of a character that is not seen, such as `U+202E`; null for text as it is. */
  code: string | null;
}

/** A text cut into what can be seen, and the codes of what cannot. */
export function pieces(text: string): Piece[] {
  if (!unseen.test(text)) return [{ text, code: null }];
  const result: Piece[] = [];
  const characters = [...text];
  let plain = '';
  characters.forEach((character, index) => {
    if (!unseen.test(character) || isNeeded(characters, index)) {
      plain += character;
      return;
    }
    if (plain) result.push({ text: plain, code: null });
    plain = '';
    result.push({ text: character, code: codeOf(character) });
  });
  if (plain) result.push({ text: plain, code: null });
  return result;
}

/** The same for places that hold plain text alone, such as a tooltip: `[U+202E]`. */
export const spelled = (text: string): string =>
  pieces(text)
    .map(({ text: part, code }) => (code === null ? part : `[${code}]`))
    .join('');

/** A text without them, for what is only looked at, such as initials. */
export const seen = (text: string): string => text.replace(anyUnseen, '');

const codeOf = (character: string) => `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;

function isNeeded(characters: readonly string[], index: number): boolean {
  const character = characters[index]!;
  const before = characters[index - 1] ?? '';
  const after = characters[index + 1] ?? '';
  if (white.test(character)) return true;
  if (joiner.test(character)) {
    const inWord = joining.test(before) && joining.test(after);
    return inWord || (character === '\u200D' && emojiEnd.test(before) && /\p{Extended_Pictographic}/u.test(after));
  }
  if (variation.test(character)) return varied.test(before);
  if (tag.test(character)) {
    let start = index;
    while (start > 0 && tag.test(characters[start]!)) start--;
    return characters[start] === blackFlag;
  }
  return false;
}
