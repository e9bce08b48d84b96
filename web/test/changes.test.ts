import { describe, expect, test } from 'vitest';
import { readChanges, summarise } from '../src/json/changes.ts';
import { inOneLine, readJson } from '../src/json/tree.ts';

const told = (json: string) => summarise(readJson(json));

describe('a summary', () => {
  test('names the leaves by their whole path, and stops', () => {
    expect(told('{"provider":"GitHub","tags":["a","b"],"port":5432,"none":{}}')).toBe(
      'provider: GitHub, tags: [a, b], port: 5432',
    );
    expect(told('{"a":{"name":"x"},"b":{"name":"y"}}')).toBe('a.name: x, b.name: y');
    const long = JSON.stringify(Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`k${index}`, 'value'])));
    expect(told(long).length).toBeLessThan(250);
  });

  test.each([
    ['{"before":{"plan":"free"},"after":{"plan":"pro"}}', 'plan: free → pro'],
    ['{"changes":{"plan":{"from":"free","to":"pro"}}}', 'plan: free → pro'],
    ['{"changes":[{"field":"plan","old":"free","new":"pro"}],"by":"ada"}', 'plan: free → pro, by: ada'],
    ['{"plan":{"previous":"free","current":"pro"}}', 'plan: free → pro'],
    ['{"before":{"a":1,"b":{"c":2}},"after":{"a":1,"b":{"c":3},"d":4}}', 'b.c: 2 → 3, d: – → 4'],
    ['{"role":{"old_value":null,"new_value":"admin"}}', 'role: – → admin'],
    ['{"before":"on","after":"off"}', 'on → off'],
    ['{"setting":"keys","before":"x","after":"y"}', 'x → y, setting: keys'],
    ['{"changed":["department"],"token":"t"}', 'changed: department, token: t'],
  ])('tells %s as %s', (json, text) => expect(told(json)).toBe(text));

  test('makes no change of one side alone', () => {
    expect(told('{"after":{"plan":"pro"}}')).toBe('after.plan: pro');
    expect(told('{"from":"a@b.c"}')).toBe('from: a@b.c');
  });

  test('keeps numbers as they were sent', () => {
    expect(told('{"before":{"n":12345678901234567890},"after":{"n":1.10}}')).toBe('n: 12345678901234567890 → 1.10');
  });
});

test('what was not changed is told beside the changes', () => {
  const { changes, rest } = readChanges(readJson('{"changes":{"plan":{"from":"free","to":"pro"}},"why":"asked"}'));
  expect(changes.map(({ path }) => path)).toEqual(['plan']);
  expect(rest.map(({ path, value }) => [path, inOneLine(value)])).toEqual([['why', 'asked']]);
});
