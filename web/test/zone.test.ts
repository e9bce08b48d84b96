import { describe, expect, test } from 'vitest';
import { addDays, dayOf, isDay, isZone, startOfDay } from '../src/time/zone.ts';
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
    expect(questionFor(view, null, 'Europe/Berlin').filter).toEqual({
      occurredAt: { from: '2026-10-24T22:00:00.000Z', to: '2026-10-25T23:00:00.000Z' },
    });
  });

  test('mean the zone of the link, not of the reader', () => {
    const view = { ...withDays(emptyView, '2026-03-08', '2026-03-08'), zone: 'America/New_York' };
    expect(questionFor(view, null, 'Asia/Tokyo').filter?.occurredAt).toEqual({
      from: '2026-03-08T05:00:00.000Z',
      to: '2026-03-09T04:00:00.000Z',
    });
  });

  test('leave a preset to the server, with the zone by name', () => {
    expect(questionFor(withPeriod(emptyView, 'TODAY'), null, 'Asia/Kolkata').filter).toEqual({
      period: { preset: 'TODAY', timeZone: 'Asia/Kolkata' },
    });
  });

  test('are absent when nothing is asked', () => expect(questionFor(emptyView, null, 'UTC').filter).toBeNull());
});

test('days and zones are told from nonsense', () => {
  expect(['2026-02-28', '2024-02-29'].every(isDay)).toBe(true);
  expect(['2026-02-29', '2026-13-01', '26-01-01', 'today', ''].some(isDay)).toBe(false);
  expect(isZone('Europe/Berlin')).toBe(true);
  expect(isZone('Middle/Earth')).toBe(false);
});
