import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  addDays,
  dayOf,
  endOf,
  isDay,
  isLocalZoneKnown,
  isMinute,
  isZone,
  localZone,
  startOf,
  startOfDay,
} from '../src/time/zone.ts';
import { questionFor } from '../src/view/request.ts';
import { emptyView, withDays, withPeriod } from '../src/view/view.ts';

const start = (day: string, zone: string) => new Date(startOfDay(day, zone)).toISOString();
const hours = (day: string, zone: string) => (startOfDay(addDays(day, 1), zone) - startOfDay(day, zone)) / 3_600_000;

describe('a day begins', () => {
  test.each([
    ['UTC', '2026-03-01', '2026-03-01T00:00:00.000Z'],
    ['Europe/Berlin', '2026-01-15', '2026-01-14T23:00:00.000Z'],
    ['Europe/Berlin', '2026-07-15', '2026-07-14T22:00:00.000Z'],
    ['Asia/Kathmandu', '2026-05-01', '2026-04-30T18:15:00.000Z'],
    ['Pacific/Kiritimati', '2026-05-01', '2026-04-30T10:00:00.000Z'],
    ['Pacific/Niue', '2026-05-01', '2026-05-01T11:00:00.000Z'],
    ['America/New_York', '2026-12-31', '2026-12-31T05:00:00.000Z'],
  ])('in %s on %s at %s', (zone, day, instant) => expect(start(day, zone)).toBe(instant));

  test('an hour late where the clocks leave midnight out', () => {
    // Cairo, 24 April 2026: 00:00 becomes 01:00.
    expect(start('2026-04-24', 'Africa/Cairo')).toBe('2026-04-23T22:00:00.000Z');
    expect(dayOf(startOfDay('2026-04-24', 'Africa/Cairo') - 1, 'Africa/Cairo')).toBe('2026-04-23');
    expect(hours('2026-04-24', 'Africa/Cairo')).toBe(23);
  });
});

describe('a day lasts', () => {
  test.each([
    ['Europe/Berlin', '2026-03-29', 23],
    ['Europe/Berlin', '2026-10-25', 25],
    ['America/New_York', '2026-03-08', 23],
    ['America/New_York', '2026-11-01', 25],
    ['Australia/Lord_Howe', '2026-04-05', 24.5],
    ['Asia/Tokyo', '2026-03-29', 24],
  ])('in %s on %s %d hours', (zone, day, length) => expect(hours(day, zone)).toBe(length));

  test('no time at all where the calendar skipped it', () => {
    // Samoa crossed the date line: there was no 30 December 2011.
    expect(startOfDay('2011-12-30', 'Pacific/Apia')).toBe(startOfDay('2011-12-31', 'Pacific/Apia'));
  });
});

test('every instant belongs to the day that has begun', () => {
  for (const zone of ['Europe/Berlin', 'America/Sao_Paulo', 'Africa/Cairo', 'Asia/Kolkata', 'Pacific/Chatham']) {
    for (let day = '2026-01-01'; day < '2027-01-01'; day = addDays(day, 1)) {
      const begins = startOfDay(day, zone);
      expect(dayOf(begins, zone)).toBe(day);
      expect(dayOf(begins - 1, zone)).toBe(addDays(day, -1));
    }
  }
});

describe('dates asked of the server', () => {
  test('take in the whole last day, also when it is 25 hours long', () => {
    const view = withDays(emptyView, '2026-10-25', '2026-10-25');
    expect(questionFor(view, null, 'Europe/Berlin', 0).filter).toEqual({
      occurredAt: { from: '2026-10-24T22:00:00.000Z', to: '2026-10-25T23:00:00.000Z' },
    });
  });

  test('mean the zone of the link, not of the reader', () => {
    const view = { ...withDays(emptyView, '2026-03-08', '2026-03-08'), zone: 'America/New_York' };
    expect(questionFor(view, null, 'Asia/Tokyo', 0).filter?.occurredAt).toEqual({
      from: '2026-03-08T05:00:00.000Z',
      to: '2026-03-09T04:00:00.000Z',
    });
  });

  test('leave a preset to the server, with the zone by name', () => {
    expect(questionFor(withPeriod(emptyView, 'TODAY'), null, 'Asia/Kolkata', 0).filter).toEqual({
      period: { preset: 'TODAY', timeZone: 'Asia/Kolkata' },
    });
  });

  test('are absent when nothing is asked', () => expect(questionFor(emptyView, null, 'UTC', 0).filter).toBeNull());
});

test('days and zones are told from nonsense', () => {
  expect(['2026-02-28', '2024-02-29'].every(isDay)).toBe(true);
  expect(['2026-02-29', '2026-13-01', '26-01-01', 'today', ''].some(isDay)).toBe(false);
  expect(isZone('Europe/Berlin')).toBe(true);
  expect(isZone('Middle/Earth')).toBe(false);
});

describe('a minute', () => {
  const at = (instant: number) => new Date(instant).toISOString();

  test.each([
    ['Europe/Berlin', '2026-07-15T09:30', '2026-07-15T07:30:00.000Z', '2026-07-15T07:31:00.000Z'],
    ['Asia/Kathmandu', '2026-05-01T00:00', '2026-04-30T18:15:00.000Z', '2026-04-30T18:16:00.000Z'],
    // It is shown twice, and both are meant; then it is never shown, and nothing around it is left out.
    ['Europe/Berlin', '2026-10-25T02:30', '2026-10-25T00:30:00.000Z', '2026-10-25T01:31:00.000Z'],
    ['Europe/Berlin', '2026-03-29T02:30', '2026-03-29T00:30:00.000Z', '2026-03-29T01:31:00.000Z'],
  ])('in %s at %s', (zone, minute, from, to) => {
    expect([at(startOf(minute, zone)), at(endOf(minute, zone))]).toEqual([from, to]);
  });

  test('is written as one', () => {
    expect(['2026-01-01T00:00', '2026-01-01T23:59'].every(isMinute)).toBe(true);
    expect(['2026-01-01T24:00', '2026-02-30T10:00', '2026-01-01', '2026-01-01T1:00'].some(isMinute)).toBe(false);
  });

  test('limits what is asked for, and a stretch that ends now counts back from there', () => {
    const range = withDays(emptyView, '2026-07-15T09:30', '2026-07-15T10:00');
    expect(questionFor(range, null, 'Europe/Berlin', 0).filter?.occurredAt).toEqual({
      from: '2026-07-15T07:30:00.000Z',
      to: '2026-07-15T08:01:00.000Z',
    });
    const now = Date.parse('2026-07-15T12:00:00Z');
    const recent = withPeriod(emptyView, 'LAST_15_MINUTES');
    expect(questionFor(recent, null, 'Europe/Berlin', now).filter).toEqual({
      occurredAt: { from: '2026-07-15T11:45:00.000Z' },
    });
  });
});

describe('a browser that does not know where it is', () => {
  afterEach(() => vi.restoreAllMocks());

  test.each(['Etc/Unknown', '', 'Mars/Olympus'])('calls it %j, and is shown UTC', (timeZone) => {
    vi.spyOn(Intl.DateTimeFormat.prototype, 'resolvedOptions').mockReturnValue({ timeZone } as never);
    expect([localZone(), isLocalZoneKnown()]).toEqual(['UTC', false]);
  });

  test('differs from one in UTC', () => {
    vi.spyOn(Intl.DateTimeFormat.prototype, 'resolvedOptions').mockReturnValue({ timeZone: 'UTC' } as never);
    expect([localZone(), isLocalZoneKnown()]).toEqual(['UTC', true]);
  });
});
