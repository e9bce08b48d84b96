import { expect, test } from 'vitest';
import type { ListState } from '../src/log/model.ts';
import { en } from '../src/texts/en.ts';
import { createFormat } from '../src/time/format.ts';
import type { LogContext } from '../src/ui/context.ts';
import { countName } from '../src/ui/Summary.tsx';

const log = { texts: en, format: createFormat('en-GB', 'UTC') } as unknown as LogContext;
const said = (state: Partial<ListState>, rows: number) =>
  countName(log, {
    total: null,
    isCounting: false,
    isFormer: false,
    status: 'ready',
    hasNext: false,
    offset: 0,
    ...state,
    rows: Array.from({ length: rows }),
  } as ListState);

test.each<[string, Partial<ListState>, number]>([
  ['49,911 events', { total: 49_911, hasNext: true }, 25],
  ['1 event', { total: 1 }, 1],
  ['counting…', { isCounting: true, hasNext: true }, 25],
  ['counting…', { isFormer: true, hasNext: true }, 25],
  ['25+ events, not counted', { hasNext: true }, 25],
  ['75+ events, not counted', { hasNext: true, offset: 50 }, 25],
  // All of it has been seen, so it need not be counted.
  ['3 events', {}, 3],
  ['53 events', { offset: 50 }, 3],
  // The last page of a link: what stands before it is not known.
  ['3+ events, not counted', { offset: null }, 3],
])('%s', (text, state, rows) => expect(said(state, rows)).toBe(text));
