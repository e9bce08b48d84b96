import type { Answer, Failed, Fault } from './answer.ts';
import type { Counts, Incident } from './options.ts';
import { type Prepared, type Sender, first, reason } from './sender.ts';
import type { Spool } from './spool.ts';
import { Wait } from './wait.ts';

/** The longest wait between two tries, in milliseconds. */
const LONGEST_WAIT = 5_000;

/** What calls and spool know together of the service, and tell. */
export interface Service {
  counts: Counts;
  tell(incident: Incident): void;
  isDown(fault: Fault): void;
  isUp(): void;
}

/** Sends what lies in a spool. */
export class Forwarder {
  readonly #spool: Spool;
  readonly #sender: Sender;
  readonly #service: Service;
  #forwarding: Promise<void> | undefined;
  /** Ends the wait before the spool is tried again. */
  #wake = () => {};
  #closed = false;

  constructor(spool: Spool, sender: Sender, service: Service) {
    this.#spool = spool;
    this.#sender = sender;
    this.#service = service;
  }

  /** Sends what is on disk, until nothing is. */
  begin(): void {
    if (this.#forwarding || this.#closed) return;
    this.#forwarding = this.#forwardAll().finally(() => {
      this.#forwarding = undefined;
    });
  }

  /** Tries again at once. */
  wake(): void {
    this.#wake();
    this.begin();
  }

  /** Ends with the file that is being sent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#wake();
    await this.#forwarding;
  }

  async #forwardAll(): Promise<void> {
    const wait = new Wait(LONGEST_WAIT);
    while (!this.#closed) {
      let failed: Failed | undefined;
      try {
        const files = this.#spool.waiting();
        if (files.length === 0) return;
        failed = await this.#forwardEach(files, wait);
      } catch (error) {
        const fault = { code: 'SPOOL_FAILED', message: reason(error) };
        this.#service.tell({ kind: 'spool', file: '', message: fault.message });
        failed = { kind: 'failed', fault, passing: true, alone: true };
      }
      if (!failed || this.#closed) continue;
      if (!failed.alone) this.#service.isDown(failed.fault);
      const waitMs = wait.after(failed.fault);
      await new Promise<void>((resolve) => {
        // A process that has nothing else to do may end: the next one goes on.
        const timer = setTimeout(resolve, waitMs).unref();
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Sends files; why one of them has to be sent again. */
  async #forwardEach(files: readonly string[], wait: Wait): Promise<Failed | undefined> {
    let failed: Failed | undefined;
    for (const name of files) {
      if (this.#closed) break;
      const answer = await this.#forwardOne(name);
      failed = answer ?? failed;
      // Where one organization alone has to wait, the files of others need not.
      if (answer && !answer.alone) break;
      if (!answer) wait.isOver();
    }
    return failed;
  }

  /** Sends a file; why it has to be sent again. */
  async #forwardOne(name: string): Promise<Failed | undefined> {
    let events;
    try {
      events = await this.#spool.read(name);
    } catch (error) {
      this.#service.tell({ kind: 'spool', file: name, message: reason(error) });
      await this.#spool.putAside(name);
      return undefined;
    }
    if (!events) return undefined;
    const refused: { event: Prepared; fault: Fault }[] = [];
    const counted = { recorded: 0, alreadyRecorded: 0 };
    for (let sent = 0; sent < events.length;) {
      const batch = first(events.slice(sent));
      sent += batch.length;
      const answers = await this.#sender.send(batch);
      for (const [at, event] of batch.entries()) {
        const answer = answers[at] as Answer;
        if (answer.kind === 'failed') return answer;
        this.#service.isUp();
        if (answer.kind === 'refused') refused.push({ event, fault: answer.fault });
        else counted[answer.receipt.status === 'RECORDED' ? 'recorded' : 'alreadyRecorded'] += 1;
      }
    }
    await this.#spool.settle(name, refused);
    this.#service.counts.recorded += counted.recorded;
    this.#service.counts.alreadyRecorded += counted.alreadyRecorded;
    this.#service.counts.refused += refused.length;
    for (const { event, fault } of refused) {
      const { action, idempotencyKey } = event;
      this.#service.tell({ kind: 'refused', action, idempotencyKey, fault, spooled: true });
    }
    return undefined;
  }
}
