import { describe, expect, test } from 'vitest';
import { Fault } from '../src/api/fault.ts';
import { pollDelay, retryDelay } from '../src/api/retry.ts';

const busy = (retryAfterMs: number | null = null) => new Fault('busy', '', null, null, null, [], retryAfterMs);
const never = () => 0;
const always = () => 1;

describe('the pause before another attempt', () => {
  test('doubles up to a minute, and stays there', () => {
    const pauses = [1, 2, 3, 4, 5, 6, 7, 1000].map((failures) => retryDelay(failures, busy(), never));
    expect(pauses).toEqual([2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * 1000));
  });

  test('is never less than the server asks for', () => {
    expect(retryDelay(1, busy(30_000), never)).toBe(30_000);
    expect(retryDelay(6, busy(30_000), never)).toBe(60_000);
    expect(retryDelay(1, busy(1), never)).toBe(2_000);
  });

  test('differs by a quarter from page to page', () => {
    expect(retryDelay(1, busy(), always)).toBe(2_500);
    expect(retryDelay(1, busy(30_000), always)).toBe(37_500);
  });
});

test('news are looked for ever more seldom while that fails', () => {
  expect([0, 1, 2, 5, 6, 1000].map((failures) => pollDelay(10, failures) / 1000)).toEqual([10, 20, 40, 300, 300, 300]);
  expect(pollDelay(3600, 3)).toBe(3_600_000);
});
