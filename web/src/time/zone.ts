// Calendar days in a time zone. The only knowledge about zones is the browser's own (Intl).

const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterOf(zone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(zone);
  if (!formatter) {
    formatter = new Intl.DateTimeFormat('en-US-u-ca-iso8601-nu-latn', {
      timeZone: zone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
    });
    formatters.set(zone, formatter);
  }
  return formatter;
}

/** The reader's own zone, by its IANA name; UTC where the browser does not know it, or names one it cannot use. */
export function localZone(): string {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return isLocalZoneKnown() ? timeZone : 'UTC';
}

/** Whether the browser says where it is. One without a zone calls it `Etc/Unknown`, and then refuses that name. */
export function isLocalZoneKnown(): boolean {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return Boolean(timeZone) && timeZone !== 'Etc/Unknown' && isZone(timeZone);
}

export function isZone(zone: string): boolean {
  try {
    formatterOf(zone);
    return true;
  } catch {
    return false;
  }
}

/** Whether the text is a day of the calendar, as YYYY-MM-DD. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const instant = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(instant) && new Date(instant).toISOString().startsWith(text);
}

/** The day that a clock on the wall of that zone shows, as YYYY-MM-DD. */
export function dayOf(instant: number, zone: string): string {
  const part: Record<string, string> = {};
  for (const { type, value } of formatterOf(zone).formatToParts(instant)) part[type] = value;
  return `${part.year?.padStart(4, '0')}-${part.month}-${part.day}`;
}

export function addDays(day: string, count: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + count * 86_400_000).toISOString().slice(0, 10);
}

export const dayAfter = (day: string): string => addDays(day, 1);

/**
 * The first instant of a day in a zone, in milliseconds.
 *
 * Not "midnight": where clocks spring forward at 00:00 (Beirut, Cairo) the day begins at 01:00. The day shown on
 * the wall never goes backwards, so the first instant that shows this day or a later one is found by halving;
 * offsets lie between -12 and +14 hours, with room for the historical ones.
 */
export function startOfDay(day: string, zone: string): number {
  const midnightUtc = Date.parse(`${day}T00:00:00Z`);
  let before = midnightUtc - 16 * 3_600_000;
  let reached = midnightUtc + 16 * 3_600_000;
  while (reached - before > 1) {
    const middle = Math.floor((before + reached) / 2);
    if (dayOf(middle, zone) >= day) reached = middle;
    else before = middle;
  }
  return reached;
}

const clocks = new Map<string, Intl.DateTimeFormat>();

/** What a clock on the wall of that zone shows, as YYYY-MM-DDTHH:MM. */
export function minuteOf(instant: number, zone: string): string {
  let clock = clocks.get(zone);
  if (!clock) {
    const options = { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
    clocks.set(zone, (clock = new Intl.DateTimeFormat('en-US-u-nu-latn', options)));
  }
  const part: Record<string, string> = {};
  for (const { type, value } of clock.formatToParts(instant)) part[type] = value;
  return `${dayOf(instant, zone)}T${part.hour}:${part.minute}`;
}

/** Whether the text is a minute of a day, as YYYY-MM-DDTHH:MM. */
export function isMinute(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d$/.test(text) && isDay(text.slice(0, 10));
}

/**
 * When a clock shows a minute, in milliseconds. Where it shows it twice, or never, because clocks are put back or forward,
 * `edge` says which end of what may be meant: nothing that a reader means is left out.
 */
export function startOfMinute(minute: string, zone: string, edge: 'earliest' | 'latest'): number {
  const asUtc = Date.parse(`${minute}:00Z`);
  const offsets = [-24, 0, 24].map((hours) => {
    const near = asUtc + hours * 3_600_000;
    return Date.parse(`${minuteOf(near, zone)}:00Z`) - near;
  });
  const all = offsets.map((offset) => asUtc - offset);
  const shown = all.filter((instant) => minuteOf(instant, zone) === minute);
  const choice = shown.length > 0 ? shown : all;
  return edge === 'earliest' ? Math.min(...choice) : Math.max(...choice);
}

/** The first instant of what a limit of a range means: a day, or a minute. */
export const startOf = (limit: string, zone: string): number =>
  limit.includes('T') ? startOfMinute(limit, zone, 'earliest') : startOfDay(limit, zone);

/** The first instant after it. */
export const endOf = (limit: string, zone: string): number =>
  limit.includes('T') ? startOfMinute(limit, zone, 'latest') + 60_000 : startOfDay(dayAfter(limit), zone);
