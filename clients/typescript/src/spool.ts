import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, statSync, unlinkSync } from 'node:fs';
import { mkdir, open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Fault } from './answer.ts';
import type { Prepared } from './sender.ts';

const ENDING = '.v1.ndjson';

/** What a spool holds. */
export interface SpoolSize {
  /** Files that wait to be sent. */
  files: number;
  /** Bytes of them, and of those in `refused`. */
  bytes: number;
  /** When the oldest of them was written. */
  oldest?: Date;
}

/**
 * Events that wait on disk for the service. A file is complete or is not there, and is never changed: it is written
 * beside, synced and renamed. Its name begins with the time, so the oldest is first by name.
 *
 * Several processes may share a folder. Two that send the same file do no harm, because each event has its idempotency
 * key; what the service refuses is moved to `refused/` under the file's own name, so it is there once.
 *
 * A file of version 1 has a line for each event: `{"action":…,"idempotencyKey":…,"event":…}`, the event as it is sent.
 * One of `refused/` has `{"error":{"code":…,"message":…},"event":…}`.
 */
export class Spool {
  readonly #folder: string;
  readonly #refused: string;
  readonly #maxBytes: number;
  #bytes = 0;
  #numbers = 0;

  constructor(folder: string, maxBytes: number) {
    this.#folder = folder;
    this.#refused = join(folder, 'refused');
    this.#maxBytes = maxBytes;
    mkdirSync(this.#refused, { recursive: true, mode: 0o700 });
    for (const at of [folder, this.#refused]) {
      for (const name of readdirSync(at)) {
        const size = statSync(join(at, name), { throwIfNoEntry: false });
        // Left by a process that ended while it wrote: nobody was told that it is kept.
        const isLeft = name.endsWith('.tmp') && size && Date.now() - size.mtimeMs > 60_000;
        if (isLeft) unlinkSync(join(at, name));
        else if (name.endsWith(ENDING)) this.#bytes += size?.size ?? 0;
      }
    }
  }

  /** Keeps events, durably. Throws where they do not fit, or cannot be written. */
  async keep(events: readonly Prepared[]): Promise<void> {
    const line = ({ action, idempotencyKey, json }: Prepared) =>
      `{"action":${JSON.stringify(action)},"idempotencyKey":${JSON.stringify(idempotencyKey)},"event":${json}}\n`;
    const text = events.map(line).join('');
    const bytes = Buffer.byteLength(text);
    if (this.#bytes + bytes > this.#maxBytes) throw new SpoolFull(this.#folder, this.#maxBytes);
    // Before it is written, so that two at once are counted.
    this.#bytes += bytes;
    try {
      const number = String(this.#numbers++ % 1_000_000).padStart(6, '0');
      // Made anew where somebody has tidied up meanwhile.
      await mkdir(this.#refused, { recursive: true, mode: 0o700 });
      const time = new Date().toISOString().replaceAll(':', '').replace('.', '');
      await write(this.#folder, `${time}-${number}-${randomUUID().slice(0, 8)}${ENDING}`, text);
    } catch (error) {
      this.#bytes -= bytes;
      throw error;
    }
  }

  /** Names of the files that wait, oldest first. */
  waiting(): string[] {
    let names: string[];
    try {
      names = readdirSync(this.#folder);
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
    return names.filter((name) => name.endsWith(ENDING)).sort();
  }

  size(): SpoolSize {
    const files = this.waiting();
    const oldest = files[0] && statSync(join(this.#folder, files[0]), { throwIfNoEntry: false })?.mtime;
    return { files: files.length, bytes: this.#bytes, ...(oldest && { oldest }) };
  }

  /** The events of a file; nothing, if another process has sent it meanwhile. Throws where it cannot be read. */
  async read(name: string): Promise<Prepared[] | undefined> {
    let text;
    try {
      text = await readFile(join(this.#folder, name), 'utf8');
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
    const lines = text.split('\n').filter((line) => line !== '');
    return lines.map((line) => {
      const { action, idempotencyKey, event } = JSON.parse(line);
      if (typeof action !== 'string' || typeof idempotencyKey !== 'string' || event === undefined) {
        throw new SyntaxError(`${name}: a line is no event`);
      }
      return { action, idempotencyKey, json: JSON.stringify(event) };
    });
  }

  /** Ends a file whose events were all answered. Those that were refused are kept beside. */
  async settle(name: string, refused: readonly { event: Prepared; fault: Fault }[]): Promise<void> {
    if (refused.length > 0) {
      const line = ({ event, fault }: (typeof refused)[number]) =>
        `{"error":${JSON.stringify(fault)},"event":${event.json}}\n`;
      const text = refused.map(line).join('');
      await write(this.#refused, name, text);
      this.#bytes += Buffer.byteLength(text);
    }
    await this.#remove(name);
  }

  /** Puts a file aside that cannot be read. */
  async putAside(name: string): Promise<void> {
    await rename(join(this.#folder, name), join(this.#refused, name)).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
    });
  }

  async #remove(name: string): Promise<void> {
    try {
      const { size } = await stat(join(this.#folder, name));
      await unlink(join(this.#folder, name));
      // Another process may have written it.
      this.#bytes = Math.max(this.#bytes - size, 0);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
}

export class SpoolFull extends Error {
  constructor(folder: string, maxBytes: number) {
    super(`${folder} has ${maxBytes} bytes of events that wait`);
  }
}

/** Writes a file that is complete, and durable, or is not there. */
async function write(folder: string, name: string, text: string): Promise<void> {
  // Another process may write the same file of `refused`.
  const beside = join(folder, `${name}.${randomUUID()}.tmp`);
  try {
    await synced(beside, 'wx', (file) => file.writeFile(text));
    await rename(beside, join(folder, name));
    // Windows opens no folder, and its file system keeps a rename by itself.
    if (process.platform !== 'win32') await synced(folder, 'r');
  } catch (error) {
    await unlink(beside).catch(() => {});
    throw error;
  }
}

/** Writes to a file, or to nothing of a folder, and has the disk keep it. */
async function synced(
  path: string,
  flags: string,
  change: (file: Awaited<ReturnType<typeof open>>) => Promise<void> = async () => {},
): Promise<void> {
  const file = await open(path, flags, 0o600);
  try {
    await change(file);
    await file.sync();
  } finally {
    await file.close();
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
