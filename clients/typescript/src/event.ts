// What a backend records, as `RecordAuditEventInput` of schema.graphql has it. A test compares the two.

/** What kind of actor it was: a person, a key, a service, staff of the platform, the platform itself, or nobody known. */
export type ActorKind = 'USER' | 'API_KEY' | 'SERVICE' | 'STAFF' | 'SYSTEM' | 'ANONYMOUS';

/** How it ended. `ACCEPTED`: its result is kept elsewhere, under the correlation id. */
export type Outcome = 'SUCCESS' | 'FAILURE' | 'ACCEPTED';

/** Who acted. */
export interface Actor {
  kind: ActorKind;
  /** The product's own id. */
  id?: string | null;
  name?: string | null;
  email?: string | null;
}

/** What was acted on. */
export interface Resource {
  /** Kind of thing, in the product's words. */
  type?: string | null;
  /** The product's own id. */
  id?: string | null;
  name?: string | null;
}

/** A nested log, created at first use. */
export interface LogRef {
  /** Name of the level, as the product file has it. */
  level: string;
  /** The product's own id of the thing that has the log. */
  id: string;
  /** Kept from the first use. */
  name?: string | null;
  /** The log above; needed at first use of a log two or more levels down. */
  parent?: LogRef | null;
}

/** An event to record. What the service makes of each field is in the manual, under "Recording". */
export interface AuditEvent {
  action: string;
  category?: string | null;
  actor: Actor;
  /** For whom they acted, as in an impersonation. */
  onBehalfOf?: Actor | null;
  /** The main thing first; at most 50. */
  resources?: Resource[] | null;
  /** Needed where the token names none. */
  organization?: string | null;
  log?: LogRef | null;
  outcome?: Outcome | null;
  /** RFC 3339, or a `Date`. The moment of `record`, where absent: an event that is sent late keeps its own time. */
  occurredAt?: string | Date | null;
  ipAddress?: string | null;
  userAgent?: string | null;
  correlationId?: string | null;
  source?: string | null;
  sourceEventId?: string | null;
  /**
   * Makes sending again safe: one key is one event of its organization, for ever. A random UUID, where absent, which
   * covers what the recorder itself sends again. Give one of your own, such as the id of a row, where your code may call
   * `record` again for the same fact; and `occurredAt` with it, since another time is other content, and a `CONFLICT`.
   */
  idempotencyKey?: string | null;
  /** Everything else, as a JSON object. */
  metadata?: Record<string, unknown> | null;
  /** The same as the text of a JSON object, which is kept byte for byte. Not together with `metadata`. */
  metadataText?: string | null;
  /** Refuse the event rather than cut a text or replace what cannot be kept. */
  strict?: boolean | null;
}
