import { randomUUID } from 'node:crypto';
import type { Answer, Failed, Fault } from './answer.ts';
import type { AuditEvent } from './event.ts';
import {
  type Counts,
  type Incident,
  type RecordOptions,
  type Recorded,
  type RecorderOptions,
  RecordingError,
} from './options.ts';
import { Forwarder } from './forwarder.ts';
import { BATCH, type Prepared, Sender, first, reason } from './sender.ts';
import { Spool, SpoolFull, type SpoolSize } from './spool.ts';
import { Wait } from './wait.ts';

/** Requests at once: while one is under way, events for the next one gather. */
const REQUESTS = 2;
/** Events whose calls wait. */
const WAITING = 10_000;
/** The longest wait between two tries of a call, in milliseconds. */
const LONGEST_WAIT = 1_000;

/** An event whose caller waits. */
interface Entry extends Prepared {
  failOpen: boolean;
  /** Whether a request with it was not answered, so that it may have been recorded. */
  mayBeRecorded: boolean;
  /** The last reason why it is not known to be recorded. */
  fault: Fault | undefined;
  /** Whether that reason is of this event, while the service serves others. */
  alone: boolean;
  settled: boolean;
  end: NodeJS.Timeout;
  settle(outcome: Recorded | RecordingError): void;
}

/**
 * Records audit events. One recorder serves a whole process: calls that come at the same time share requests.
 *
 * ```ts
 * const recorder = new Recorder({ url, token, failOpen: ['auth.login'], spool: '/var/spool/acme-audit' });
 * await recorder.record({ action: 'role.assigned', actor: { kind: 'USER', id: 'usr_7' } });
 * ```
 */
export class Recorder {
  readonly #sender: Sender;
  readonly #spool: Spool | undefined;
  readonly #forwarder: Forwarder | undefined;
  readonly #failOpen: (action: string) => boolean;
  readonly #timeoutMs: number;
  readonly #tell: (incident: Incident) => void;
  readonly #counts: Counts = { recorded: 0, alreadyRecorded: 0, refused: 0, failed: 0, spooled: 0, missed: 0 };
  /** Those that wait for a request, those in one, and those that wait for the disk. */
  readonly #queue = new Set<Entry>();
  #open = 0;
  #spilled: { entry: Entry; fault: Fault }[] = [];
  #spilling = false;
  #requests = 0;
  readonly #wait = new Wait(LONGEST_WAIT);
  #pause: NodeJS.Timeout | undefined;
  /** Since when the service cannot be asked, and why it could not the last time. */
  #down: { since: number; fault: Fault } | undefined;
  #closed = false;

