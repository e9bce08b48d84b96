import { useEffect, useRef, useState } from 'preact/hooks';
import type { Fault } from '../api/fault.ts';
import { retryDelay } from '../api/retry.ts';

/**
 * Tries again by itself where a fault may pass, ever more seldom, and at once when the browser is online again.
 * `fault` is another object after each failure, and null after a success. Gives the seconds until then, 0 while the answer
 * is waited for, and null where nothing is tried.
 */
export function useRetry(fault: Fault | null, retry: () => void): number | null {
  const failures = useRef(0);
  const [seconds, setSeconds] = useState<number | null>(null);
  const latest = useRef(retry);
  latest.current = retry;
  useEffect(() => {
    if (!fault?.mayPass) {
      failures.current = 0;
      setSeconds(null);
      return;
    }
    failures.current += 1;
    const due = Date.now() + retryDelay(failures.current, fault);
    const again = () => {
      stop();
      setSeconds(0);
      latest.current();
    };
    const look = () => {
      const left = due - Date.now();
      if (left <= 0) again();
      else setSeconds(Math.ceil(left / 1000));
    };
    const timer = setInterval(look, 250);
    const stop = () => {
      clearInterval(timer);
      removeEventListener('online', again);
    };
    look();
    addEventListener('online', again);
    return stop;
  }, [fault]);
  return fault?.mayPass ? seconds : null;
}
