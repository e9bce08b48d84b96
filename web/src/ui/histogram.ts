import type { DayCount } from '../api/documents.ts';
import { addDays, dayOf } from '../time/zone.ts';
import type { View } from '../view/view.ts';

export interface Bar {
  from: string;
  /** Inclusive. */
  to: string;
  count: number;
}

const mostBars = 92;
const presetDays = { TODAY: 1, LAST_7_DAYS: 7, LAST_30_DAYS: 30, LAST_90_DAYS: 90 } as const;

const daysBetween = (from: string, to: string): number =>
  Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / 86_400_000);

/** The days that the view is limited to, as far as it is. */
export function chosenDays(view: View, zone: string, now: number): { from: string | null; to: string | null } {
  if (!view.period) return { from: view.from, to: view.to };
  const today = dayOf(now, zone);
  return { from: addDays(today, 1 - presetDays[view.period]), to: today };
}

/**
 * Bars of equal length over the days that have events, empty days included; several days a bar where there are
 * more days than bars that can be told apart.
 */
export function barsOf(days: readonly DayCount[], from: string | null, to: string | null): Bar[] {
  const counts = new Map(days.map(({ day, count }) => [day, count]));
  const sorted = [...counts.keys()].sort();
  const firstSeen = sorted[0];
  const lastSeen = sorted.at(-1);
  if (!firstSeen || !lastSeen) return [];
  // A chosen range is shown whole, also where nothing happened, as long as that leaves bars to be seen.
  const wide = (day: string) => Math.abs(daysBetween(day, firstSeen)) > 366;
  const first = from && from < firstSeen && !wide(from) ? from : firstSeen;
  const last = to && to > lastSeen && !wide(to) ? to : lastSeen;

  const size = Math.ceil((daysBetween(first, last) + 1) / mostBars);
  const bars: Bar[] = [];
  for (let day = first; day <= last; day = addDays(day, size)) {
    const end = addDays(day, size - 1);
    let count = 0;
    for (let offset = 0; offset < size; offset++) count += counts.get(addDays(day, offset)) ?? 0;
    bars.push({ from: day, to: end > last ? last : end, count });
  }
  return bars;
}
