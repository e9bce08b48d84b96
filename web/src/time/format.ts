// Times, days and numbers in the words of a locale. Pure: the present moment is always an argument.
import type { Count } from '../texts/count.ts';

export interface Format {
  /** Local date and time with the zone. */
  instant(iso: string): string;
  /** The instant as it was recorded, in UTC, to its last digit. */
  utc(iso: string): string;
  relative(iso: string, now: number): string;
  /** The time of day, without its date. */
  time(iso: string): string;
  /** The time of day to the second. */
  exactTime(iso: string): string;
  /** A date as YYYY-MM-DD, with its year. */
  day(day: string): string;
  /** The same with its weekday, and its year where that is not `year`. */
  longDay(day: string, year: string): string;
  /** The same without its year and short, as under an axis. */
  shortDay(day: string): string;
  /** A limit of a range: a day, or a minute of one; without its year where that is `year`. */
  limit(limit: string, year?: string): string;
  /** A minute as a tick under an axis: its time, and its day where the axis has several. */
  clock(minute: string, isOfSeveralDays: boolean): string;
  /** What relates a day to today, where there is a word for it. */
  dayWord(day: string, today: string): string | null;
  /** A short time in seconds. */
  seconds(ms: number): string;
  /** A longer time in its largest unit, rounded down. */
  duration(ms: number): string;
  number(value: number): string;
  /** A number that decides over the words beside it. */
  count(value: number): Count;
  list(values: readonly string[]): string;
}

const midnight = (day: string): number => Date.parse(`${day}T00:00:00Z`);

const steps: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

export function createFormat(locale: string, zone: string): Format {
  const instant = new Intl.DateTimeFormat(locale, {
    timeZone: zone,
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
  });
  const time = new Intl.DateTimeFormat(locale, { timeZone: zone, hour: '2-digit', minute: '2-digit' });
  const exactTime = new Intl.DateTimeFormat(locale, { timeZone: zone, timeStyle: 'medium' });
  const minute = new Intl.DateTimeFormat(locale, { timeZone: 'UTC', dateStyle: 'medium', timeStyle: 'short' });
  const clock = new Intl.DateTimeFormat(locale, { timeZone: 'UTC', hour: '2-digit', minute: '2-digit' });
  const dayClock = new Intl.DateTimeFormat(locale, {
    timeZone: 'UTC',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
  });
  const longDay = new Intl.DateTimeFormat(locale, { timeZone: 'UTC', weekday: 'long', month: 'long', day: 'numeric' });
  const fullDay = new Intl.DateTimeFormat(locale, { timeZone: 'UTC', dateStyle: 'full' });
  const shortDay = new Intl.DateTimeFormat(locale, { timeZone: 'UTC', month: 'short', day: 'numeric' });
  const word = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  const second = new Intl.NumberFormat(locale, {
    style: 'unit',
    unit: 'second',
    unitDisplay: 'narrow',
    maximumFractionDigits: 1,
  });
  const day = new Intl.DateTimeFormat(locale, { timeZone: 'UTC', year: 'numeric', month: 'short', day: 'numeric' });
  // Counted, never "yesterday": 30 hours ago may be two days back on the calendar.
  const relative = new Intl.RelativeTimeFormat(locale);
  const present = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }).format(0, 'second');
  const number = new Intl.NumberFormat(locale);
  const list = new Intl.ListFormat(locale, { type: 'disjunction' });

  return {
    instant: (iso) => instant.format(Date.parse(iso)),
    utc: (iso) => iso.replace('T', ' ').replace(/Z$/, ' UTC'),
    relative: (iso, now) => {
      const seconds = (Date.parse(iso) - now) / 1000;
      for (const [unit, size] of steps) {
        if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
      }
      return present;
    },
    time: (iso) => time.format(Date.parse(iso)),
    exactTime: (iso) => exactTime.format(Date.parse(iso)),
    day: (value) => day.format(midnight(value)),
    longDay: (value, year) => (value.startsWith(year) ? longDay : fullDay).format(midnight(value)),
    shortDay: (value) => shortDay.format(midnight(value)),
    limit: (value, year) => {
      const isThisYear = year !== undefined && value.startsWith(year);
      if (value.includes('T')) return (isThisYear ? dayClock : minute).format(Date.parse(`${value}Z`));
      return (isThisYear ? shortDay : day).format(midnight(value));
    },
    clock: (value, ofSeveral) => (ofSeveral ? dayClock : clock).format(Date.parse(`${value}Z`)),
    dayWord: (value, today) => {
      const days = Math.round((midnight(value) - midnight(today)) / 86_400_000);
      if (days !== 0 && days !== -1) return null;
      const name = word.format(days, 'day');
      return name.charAt(0).toLocaleUpperCase(locale) + name.slice(1);
    },
    seconds: (ms) => second.format(ms / 1000),
    duration: (ms) => {
      const [unit, size] = steps.find(([, least]) => ms / 1000 >= least) ?? (['second', 1] as const);
      const style = { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits: 0 } as const;
      return new Intl.NumberFormat(locale, style).format(Math.trunc(ms / 1000 / size));
    },
    number: (value) => number.format(value),
    count: (value) => ({ value, text: number.format(value) }),
    list: (values) => list.format(values),
  };
}
