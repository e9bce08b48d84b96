// Asked when a question got no answer, by whoever has not had one yet.
import { Fault } from './fault.ts';
import { SetupFault } from './setup.ts';

/**
 * Why a question got no answer at all. A browser tells scripts nothing of it, so it is asked a second time without
 * wanting to see the answer: where that arrives, the first was held back from this page alone.
 */
export async function whyNoAnswer(endpoint: string, error: unknown): Promise<Fault> {
  const offline = new Fault('offline', String(error));
  if (globalThis.document === undefined || !navigator.onLine) return offline;
  const { origin } = new URL(endpoint);
  let forbidden = false;
  const listen = (event: SecurityPolicyViolationEvent) => {
    forbidden ||= event.effectiveDirective === 'connect-src' && event.blockedURI.startsWith(origin);
  };
  document.addEventListener('securitypolicyviolation', listen);
  let answers = false;
  try {
    await fetch(endpoint, { mode: 'no-cors', credentials: 'omit', cache: 'no-store' });
    answers = true;
  } catch {
    // The violation is told as a task of its own.
    await new Promise((told) => setTimeout(told));
  }
  document.removeEventListener('securitypolicyviolation', listen);
  if (forbidden) return new SetupFault('policy', endpoint);
  return answers && origin !== location.origin ? new SetupFault('origin', endpoint) : offline;
}