  /** Throws where an option is wrong, or the spool's folder cannot be made. */
  constructor(options: RecorderOptions) {
    const { timeoutMs = 5_000, requestTimeoutMs = timeoutMs, spoolMaxBytes = 256 * 1024 * 1024 } = options;
    for (const [name, value] of Object.entries({ timeoutMs, requestTimeoutMs, spoolMaxBytes })) {
      if (!(value > 0)) throw new RangeError(`${name}: ${value} is not above 0`);
    }
    this.#sender = new Sender(options.url, options.token, requestTimeoutMs, options.fetch ?? fetch);
    this.#failOpen = pattern(options.failOpen ?? false);
    this.#timeoutMs = timeoutMs;
    const { onIncident = print } = options;
    this.#tell = (incident) => {
      try {
        onIncident(incident);
      } catch (error) {
        print(incident);
        console.error(`ledgerline: onIncident: ${reason(error)}`);
      }
    };
    if (options.spool !== undefined) {
      this.#spool = new Spool(options.spool, spoolMaxBytes);
      this.#forwarder = new Forwarder(this.#spool, this.#sender, {
        counts: this.#counts,
        tell: this.#tell,
        isDown: (fault) => this.#isDown(fault),
        isUp: () => this.#isUp(),
      });
      this.#forwarder.begin();
    }
  }

  /**
   * Records an event. It is sent again until it is answered or `timeoutMs` is over, with one idempotency key and one time.
   *
   * Where it cannot be recorded, an event that fails closed throws a `RecordingError`; one that fails open never throws,
   * and what became of it is the answer.
   */
  record(event: AuditEvent, options: RecordOptions = {}): Promise<Recorded> {
    return new Promise((resolve, reject) => {
      const idempotencyKey = event.idempotencyKey ?? randomUUID();
      const action = String(event.action);
      const failOpen = options.failOpen ?? this.#failOpen(action);
      const settle = (outcome: Recorded | RecordingError) =>
        outcome instanceof RecordingError ? reject(outcome) : resolve(outcome);
      const end = setTimeout(() => this.#giveUp(entry), this.#timeoutMs);
      const entry: Entry = {
        ...{ action, idempotencyKey, json: '', failOpen, end, settle },
        ...{ mayBeRecorded: false, fault: undefined, alone: false, settled: false },
      };
      this.#open += 1;
      try {
        entry.json = written(event, idempotencyKey);
      } catch (error) {
        return this.#refuse(entry, { code: 'UNREADABLE', message: reason(error) });
      }
      if (this.#closed) return this.#giveUp(entry, { code: 'CLOSED', message: 'the recorder was closed' });
      if (this.#open > WAITING) {
        return this.#giveUp(entry, { code: 'TOO_MANY_WAITING', message: `${WAITING} events wait already` });
      }
      // Nobody waits for a service that is known to be down, where the event can wait on disk.
      if (failOpen && this.#spool && this.#down) return this.#giveUp(entry, this.#down.fault);
      this.#queue.add(entry);
      this.#send();
    });
  }

  /** How many events there were of each kind. */
  get counts(): Readonly<Counts> {
    return { ...this.#counts };
  }

  /** Calls of `record` that wait. */
  get waiting(): number {
    return this.#open;
  }

  /** What waits on disk. Nothing does without a spool. */
  get spooled(): SpoolSize {
    return this.#spool?.size() ?? { files: 0, bytes: 0 };
  }

  /** Waits until no call waits and the spool is empty, but no longer than that. Says whether it came to that. */
  async flush(timeoutMs: number = this.#timeoutMs): Promise<boolean> {
    const end = Date.now() + timeoutMs;
    const isDone = () => this.#open === 0 && this.spooled.files === 0;
    this.#forwarder?.wake();
    while (!isDone() && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
    return isDone();
  }

  /** Takes no more events, and waits for those that it has taken. What is on disk stays there for the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#forwarder?.close();
    while (this.#open > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Begins requests, as many as may be under way. */
  #send(): void {
    while (this.#requests < REQUESTS && this.#queue.size > 0 && this.#pause === undefined) {
      const batch = first(this.#queue);
      for (const entry of batch) this.#queue.delete(entry);
      this.#requests += 1;
      void this.#request(batch).finally(() => {
        this.#requests -= 1;
        this.#send();
      });
    }
  }

  async #request(batch: Entry[]): Promise<void> {
    const before = batch.map(({ mayBeRecorded }) => mayBeRecorded);
    for (const entry of batch) entry.mayBeRecorded = true;
    const answers = await this.#sender.send(batch);
    let outage: Fault | undefined;
    for (const [at, entry] of batch.entries()) {
      const answer = answers[at] as Answer;
      if (answer.kind !== 'failed' || answer.alone) this.#isUp();
      else outage = answer.fault;
      if (entry.settled) continue;
      if (answer.kind === 'recorded') {
        this.#counts[answer.receipt.status === 'RECORDED' ? 'recorded' : 'alreadyRecorded'] += 1;
        this.#settle(entry, { ...answer.receipt, idempotencyKey: entry.idempotencyKey });
      } else if (answer.kind === 'refused') {
        this.#refuse(entry, answer.fault);
      } else {
        // What the service would not even look at is not recorded.
        if (!answer.passing) entry.mayBeRecorded = before[at] as boolean;
        this.#failed(entry, answer);
      }
    }
    if (outage) {
      clearTimeout(this.#pause);
      this.#pause = this.#later(this.#wait.after(outage), () => {
        this.#pause = undefined;
      });
    }
  }

  /** An event is sent again while there is time and hope. */
  #failed(entry: Entry, { fault, passing, alone }: Failed): void {
    Object.assign(entry, { fault, alone });
    if (!passing) return this.#giveUp(entry);
    if (!alone) return void this.#queue.add(entry);
    this.#later(new Wait(LONGEST_WAIT).after(fault), () => {
      if (!entry.settled) this.#queue.add(entry);
    });
  }

  /** Goes on sending after a while. Calls that wait have timers of their own: this one keeps no process alive. */
  #later(waitMs: number, change: () => void): NodeJS.Timeout {
    return setTimeout(() => {
      change();
      this.#send();
    }, waitMs).unref();
  }

  /** The time of an event is over, or it cannot even be tried. */
  #giveUp(entry: Entry, fault?: Fault): void {
    if (entry.settled) return;
    const { code, message } = fault ??
      entry.fault ?? { code: 'WAITING_TOO_LONG', message: `${this.#timeoutMs} ms are over` };
    const last: Fault = { ...(fault ?? entry.fault), code, message };
    if (fault === undefined && !entry.alone) this.#isDown(last);
    entry.settled = true;
    clearTimeout(entry.end);
    this.#queue.delete(entry);
    if (!entry.failOpen) {
      this.#counts.failed += 1;
      this.#settle(entry, new RecordingError(entry.action, entry.idempotencyKey, last, entry.mayBeRecorded));
    } else if (!this.#spool) {
      this.#miss(entry, last);
    } else {
      this.#spilled.push({ entry, fault: last });
      void this.#spill(this.#spool);
    }
  }

  /** Puts on disk what has come together while the disk was busy. */
  async #spill(spool: Spool): Promise<void> {
    if (this.#spilling) return;
    this.#spilling = true;
    // What is given up at the same moment shares a file.
    await Promise.resolve();
    while (this.#spilled.length > 0) {
      const spilled = this.#spilled.splice(0, BATCH);
      try {
        await spool.keep(spilled.map(({ entry }) => entry));
        this.#counts.spooled += spilled.length;
        for (const { entry, fault } of spilled) {
          this.#settle(entry, { status: 'SPOOLED', idempotencyKey: entry.idempotencyKey, fault });
        }
      } catch (error) {
        const code = error instanceof SpoolFull ? 'SPOOL_FULL' : 'SPOOL_FAILED';
        for (const { entry, fault } of spilled) {
          this.#miss(entry, { code, message: `${reason(error)}; before: ${fault.code}: ${fault.message}` });
        }
      }
    }
    this.#spilling = false;
    this.#forwarder?.begin();
  }

  #miss(entry: Entry, fault: Fault): void {
    const { action, idempotencyKey } = entry;
    this.#counts.missed += 1;
    this.#tell({ kind: 'missed', action, idempotencyKey, fault });
    this.#settle(entry, { status: 'MISSED', idempotencyKey, fault });
  }

  #refuse(entry: Entry, fault: Fault): void {
    const { action, idempotencyKey } = entry;
    this.#counts.refused += 1;
    this.#tell({ kind: 'refused', action, idempotencyKey, fault, spooled: false });
    this.#settle(
      entry,
      entry.failOpen
        ? { status: 'REFUSED', idempotencyKey, fault }
        : new RecordingError(action, idempotencyKey, fault, false),
    );
  }

  #settle(entry: Entry, outcome: Recorded | RecordingError): void {
    entry.settled = true;
    clearTimeout(entry.end);
    this.#open -= 1;
    entry.settle(outcome);
  }

  #isDown(fault: Fault): void {
    const isNew = !this.#down;
    this.#down = { since: this.#down?.since ?? Date.now(), fault };
    if (isNew) this.#tell({ kind: 'down', fault });
  }

  #isUp(): void {
    this.#wait.isOver();
    if (!this.#down) return;
    const downForMs = Date.now() - this.#down.since;
    this.#down = undefined;
    this.#tell({ kind: 'up', downForMs });
    this.#forwarder?.wake();
  }
}

/** An event as it is sent. What the caller changes afterwards is not of it. */
function written(event: AuditEvent, idempotencyKey: string): string {
  const { occurredAt = null } = event;
  const at = occurredAt === null ? new Date() : occurredAt;
  // Of a date that is none, `toISOString` throws, where JSON would have null.
  return JSON.stringify({ ...event, idempotencyKey, occurredAt: at instanceof Date ? at.toISOString() : at });
}

/** Whether an action is among those that are named; a name may end with a star. */
function pattern(failOpen: boolean | readonly string[]): (action: string) => boolean {
  if (typeof failOpen === 'boolean') return () => failOpen;
  for (const name of failOpen) {
    if (name === '' || name.slice(0, -1).includes('*')) {
      throw new TypeError(`failOpen: ${JSON.stringify(name)} must be an action, or its beginning and one * at the end`);
    }
  }
  return (action) =>
    failOpen.some((name) => (name.endsWith('*') ? action.startsWith(name.slice(0, -1)) : action === name));
}

function print(incident: Incident): void {
  console.error(`ledgerline: ${JSON.stringify(incident)}`);
}
