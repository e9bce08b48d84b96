import { describe, expect, test } from 'vitest';
import { createFormat } from '../src/time/format.ts';

const iso = '2026-03-01T23:30:05.123456789Z';
const at = Date.parse(iso);
// ICU puts narrow no-break spaces where readers see blanks.
const plain = (text: string) => text.replace(/[\u202f\u00a0]/g, ' ');

describe('a time', () => {
  test('is the wall clock’s, with its zone', () => {
    expect(plain(createFormat('en-GB', 'Europe/Berlin').instant(iso))).toBe('2 Mar 2026, 00:30:05 CET');
    expect(plain(createFormat('de-DE', 'Europe/Berlin').instant(iso))).toBe('2. März 2026, 00:30:05 MEZ');
    expect(plain(createFormat('en-US', 'America/New_York').instant(iso))).toBe('Mar 1, 2026, 06:30:05 PM EST');
  });

  test('keeps every digit in UTC', () => {
    expect(createFormat('en', 'Asia/Tokyo').utc(iso)).toBe('2026-03-01 23:30:05.123456789 UTC');
  });

  test('tells the two hours of the clock change apart', () => {
    const format = createFormat('en-GB', 'Europe/Berlin');
    expect(plain(format.instant('2026-10-25T00:30:00Z'))).toBe('25 Oct 2026, 02:30:00 CEST');
    expect(plain(format.instant('2026-10-25T01:30:00Z'))).toBe('25 Oct 2026, 02:30:00 CET');
  });
});

describe('how long ago', () => {
  const format = createFormat('en', 'UTC');
  test.each([
    [10, 'now'],
    [65, '1 minute ago'],
    [3 * 3600, '3 hours ago'],
    [86_400, '1 day ago'],
    [10 * 86_400, '1 week ago'],
    [70 * 86_400, '2 months ago'],
    [800 * 86_400, '2 years ago'],
    [-120, 'in 2 minutes'],
  ])('%d seconds: %s', (seconds, words) => expect(format.relative(iso, at + seconds * 1000)).toBe(words));
});

test('days and numbers follow the locale', () => {
  expect(createFormat('en-GB', 'Pacific/Apia').day('2026-03-01')).toBe('1 Mar 2026');
  expect(createFormat('de-DE', 'UTC').number(1234567)).toBe('1.234.567');
});

describe('a day', () => {
  const format = createFormat('en-GB', 'Europe/Berlin');

  test('is today or yesterday, or has its weekday, and its year where that is another', () => {
    expect(['2026-03-10', '2026-03-09', '2026-03-08'].map((day) => format.dayWord(day, '2026-03-10'))).toEqual([
      'Today',
      'Yesterday',
      null,
    ]);
    expect(format.longDay('2026-03-08', '2026')).toBe('Sunday 8 March');
    expect(format.longDay('2025-03-08', '2026')).toBe('Saturday, 8 March 2025');
  });

  test('and a minute of it limit a range', () => {
    expect(format.limit('2026-03-08T09:05', '2026')).toBe('8 Mar, 09:05');
    expect(format.limit('2025-03-08T09:05', '2026')).toBe('8 Mar 2025, 09:05');
    expect(format.limit('2026-03-08', '2026')).toBe('8 Mar');
  });
});

test('how late something was recorded is said in its largest unit', () => {
  const format = createFormat('en-GB', 'UTC');
  expect([format.seconds(240), format.duration(3 * 86_400_000 + 5)]).toEqual(['0.2s', '3 days']);
});
