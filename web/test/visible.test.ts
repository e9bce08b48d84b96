import { describe, expect, test } from 'vitest';
import { pieces, seen, spelled } from '../src/words/visible.ts';

describe('a character that cannot be seen', () => {
  test.each([
    ['\u202Egnp.exe', '[U+202E]gnp.exe'],
    ['ada\u200B', 'ada[U+200B]'],
    ['\u2066x\u2069', '[U+2066]x[U+2069]'],
    ['a\u00ADb', 'a[U+00AD]b'],
    ['a\uFEFFb\u2060c', 'a[U+FEFF]b[U+2060]c'],
    ['\u200Fx\u061C', '[U+200F]x[U+061C]'],
    ['a\u0007b\u009F', 'a[U+0007]b[U+009F]'],
    ['\u3164\u2800', '[U+3164][U+2800]'],
    ['a\u{E0041}b', 'a[U+E0041]b'],
    ['a\u2028b', 'a[U+2028]b'],
    // A joiner that joins nothing.
    ['ad\u200Da', 'ad[U+200D]a'],
    ['a\uFE0F', 'a[U+FE0F]'],
  ])('%j is shown as %s', (text, shown) => expect(spelled(text)).toBe(shown));

  test('leaves all else as it is, in its order', () => {
    expect(pieces('a\u202Eb')).toEqual([
      { text: 'a', code: null },
      { text: '\u202E', code: 'U+202E' },
      { text: 'b', code: null },
    ]);
    expect(seen('a\u202Eb')).toBe('ab');
  });
});

test.each([
  'Ada Lovelace',
  'رانيا منصور',
  'می\u200Cخواهم',
  'क्\u200Dष',
  '👩\u200D🚀 ❤️ 👍🏽 🏳️\u200D🌈',
  '\u{1F3F4}\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}',
  '葛\u{E0100}城',
  'line\nbreak\tand tab',
  '1️⃣',
])('%s needs every one of its characters', (text) => expect(spelled(text)).toBe(text));
