import { expect, test } from 'vitest';
import { barsOf, chosenDays } from '../src/ui/histogram.ts';
import { addDays } from '../src/time/zone.ts';
import { emptyView, withPeriod } from '../src/view/view.ts';

test('days without events keep their place', () => {
  const bars = barsOf(
    [
      { day: '2026-03-01', count: 2 },
      { day: '2026-03-04', count: 1 },
    ],
    null,
    null,
  );
  expect(bars.map(({ count }) => count)).toEqual([2, 0, 0, 1]);
});

test('many days share bars, and none is lost', () => {
  const days = Array.from({ length: 1000 }, (_, index) => ({ day: addDays('2024-01-01', index), count: 1 }));
  const bars = barsOf(days, null, null);
  expect(bars.length).toBeLessThanOrEqual(92);
  expect(bars.reduce((sum, { count }) => sum + count, 0)).toBe(1000);
  expect(bars.at(-1)!.to).toBe(days.at(-1)!.day);
});

test('a chosen range is drawn whole, unless it would hide the bars', () => {
  const days = [{ day: '2026-03-05', count: 1 }];
  expect(barsOf(days, '2026-03-01', '2026-03-10')).toHaveLength(10);
  expect(barsOf(days, '1900-01-01', null)).toHaveLength(1);
  expect(barsOf([], '2026-03-01', '2026-03-10')).toEqual([]);
});

test('a preset counts local days back from today', () => {
  const now = Date.parse('2026-03-10T23:30:00Z');
  expect(chosenDays(withPeriod(emptyView, 'LAST_7_DAYS'), 'Asia/Tokyo', now)).toEqual({
    from: '2026-03-05',
    to: '2026-03-11',
  });
  expect(chosenDays(withPeriod(emptyView, 'TODAY'), 'UTC', now)).toEqual({ from: '2026-03-10', to: '2026-03-10' });
});
