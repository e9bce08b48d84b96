import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readView, writeView } from '../src/view/address.ts';
import { asked, within } from '../src/view/locked.ts';
import { isUsual, settled, timeless, withoutPart } from '../src/view/query.ts';
import { questionFor } from '../src/view/request.ts';
import { emptyView, withDays, withList, withPeriod, type View } from '../src/view/view.ts';
import { partAt, queryParts, written, wordsOf } from '../src/words/query.ts';

interface Vector {
  query: string;
  parts?: { from: number; to: number; excluded: boolean; field?: string; values?: string[]; words?: string }[];
  fault?: { from: number; to: number; rule: string };
}
const vectors = JSON.parse(
  readFileSync(new URL('../../tests/vectors/query.json', import.meta.url), 'utf8'),
) as Vector[];

const typed = (search: string, view: View = emptyView): View => ({ ...view, search });

describe('a query is taken apart as the service does it', () => {
  const characters = (query: string, units: number) => [...query.slice(0, units)].length;
  test.each(vectors.filter(({ parts }) => parts))('$query', ({ query, parts }) => {
    const found = queryParts(query).map(({ from, to, isExcluded, field, values, words }) => ({
      from: characters(query, from),
      to: characters(query, to),
      excluded: isExcluded,
      ...(field === null ? { words } : { field, values: values.map(({ text }) => text) }),
    }));
    expect(found).toEqual(parts);
  });

  test.each(vectors.filter(({ fault }) => fault))('the fault of $query lies in one part', ({ query, fault }) => {
    const { part, from, to } = partAt(query, fault!.from, fault!.to)!;
    expect(part.text.slice(from, to)).toBe([...query].slice(fault!.from, fault!.to).join(''));
  });

  test.each(['ada', 'role.*', '', 'a b', 'a,b', 'a"b', 'a"b\\c d', 'c\\d'])(
    '%j is written so that it is read',
    (value) => {
      const part = queryParts(`actor:${written(value)}`)[0]!;
      expect(part.values.map(({ text }) => text)).toEqual([value]);
      expect(part.values[0]!.isQuoted || !value.endsWith('*')).toBe(true);
    },
  );

  test('a place in characters that take two code units is found', () => {
    const found = partAt('🚀 outcome:good', 10, 14)!;
    expect(found.part.text.slice(found.from, found.to)).toBe('good');
    expect(partAt('ada bob', 2, 5)).toBe(null);
  });

  test('words are what is neither a field nor left out', () => {
    expect(wordsOf('ada actor:x -y "two words" https://a.example')).toBe('ada "two words" https://a.example');
  });
});

describe('what a filter can say becomes that filter', () => {
  test('in any case of its letters, and beside those that are chosen', () => {
    const view = settled(typed('Outcome:failure,accepted action:role.* ada', withList(emptyView, 'action', ['a.b'])));
    expect(view.lists.outcome).toEqual(['FAILURE', 'ACCEPTED']);
    expect(view.lists.action).toEqual(['a.b', 'role.*']);
    expect(view.search).toBe('ada');
  });

  test('a star in quotes is a star', () => {
    expect(settled(typed('action:"role.*"')).lists.action).toEqual(['role.\\*']);
  });

  test('what is left out too, where a menu knows it', () => {
    const view = settled(typed('-kind:system -outcome:success -action:a.b'));
    expect(view.not).toMatchObject({ actorKind: ['SYSTEM'], action: ['a.b'] });
    expect(view.search).toBe('-outcome:success');
  });

  test.each([
    'outcome:good',
    'kind:robot',
    'ip:10.0.*',
    'action:',
    'actor:ada',
    'resource:r_1',
    'has:masked',
    '-"two words"',
  ])('%s stays text', (text) => {
    const view = typed(text);
    expect(settled(view)).toBe(view);
  });

  test('text and filter never ask for the same', () => {
    const view = withList(emptyView, 'outcome', ['SUCCESS']);
    const question = questionFor(typed('outcome:failure quart', view), null, 'UTC', 0);
    expect(question.filter).toEqual({ outcomes: ['SUCCESS', 'FAILURE'] });
    expect(question).toMatchObject({ query: 'quart*', queryTimeZone: 'UTC' });
    expect(questionFor(emptyView, null, 'UTC', 0)).toMatchObject({ query: null, queryTimeZone: null });
  });
});

describe('of two times, the one that was said last counts', () => {
  test('a time of the text takes the place of the range', () => {
    const view = settled(typed('after:7d', withPeriod(emptyView, 'TODAY')));
    expect(view).toMatchObject({ search: 'after:7d', period: null });
  });

  test('and the range that of the text', () => {
    expect(withDays(typed('after:7d ada before:today'), '2026-03-01', null).search).toBe('ada');
    expect(withPeriod(typed('on:today'), 'TODAY').search).toBe('');
    expect(timeless('ada  lovelace')).toBe('ada  lovelace');
  });

  test('what the host has fixed is left alone', () => {
    const locked = withPeriod(emptyView, 'TODAY');
    expect(asked(within(typed('after:7d ada'), locked), locked)).toMatchObject({ search: 'ada', period: 'TODAY' });
  });
});

describe('the address', () => {
  test('holds the text, and whose days it means', () => {
    const written = writeView(typed('actor:ada after:2026-11-01 "two words"'), new URLSearchParams(), 'Europe/Berlin');
    expect(written.get('q')).toBe('actor:ada after:2026-11-01 "two words"');
    expect(written.get('tz')).toBe('Europe/Berlin');
    expect(writeView(typed('ada'), new URLSearchParams(), 'Europe/Berlin').has('tz')).toBe(false);
  });

  test('of a link from before is read as it was meant', () => {
    const view = readView(new URLSearchParams('q=monthly+report&outcome=FAILURE&from=2026-03-01'));
    expect(view).toMatchObject({ search: 'monthly report', from: '2026-03-01' });
    expect(view.lists.outcome).toEqual(['FAILURE']);
  });

  test('that asks for one thing twice asks for it once', () => {
    const view = readView(new URLSearchParams('q=outcome:failure+after:7d&outcome=FAILURE&period=TODAY'));
    expect(view).toMatchObject({ search: 'after:7d', period: null });
    expect(view.lists.outcome).toEqual(['FAILURE']);
  });
});

test('a term goes, and the rest stays as it is', () => {
  const search = 'actor:ada -x "two words"';
  expect(withoutPart(search, queryParts(search)[1]!)).toBe('actor:ada "two words"');
});

test.each([
  ['outcome:fail', false],
  ['outcome:failure', true],
  ['-outcome:failure', true],
  ['action:role', false],
  ['action:role.*', true],
  ['action:role.granted', true],
  ['category:ro', false],
  ['category:ROLES', true],
  ['actor:', false],
  ['actor:a', true],
  ['actor:"Ada', false],
  ['after:2026-11', false],
  ['after:2026-11-01', true],
  ['on:7d', true],
  ['has:act', false],
  ['-quart', false],
])('%s says something already: %s', (text, expected) => {
  const names = { actions: [{ name: 'role.granted' }], categories: [{ code: 'ROLES' }] };
  expect(isUsual(queryParts(text)[0]!, names)).toBe(expected);
});
