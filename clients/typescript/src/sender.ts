import type { Answer, Fault, Receipt } from './answer.ts';

/** An event as it is sent, now and later: its JSON never changes, so its idempotency key stays good. */
export interface Prepared {
  action: string;
  idempotencyKey: string;
  json: string;
}

/** Gives the token that the recorder authenticates with. `renew` is true where the service refused the last one. */
export type TokenSource = string | ((renew: boolean) => string | Promise<string>);

/** Events of one request, and about how many bytes of them: the service commits as many at once. */
export const BATCH = 100;
const BATCH_BYTES = 256 * 1024;

const MUTATION = `mutation Record($input: RecordAuditEventsInput!) {
  recordAuditEvents(input: $input) {
    results { status eventId sequence truncated masked error { code message field rule suggestions existing } }
  }
}`;

/** Codes of an event's or a request's error after which the same may be sent again. */
const PASSING = /^(OVERLOADED|RATE_LIMITED|UNAVAILABLE|INTERNAL|UNREACHABLE|HTTP_408|HTTP_429|HTTP_5..)$/;
/** And those after which it may, once somebody has mended something. */
const TO_MEND = new Set(['LIMIT_REACHED']);
/** Codes of a request's error that one of its events may have caused. */
const OF_EVENTS = new Set(['BAD_USER_INPUT', 'QUERY_TOO_COMPLEX', 'EXPIRED', 'HTTP_413']);

interface Result {
  status: Receipt['status'] | null;
  eventId: string;
  sequence: string;
  truncated: string[];
  masked: string[];
  error: Fault | null;
}

/** Sends events by `recordAuditEvents`, once. */
export class Sender {
  readonly #endpoint: URL;
  readonly #token: TokenSource;
  readonly #fetch: typeof fetch;
  readonly #timeoutMs: number;

  constructor(url: string, token: TokenSource, timeoutMs: number, fetch: typeof globalThis.fetch) {
    const base = new URL(url);
    if (!/^https?:$/.test(base.protocol)) throw new TypeError(`url: ${base.protocol} is neither http: nor https:`);
    if (base.username || base.password) throw new TypeError('url: it must not contain a password; use token');
    this.#endpoint = new URL(`${base.pathname.replace(/\/+$/, '')}/graphql`, base);
    this.#token = token;
    this.#timeoutMs = timeoutMs;
    this.#fetch = fetch;
  }

  /**
   * An answer for each event, in their order; never throws. Events of a request that is refused as a whole are sent in
   * halves, until the ones that are at fault stand alone.
   */
  async send(events: readonly Prepared[]): Promise<Answer[]> {
    let answer = await this.#request(events, false);
    if (!Array.isArray(answer) && answer.code === 'UNAUTHENTICATED' && typeof this.#token === 'function') {
      answer = await this.#request(events, true);
    }
    if (Array.isArray(answer)) return answer;
    const fault = answer;
    if (!OF_EVENTS.has(fault.code)) return events.map(() => failed(fault, false));
    if (events.length === 1) return [{ kind: 'refused', fault }];
    const half = events.length >> 1;
    return [...(await this.send(events.slice(0, half))), ...(await this.send(events.slice(half)))];
  }

  async #request(events: readonly Prepared[], renew: boolean): Promise<Answer[] | Fault> {
    let token;
    try {
      token = typeof this.#token === 'function' ? await this.#token(renew) : this.#token;
    } catch (error) {
      return { code: 'NO_TOKEN', message: `the token cannot be had: ${reason(error)}` };
    }
    // What `fetch` says of such a header has the token in it.
    if (!/^[\x21-\x7e]+$/.test(token))
      return { code: 'NO_TOKEN', message: 'the token has a character that no token has' };
    try {
      // The events' JSON is put in as it is: it was written once, and is the same whenever it is sent.
      const list = events.map(({ json }) => json).join(',');
      const body = `{"query":${JSON.stringify(MUTATION)},"variables":{"input":{"events":[${list}]}}}`;
      const response = await this.#fetch(this.#endpoint, {
        method: 'POST',
        redirect: 'manual',
        signal: AbortSignal.timeout(this.#timeoutMs),
        headers: {
          accept: 'application/json',
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
        },
        body,
      });
      return read(response, await response.text(), events.length);
    } catch (error) {
      return { code: 'UNREACHABLE', message: `${this.#endpoint.origin} did not answer: ${reason(error)}` };
    }
  }
}

/** What an answer says of each event, or why it says nothing of any. */
function read(response: Response, text: string, expected: number): Answer[] | Fault {
  let answer;
  try {
    answer = JSON.parse(text);
  } catch {
    answer = undefined;
  }
  const [error] = answer?.errors ?? [];
  if (error) {
    const {
      code = `HTTP_${response.status}`,
      field,
      rule,
      retryAfterMs = retryAfter(response),
    } = error.extensions ?? {};
    return present({ code, message: String(error.message), field, rule, retryAfterMs });
  }
  const results: Result[] | undefined = answer?.data?.recordAuditEvents?.results;
  if (results?.length !== expected) {
    const to = response.headers.get('location');
    const what = to ? `a redirect to ${to}` : `status ${response.status} and no answer of an audit log`;
    const message = `${response.url} answers with ${what}`;
    return present({ code: `HTTP_${response.status}`, message, retryAfterMs: retryAfter(response) });
  }
  return results.map(({ status, error, ...receipt }) => {
    if (status) return { kind: 'recorded', receipt: { status, ...receipt } };
    const fault = present(error ?? { code: 'INTERNAL', message: 'the service says neither that nor why not' });
    return PASSING.test(fault.code) || TO_MEND.has(fault.code) ? failed(fault, true) : { kind: 'refused', fault };
  });
}

function failed(fault: Fault, alone: boolean): Answer {
  // Of a request it says that each of its organizations has to wait.
  return { kind: 'failed', fault, passing: PASSING.test(fault.code), alone: alone || fault.code === 'RATE_LIMITED' };
}

function retryAfter(response: Response): number | undefined {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds * 1000 : undefined;
}

/** Without what is not there. */
function present(fault: Fault): Fault {
  return Object.fromEntries(Object.entries(fault).filter(([, value]) => value != null)) as unknown as Fault;
}

/** What `fetch` says is "fetch failed"; the reason lies below. */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  // Of several addresses that were tried, each has an error.
  if (cause instanceof AggregateError) return cause.errors.map(reason).join(', ');
  return cause instanceof Error ? cause.message : error.message;
}

/** What one request carries of those that wait. */
export function first<Each extends Prepared>(events: Iterable<Each>): Each[] {
  const batch: Each[] = [];
  let bytes = 0;
  for (const event of events) {
    bytes += event.json.length;
    if (batch.length === BATCH || (batch.length > 0 && bytes > BATCH_BYTES)) break;
    batch.push(event);
  }
  return batch;
}
