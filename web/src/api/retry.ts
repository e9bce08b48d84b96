import type { Fault } from './fault.ts';

const shortestMs = 2_000;
const longestMs = 60_000;

/**
 * How long to wait before the same is asked again without anybody pressing a button: twice as long after each failure
 * in a row, up to a minute, and never less than the server asks for. A part of it is left to chance, so that all the
 * pages that failed together do not come back together.
 */
export function retryDelay(failures: number, fault: Fault, chance: () => number = Math.random): number {
  const grown = Math.min(longestMs, shortestMs * 2 ** Math.min(failures - 1, 10));
  return Math.max(grown, fault.retryAfterMs ?? 0) * (1 + chance() / 4);
}

/** How long to wait before looking for news again, after so many failures in a row: at most five minutes. */
export function pollDelay(pollSeconds: number, failures: number): number {
  const longest = Math.max(300_000, pollSeconds * 1000);
  return Math.min(longest, pollSeconds * 1000 * 2 ** Math.min(failures, 10));
}
