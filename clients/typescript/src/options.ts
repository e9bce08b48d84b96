import type { Fault, Receipt } from './answer.ts';
import type { TokenSource } from './sender.ts';

/** How a recorder is set up. */
export interface RecorderOptions {
  /** Where the service is, such as `https://audit.example.com`; with its base path, if it has one. */
  url: string;
  /**
   * A token with the scope `audit:record`, or what gives one. A function is asked before each request, and once more,
   * with `true`, where the service refuses the token.
   */
  token: TokenSource;
  /**
   * Which actions go on where they cannot be recorded (they fail open): all of them, or those that are named, such as
   * `["auth.login", "billing.*"]`. For every other action, `record` throws (it fails closed). None, where absent.
   */
  failOpen?: boolean | readonly string[];
  /**
   * A folder for events that fail open while the service is down. They are sent when it is back, even by another
   * process after a restart. Without it they are lost, and the loss is an incident.
   */
  spool?: string;
  /** How large the spool may become, in bytes. 256 MiB, where absent. */
  spoolMaxBytes?: number;
  /** How long `record` tries, in milliseconds. 5,000, where absent. */
  timeoutMs?: number;
  /** How long one request may take, in milliseconds. As long as `timeoutMs`, where absent. */
  requestTimeoutMs?: number;
  /** Is told what an operator must know. Where absent, it is a line on standard error. */
  onIncident?: (incident: Incident) => void;
  /** Instead of the global `fetch`, as for a proxy or a private authority. */
  fetch?: typeof fetch;
}

/** How one call differs from the recorder's settings. */
export interface RecordOptions {
  /** Whether this event goes on where it cannot be recorded. */
  failOpen?: boolean;
}

/** What became of an event. All but the first kind occur only for events that fail open. */
export type Recorded =
  | (Receipt & { idempotencyKey: string })
  /** It is on disk, and is sent when the service is back. */
  | { status: 'SPOOLED'; idempotencyKey: string; fault: Fault }
  /** The service refuses this event, whenever it is sent. */
  | { status: 'REFUSED'; idempotencyKey: string; fault: Fault }
  /** It is neither recorded nor kept. */
  | { status: 'MISSED'; idempotencyKey: string; fault: Fault };

/** What an operator must know. None of it contains the event's actor, resources or metadata, or the token. */
export type Incident =
  /** Events cannot be recorded from now on. */
  | { kind: 'down'; fault: Fault }
  /** They can be recorded again. */
  | { kind: 'up'; downForMs: number }
  /** An event was refused: by its code, or what is in it, has to be mended. `spooled`: `record` had gone on before. */
  | { kind: 'refused'; action: string; idempotencyKey: string; fault: Fault; spooled: boolean }
  /** An event that failed open is lost. */
  | { kind: 'missed'; action: string; idempotencyKey: string; fault: Fault }
  /** A file of the spool cannot be read or settled; it stays in the folder, or below it in `refused`. */
  | { kind: 'spool'; file: string; message: string };

/** How many events there were of each kind since the recorder was made. For metrics. */
export interface Counts {
  recorded: number;
  alreadyRecorded: number;
  refused: number;
  /** Calls that threw because the service could not be asked. */
  failed: number;
  spooled: number;
  missed: number;
}

/** `record` could not record an event that fails closed. */
export class RecordingError extends Error {
  override readonly name = 'RecordingError';
  readonly fault: Fault;
  readonly idempotencyKey: string;
  /** Whether the event may have been recorded all the same, as where the answer was lost. */
  readonly mayBeRecorded: boolean;

  constructor(action: string, idempotencyKey: string, fault: Fault, mayBeRecorded: boolean) {
    super(`${action} is not recorded: ${fault.code}: ${fault.message}`);
    this.fault = fault;
    this.idempotencyKey = idempotencyKey;
    this.mayBeRecorded = mayBeRecorded;
  }

  /** The service's code, such as `CONFLICT`, or the recorder's, such as `UNREACHABLE`. */
  get code(): string {
    return this.fault.code;
  }
}
