import type { DayCount } from '../api/documents.ts';
import type { Bar } from '../log/buckets.ts';
import { addDays, dayOf } from '../time/zone.ts';
import { isRecent, type View } from '../view/view.ts';

/** A log of few days is drawn as the last days of two weeks, not as blocks as wide as the page. */
const leastBars = 14;
const presetDays = { TODAY: 1, LAST_7_DAYS: 7, LAST_30_DAYS: 30, LAST_90_DAYS: 90 } as const;

const daysBetween = (from: string, to: string): number =>
  Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / 86_400_000);

/** The days that the whole drawing is of, as far as the view says. */
export function spanOf(view: View, zone: string, now: number): { from: string | null; to: string | null } {
  const { period } = view;
  if (!period || isRecent(period)) return { from: view.from?.slice(0, 10) ?? null, to: view.to?.slice(0, 10) ?? null };
  const today = dayOf(now, zone);
  return { from: addDays(today, 1 - presetDays[period]), to: today };
}

/**
 * Bars of equal length over the days that have events, empty days included; several days a bar where there are
 * more days than bars that can be told apart.
 */
export function barsOf(
  days: readonly DayCount[],
  failedDays: readonly DayCount[],
  from: string | null,
  to: string | null,
  most: number,
): Bar[] {
  const counts = new Map(days.map(({ day, count }) => [day, count]));
  const failures = new Map(failedDays.map(({ day, count }) => [day, count]));
  const sorted = [...counts.keys()].sort();
  const firstSeen = sorted[0];
  const lastSeen = sorted.at(-1);
  if (!firstSeen || !lastSeen) return [];
  // A chosen range is shown whole, also where nothing happened, as long as that leaves bars to be seen.
  const wide = (day: string) => Math.abs(daysBetween(day, firstSeen)) > 366;
  const last = to && to > lastSeen && !wide(to) ? to : lastSeen;
  const least = addDays(last, 1 - leastBars);
  const begins = from && from < firstSeen && !wide(from) ? from : firstSeen;
  const first = begins > least ? least : begins;

  const size = Math.ceil((daysBetween(first, last) + 1) / most);
  const bars: Bar[] = [];
  for (let day = first; day <= last; day = addDays(day, size)) {
    const end = addDays(day, size - 1);
    let count = 0;
    let failed = 0;
    for (let offset = 0; offset < size; offset++) {
      count += counts.get(addDays(day, offset)) ?? 0;
      failed += failures.get(addDays(day, offset)) ?? 0;
    }
    bars.push({ from: day, to: end > last ? last : end, count, failed });
  }
  return bars;
}

/** Whether a limited range leaves a bar out; its limits are days or minutes. */
export function isOutside({ from, to }: Bar, view: View): boolean {
  const before = view.from !== null && endOfLimit(to) < view.from;
  const after = view.to !== null && from > endOfLimit(view.to);
  return before || after;
}

const endOfLimit = (limit: string) => (limit.includes('T') ? limit : `${limit}T23:59`);

/** How high a bar is drawn, from 0 to 1. By square root where one tower would press all others to the ground. */
export function heightsOf(bars: readonly Bar[]): { heights: number[]; most: number; isRoot: boolean } {
  const counts = bars.map(({ count }) => count);
  const most = Math.max(1, ...counts);
  const usual = counts.filter((count) => count > 0).sort((a, b) => a - b);
  const isRoot = usual.length > 3 && most > 20 * usual[Math.floor(usual.length / 2)]!;
  const heights = counts.map((count) => (isRoot ? Math.sqrt(count / most) : count / most));
  return { heights, most, isRoot };
}
