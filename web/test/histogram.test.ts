import { expect, test } from 'vitest';
import { barsOf, heightsOf, isOutside, spanOf } from '../src/ui/histogram.ts';
import { addDays } from '../src/time/zone.ts';
import { emptyView, withDays, withPart, withPeriod } from '../src/view/view.ts';

test('days without events keep their place', () => {
  const bars = barsOf(
    [
      { day: '2026-03-01', count: 2 },
      { day: '2026-03-04', count: 1 },
    ],
    [{ day: '2026-03-04', count: 1 }],
    null,
    null,
    92,
  );
  expect(bars.slice(-4).map(({ count, failed }) => [count, failed])).toEqual([
    [2, 0],
    [0, 0],
    [0, 0],
    [1, 1],
  ]);
  expect(bars, 'two weeks at least').toHaveLength(14);
});

test('many days share bars, and none is lost', () => {
  const days = Array.from({ length: 1000 }, (_, index) => ({ day: addDays('2024-01-01', index), count: 1 }));
  const bars = barsOf(days, [], null, null, 92);
  expect(bars.length).toBeLessThanOrEqual(92);
  expect(bars.reduce((sum, { count }) => sum + count, 0)).toBe(1000);
  expect(bars.at(-1)!.to).toBe(days.at(-1)!.day);
});

test('a chosen range is drawn whole, unless it would hide the bars', () => {
  const days = [{ day: '2026-03-05', count: 1 }];
  expect(barsOf(days, [], '2026-02-01', '2026-03-10', 92)).toHaveLength(38);
  expect(barsOf(days, [], '1900-01-01', null, 92)).toHaveLength(14);
  expect(barsOf([], [], '2026-03-01', '2026-03-10', 92)).toEqual([]);
});

test('a preset counts local days back from today', () => {
  const now = Date.parse('2026-03-10T23:30:00Z');
  expect(spanOf(withPeriod(emptyView, 'LAST_7_DAYS'), 'Asia/Tokyo', now)).toEqual({
    from: '2026-03-05',
    to: '2026-03-11',
  });
  expect(spanOf(withPeriod(emptyView, 'TODAY'), 'UTC', now)).toEqual({ from: '2026-03-10', to: '2026-03-10' });
});

test('the whole span stays, and the chosen part of it is told from the rest', () => {
  const view = withPart(withPeriod(emptyView, 'LAST_30_DAYS'), '2026-03-02', '2026-03-03T12:00');
  const now = Date.parse('2026-03-10T12:00:00Z');
  expect(spanOf(view, 'UTC', now)).toEqual({ from: '2026-02-09', to: '2026-03-10' });
  const bar = (from: string, to = from) => ({ from, to, count: 1, failed: 0 });
  const chosen = [bar('2026-03-02'), bar('2026-03-03'), bar('2026-03-03T09:00', '2026-03-03T11:59')];
  const others = [bar('2026-03-01'), bar('2026-03-04'), bar('2026-03-03T12:01', '2026-03-03T13:00')];
  expect(chosen.map((one) => isOutside(one, view))).toEqual([false, false, false]);
  expect(others.map((one) => isOutside(one, view))).toEqual([true, true, true]);
  expect(spanOf(withDays(emptyView, '2026-03-02T10:00', null), 'UTC', now)).toEqual({ from: '2026-03-02', to: null });
});

test('one tower does not press the others to the ground', () => {
  const bars = (counts: number[]) => counts.map((count) => ({ from: '', to: '', count, failed: 0 }));
  expect(heightsOf(bars([1, 2, 0, 4])).heights).toEqual([0.25, 0.5, 0, 1]);
  const towered = heightsOf(bars([100, 100, 100, 100, 10_000]));
  expect([towered.isRoot, towered.heights]).toEqual([true, [0.1, 0.1, 0.1, 0.1, 1]]);
});
