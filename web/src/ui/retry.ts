import { useEffect, useRef } from 'preact/hooks';
import type { Fault } from '../api/fault.ts';
import { retryDelay } from '../api/retry.ts';

/**
 * Tries again by itself where a fault may pass, ever more seldom, and at once when the browser is online again.
 * `fault` is another object after each failure, and null after a success.
 */
export function useRetry(fault: Fault | null, retry: () => void): void {
  const failures = useRef(0);
  useEffect(() => {
    if (!fault?.mayPass) {
      failures.current = 0;
      return;
    }
    failures.current += 1;
    const again = () => {
      stop();
      retry();
    };
    const timer = setTimeout(again, retryDelay(failures.current, fault));
    const stop = () => {
      clearTimeout(timer);
      removeEventListener('online', again);
    };
    addEventListener('online', again);
    return stop;
  }, [fault]);
}
