import { expect, test } from 'vitest';
import type { Column } from '../src/api/documents.ts';
import { columnsFor } from '../src/ui/columns.ts';

const of = (...kinds: Column['kind'][]) => kinds.map((kind) => ({ kind, label: kind }));
const kinds = (columns: readonly Column[]) => columns.map(({ kind }) => kind);
const all = of('TIME', 'ACTOR', 'ACTION', 'CATEGORY', 'RESOURCE', 'DETAILS', 'IP_ADDRESS', 'LOG', 'OUTCOME');

test('where there is room, every column stands in the product’s order', () => {
  expect(columnsFor(all, 2000)).toBe(all);
});

test('narrower lists leave columns out by their weight, and never who did what and when', () => {
  expect(kinds(columnsFor(of('TIME', 'ACTOR', 'ACTION', 'CATEGORY', 'RESOURCE'), 556))).toEqual([
    'TIME',
    'ACTOR',
    'ACTION',
    'RESOURCE',
  ]);
  let before = all.length;
  for (let width = 2000; width >= 556; width -= 20) {
    const shown = kinds(columnsFor(all, width));
    expect(shown.length).toBeLessThanOrEqual(before);
    expect(shown).toEqual(expect.arrayContaining(['TIME', 'ACTOR', 'ACTION']));
    before = shown.length;
  }
});

test('below, each event has two lines, and nothing is left out by its column', () => {
  expect(columnsFor(all, 555)).toBe(all);
});
