import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';
import {
  directionOf,
  languageOf,
  languages,
  loadSpoken,
  loadWhole,
  localeFor,
  spokenFor,
  type AllTexts,
} from '../src/texts.ts';
import { en as first } from '../src/texts/en.ts';
import { later } from '../src/texts/later/en.ts';
import { createFormat } from '../src/time/format.ts';
import type { Count } from '../src/texts/count.ts';

const textsOf = async (language: string): Promise<AllTexts> => loadWhole((await loadSpoken(language)).texts);
const en: AllTexts = { ...first, ...later };

/** Every text by its path, `fields.actor` for example. */
function entries(value: unknown, path = ''): [string, unknown][] {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([key, one]) => entries(one, path ? `${path}.${key}` : key))
    : [[path, value]];
}

/** What a text is made of is seen by calling it with values that nothing else in it looks like. */
const marks = ['‹one›', '‹two›', '‹three›'];

/** The values that texts are called with: marks in the places of the English text's, in all combinations of null. */
function argumentsOf(path: string): unknown[][] {
  const count = (value: number): Count => ({ value, text: `‹${value}›` });
  const several: Record<string, unknown[][]> = {
    sentence: [marks, ['‹one›', '‹two›', null]],
    rangeOf: [marks, ['‹one›', '‹two›', null]],
    moreShown: [
      [count(17), ...marks.slice(1)],
      [count(17), '‹two›', null],
    ],
    histogramCount: [
      [count(17), count(23)],
      [count(17), null],
    ],
    exportAsks: [[count(17)], [null]],
    planTitle: [['‹one›'], ['']],
    planText: [['‹one›'], ['']],
    forbiddenText: [['‹one›'], ['']],
    endpointText: [
      ['‹one›', '‹two›'],
      ['‹one›', ''],
    ],
  };
  return several[path] ?? (counting.includes(path) ? [[count(17)]] : [marks]);
}

/** The texts that are told a number as such. */
const counting = [
  'chosen',
  'notCounted',
  'keptFor',
  'exportDone',
  'alertMatches',
  'results',
  'newEvents',
  'lateEvents',
  'more',
  'items',
];

