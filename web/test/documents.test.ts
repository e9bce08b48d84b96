import { readFileSync } from 'node:fs';
import { buildSchema, parse, validate } from 'graphql';
import { describe, expect, test } from 'vitest';
import * as alerts from '../src/api/alerts.ts';
import * as documents from '../src/api/documents.ts';
import * as exports from '../src/api/exports.ts';
import * as later from '../src/api/later.ts';
import * as related from '../src/api/related.ts';
import { stretchesOf, stretchQuery } from '../src/log/buckets.ts';
import { examples } from '../src/playground/examples.ts';
import { questionFor } from '../src/view/request.ts';
import { emptyView, withPeriod, type Period } from '../src/view/view.ts';

const schema = buildSchema(
  readFileSync(process.env.LEDGERLINE_SCHEMA ?? new URL('../../schema.graphql', import.meta.url), 'utf8'),
);
const faults = (text: string) => validate(schema, parse(text)).map(({ message }) => message);

const { eventFields: _fragment, ...questions } = documents;

describe('every question fits the committed schema', () => {
  for (const [name, text] of Object.entries({ ...questions, ...later, ...exports, ...related, ...alerts })) {
    test(name, () => expect(faults(String(text))).toEqual([]));
  }
  for (const { name, query } of examples) {
    test(`playground: ${name}`, () => expect(faults(query)).toEqual([]));
  }
});

describe('a short time', () => {
  // In Berlin, on the day that has 25 hours.
  const now = Date.parse('2026-10-25T12:34:56Z');
  const periods: [Period, number][] = [
    ['LAST_15_MINUTES', 16],
    ['LAST_HOUR', 13],
    ['LAST_4_HOURS', 17],
    ['LAST_24_HOURS', 25],
    ['TODAY', 25],
    ['LAST_7_DAYS', 57],
  ];

  test.each(periods)('%s is cut into %d stretches', (period, count) => {
    const view = withPeriod(emptyView, period);
    const stretches = stretchesOf(view, 'Europe/Berlin', now)!;
    expect(stretches).toHaveLength(count);
    for (const [index, { start }] of stretches.entries()) {
      if (index > 0) expect(start, 'no instant is left out').toBe(stretches[index - 1]!.end);
    }
    expect(stretches.at(-1)!.end).toBeGreaterThanOrEqual(now);
    const { document, variables } = stretchQuery(questionFor(view, null, 'Europe/Berlin', now), stretches, true);
    expect(faults(String(document))).toEqual([]);
    expect(variables.all0).toEqual({ occurredAt: { from: expect.any(String), to: expect.any(String) } });
    expect(variables.failed0).toMatchObject({ outcomes: ['FAILURE'] });
  });

  test('and longer ones are counted by days', () => {
    expect(stretchesOf(withPeriod(emptyView, 'LAST_30_DAYS'), 'UTC', now)).toBeNull();
    expect(stretchesOf(emptyView, 'UTC', now)).toBeNull();
  });
});
