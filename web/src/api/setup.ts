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
