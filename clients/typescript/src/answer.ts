/** That an event was recorded: it is durable. */
export interface Receipt {
  /** `ALREADY_RECORDED`: its idempotency key and content were recorded before, as after an answer that was lost. */
  status: 'RECORDED' | 'ALREADY_RECORDED';
  eventId: string;
  /** Its place in the organization's order of recording: a decimal number that may exceed 2^53. */
  sequence: string;
  /** Paths of what is not recorded as it was sent. */
  truncated: string[];
  /** Paths of what the product masks. */
  masked: string[];
}

/** Why an event is not known to be recorded. */
export interface Fault {
  /**
   * A code of the service's, such as `BAD_USER_INPUT`, `CONFLICT` or `OVERLOADED`; or one of the recorder's:
   * `UNREACHABLE` (no answer came), `NO_TOKEN` (the token cannot be had or used), `HTTP_404` and the like (an answer that
   * is not the service's), `UNREADABLE` (the event cannot be written as JSON), `WAITING_TOO_LONG` (the time for recording
   * was over), `TOO_MANY_WAITING`, `SPOOL_FULL`, `SPOOL_FAILED`, `CLOSED`.
   */
  code: string;
  /** A sentence for people. */
  message: string;
  /** The field that breaks a rule. */
  field?: string;
  /** The rule that it breaks. */
  rule?: string;
  /** The nearest names that would have been accepted. */
  suggestions?: string[];
  /** Id of the event that the idempotency key was used for. */
  existing?: string;
  /** How long to wait before it is sent again, in milliseconds. */
  retryAfterMs?: number;
}

/** What became of one event of a request. */
export type Answer =
  | { kind: 'recorded'; receipt: Receipt }
  /** The event itself is at fault: sending it again changes nothing. */
  | { kind: 'refused'; fault: Fault }
  /**
   * It may have been recorded or not, and can be sent again with its key. `passing`: time may be enough; else somebody has
   * to mend something first, such as a token. `alone`: the service answered for this event, and serves others.
   */
  | { kind: 'failed'; fault: Fault; passing: boolean; alone: boolean };

export type Failed = Answer & { kind: 'failed' };
