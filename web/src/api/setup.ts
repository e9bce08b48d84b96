// Faults of whoever put the element on a page, which no reader can mend and no retry either: which it is, and where.
import { Fault } from './fault.ts';

export type SetupReason =
  /** Something answers at the address, and it is no endpoint of ours; or it is no address. */
  | 'endpoint'
  /** The server answers, and does not allow pages of this origin to read it. */
  | 'origin'
  /** The page's own content security policy forbids the connection. */
  | 'policy';

export class SetupFault extends Fault {
  constructor(
    readonly reason: SetupReason,
    readonly endpoint: string,
    /** What was answered, in a word for developers, such as `HTTP 404`. */
    readonly answer: string = '',
  ) {
    super('setup', `${reason}: ${endpoint} ${answer}`.trim());
  }

  /** A proxy without its server refuses as a server does that allows other origins alone. */
  override get mayPass(): boolean {
    return this.reason === 'origin';
  }
}

/** The address of the endpoint, or a fault where it is none that this page may ask. */
export function endpointAddress(endpoint: string): string {
  const page = globalThis.location?.href;
  let address: URL;
  try {
    address = new URL(endpoint, page);
  } catch {
    // Where there is no page, the caller's fetch knows what it is given.
    if (page === undefined) return endpoint;
    throw new SetupFault('endpoint', endpoint);
  }
  if (!['http:', 'https:'].includes(address.protocol)) throw new SetupFault('endpoint', endpoint, address.protocol);
  return address.href;
}

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