describe.each(languages)('%s', (language) => {
  test('has every text, and no other', async () => {
    const shape = (texts: AllTexts) => entries(texts).map(([path, text]) => [path, typeof text]);
    expect(shape(await textsOf(language))).toEqual(shape(en));
  });

  test('has none that is empty, or left in English', async () => {
    const texts = Object.fromEntries(entries(await textsOf(language)));
    const same = entries(en).filter(([path, text]) => typeof text === 'string' && texts[path] === text);
    // Names, keys and words that are the same in many languages.
    const mayBe =
      /^(keysText|exportFormats\..*\.0$|ip$|fields\.ipAddress|actor|fields\.|action|category|log|live|manifest|outcomes|actorKinds|details|email|filters|paging|all|export|alertName|accepted|masked|add|metadata|items)/;
    expect(language === 'en' ? [] : same.map(([path]) => path).filter((path) => !mayBe.test(path))).toEqual([]);
    expect(Object.values(texts).filter((text) => typeof text === 'string' && text.trim() === '')).toEqual([]);
  });

  test('says in each text what English says in it', async () => {
    const texts = Object.fromEntries(entries(await textsOf(language)));
    for (const [path, text] of entries(en)) {
      if (typeof text !== 'function') continue;
      for (const values of argumentsOf(path)) {
        const said: string = (texts[path] as (...given: unknown[]) => string)(...values);
        const wanted: string = text(...values);
        for (const mark of [...marks, '‹17›', '‹23›'].filter((one) => wanted.includes(one))) {
          expect(said, `${path}: ${said}`).toContain(mark);
        }
        expect(said, path).not.toMatch(/undefined|null|\[object|#/);
      }
    }
  });

  test('counts in every form that the language has', async () => {
    const module = (await import(`../src/texts/${language}.ts`)) as { forms: readonly string[] };
    const rules = new Intl.PluralRules(language);
    const known = rules.resolvedOptions().pluralCategories;
    expect([...module.forms].sort()).toEqual([...known].sort());
    const texts = await textsOf(language);
    for (const value of [0, 1, 2, 3, 11, 25, 100, 1_000_000]) {
      const count = createFormat(language, 'UTC').count(value);
      for (const name of [...counting, 'exportAsks'] as const) {
        const said = (texts[name as keyof AllTexts] as (given: Count) => string)(count);
        // Arabic says none, one and two by the word alone.
        const isInWords = language === 'ar' && value < 3;
        expect(said.includes(count.text) || isInWords, `${name} of ${value}: ${said}`).toBe(true);
        expect(said).not.toMatch(/#|undefined/);
      }
      expect(texts.histogramCount(count, count)).toContain(isWordInArabic(language, value) ? '' : count.text);
    }
  });

  test('has words of its own for the forms of a noun', async () => {
    const texts = await textsOf(language);
    const forms = (counts: readonly number[]) =>
      counts.map((value) => texts.results({ value, text: 'N' }).replace('N', '').trim());
    const several: Record<string, number> = { ar: 6, en: 2, de: 2, es: 3, fr: 3, pt: 3 };
    expect(new Set(forms([0, 1, 2, 3, 11, 100, 1_000_000])).size).toBe(several[language] ?? 1);
  });

  test('is written in the direction that the language has', () => {
    const locale = new Intl.Locale(language) as Intl.Locale & {
      getTextInfo?: () => { direction: string };
      textInfo?: { direction: string };
    };
    expect(directionOf(language)).toBe((locale.getTextInfo?.() ?? locale.textInfo)!.direction);
  });
});

const isWordInArabic = (language: string, value: number) => language === 'ar' && value < 3;

test('every text is used', () => {
  const folder = new URL('../src/', import.meta.url);
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.tsx?$/.test(file) && !file.startsWith('texts'))
    .map((file) => readFileSync(new URL(file, folder), 'utf8'))
    .join('\n');
  const unused = Object.keys(en).filter((key) => !new RegExp(`texts\\.${key}\\b`).test(sources));
  // `fields` and some others are taken apart before they are used.
  expect(unused.filter((key) => !new RegExp(`\\b(fields|actorKinds)\\b`).test(key))).toEqual([]);
});

test('a language is there once it is loaded', async () => {
  expect(spokenFor('fr-CA')?.texts.loadMore, 'by the tests above').toBe('Afficher plus');
  expect(spokenFor('en-GB')).toEqual({ texts: first, locale: 'en-GB' });
  expect((await loadSpoken('de-AT')).locale).toBe('de-AT');
});

test('what parts say is asked for again where it could not be loaded, and never mixed with English', async () => {
  vi.resetModules();
  vi.doMock('../src/texts/later/ko.ts', () => {
    throw new Error('offline');
  });
  const fresh = await import('../src/texts.ts');
  const { texts } = await fresh.loadSpoken('ko');
  await expect(fresh.loadWhole(texts)).rejects.toThrow();
  expect(fresh.wholeAtHand(texts)).toBeNull();
  vi.doUnmock('../src/texts/later/ko.ts');
  expect((await fresh.loadWhole(texts)).download).toBe('다운로드');
  expect(fresh.wholeAtHand(texts)?.title).toBe(texts.title);
});

test('a language that cannot be loaded is English, whole', async () => {
  vi.resetModules();
  vi.doMock('../src/texts/ja.ts', () => {
    throw new Error('offline');
  });
  const fresh = await import('../src/texts.ts');
  const spoken = await fresh.loadSpoken('ja-JP');
  expect([spoken.texts.title, spoken.locale]).toEqual(['Audit log', 'en']);
  vi.doUnmock('../src/texts/ja.ts');
  expect((await fresh.loadSpoken('ja-JP')).texts.title, 'the next time').toBe('監査ログ');
});

describe('which language is spoken', () => {
  test.each([
    ['pt-PT', 'pt'],
    ['zh', 'zh'],
    ['zh-CN', 'zh'],
    ['zh-Hans-HK', 'zh'],
    ['zh-SG', 'zh'],
    ['zh-TW', 'en'],
    ['zh-HK', 'en'],
    ['zh-Hant', 'en'],
    ['fi-FI', 'en'],
    ['TR-tr', 'tr'],
    ['ar-EG-u-nu-latn', 'ar'],
  ])('%s: %s', (locale, language) => expect(languageOf(locale)).toBe(language));

  test.each<[string, (string | null)[], string[], string]>([
    ['what the page names, first', [null, 'de-CH'], ['fr'], 'de-CH'],
    ['in English, numbers and dates too, where it is not there', ['fi-FI', 'de'], ['fr'], 'en'],
    ['and so for traditional characters', ['zh-TW'], ['zh-CN'], 'en'],
    ['else the first of the reader’s that is there', [null, null], ['fi-FI', 'fr-CA', 'de'], 'fr-CA'],
    ['what is no locale is no wish', ['en-US@posix', 'x'], ['??', 'ko'], 'ko'],
    ['English where nothing is there', [], ['fi', 'sv'], 'en'],
  ])('%s', (_, named, own, locale) => expect(localeFor(named, own)).toBe(locale));
});

test('numbers and dates are of the language, digits as it writes them', () => {
  const at = '2026-03-01T23:30:05Z';
  const said = (locale: string) => {
    const format = createFormat(locale, 'UTC');
    return [format.number(12_345), format.day('2026-03-01'), format.relative(at, Date.parse(at) + 3 * 3_600_000)];
  };
  expect(said('ja')).toEqual(['12,345', '2026年3月1日', '3 時間前']);
  expect(said('ar-EG')[0]).toBe('١٢٬٣٤٥');
  expect(said('hi')[0]).toBe('12,345');
  expect(said('fr')[0]!.replace(/\s/g, ' ')).toBe('12 345');
  expect(said(localeFor(['fi-FI'], []))).toEqual(['12,345', 'Mar 1, 2026', '3 hours ago']);
});
