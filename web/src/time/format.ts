// Times, days and numbers in the words of a locale. Pure: the present moment is always an argument.

export interface Format {
  /** Local date and time with the zone. */
  instant(iso: string): string;
  /** The instant as it was recorded, in UTC, to its last digit. */
  utc(iso: string): string;
  relative(iso: string, now: number): string;
  day(day: string): string;
  number(value: number): string;
  list(values: readonly string[]): string;
}

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
    day: (value) => day.format(Date.parse(`${value}T00:00:00Z`)),
    number: (value) => number.format(value),
    list: (values) => list.format(values),
  };
}
