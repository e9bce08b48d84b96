// Somebody who follows a page: a shell, files, and services that go on running beside it.
import { spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Longest that a block may take, and a service until it listens. */
const SECONDS = 120;

/** What was started and has not ended. Each is a group of processes of its own, which no Ctrl-C of ours reaches. */
const running = new Set();
for (const name of ['SIGINT', 'SIGTERM']) {
  process.once(name, () => {
    for (const child of running) signal(child, 'SIGKILL');
    process.exit(1);
  });
}

export class Reader {
  /** The services that run: what they were started by, and what they have said. */
  services = [];

  /**
   * @param {string} folder that the page begins in
   * @param {string} state folder of what one block hands to the next
   * @param {NodeJS.ProcessEnv} environment
   */
  constructor(folder, state, environment) {
    mkdirSync(state, { recursive: true });
    writeFileSync(join(state, 'folder'), folder);
    writeFileSync(join(state, 'exports'), '');
    Object.assign(this, { state, environment });
  }

  get folder() {
    return readFileSync(join(this.state, 'folder'), 'utf8').trim();
  }

  /** Variables that were exported and the folder that was gone to are those of the next block too, as in a terminal. */
  script(text) {
    const before = `. "${this.state}/exports"; cd "$(cat "${this.state}/folder")"`;
    const after = `export -p >"${this.state}/exports"; pwd >"${this.state}/folder"`;
    return `${before}\n${text}\n${after}`;
  }

  spawn(text) {
    const shell = ['-euo', 'pipefail', '-c', this.script(text)];
    const child = spawn('bash', shell, { env: this.environment, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    running.add(child);
    return child.on('close', () => running.delete(child));
  }

  /** Runs commands to their end. Gives what they printed. */
  async run(text) {
    const child = this.spawn(text);
    let [out, err] = ['', ''];
    child.stdout.on('data', (data) => (out += data));
    child.stderr.on('data', (data) => (err += data));
    const code = await ended(child);
    if (code !== 0) throw new Error(`exit code ${code}\n${out}${err}`);
    return { out, err };
  }

  /** Starts a service and waits until it says that it listens. */
  async serve(text) {
    const child = this.spawn(text);
    const service = { child, text, said: '' };
    this.services.push(service);
    await new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`not ready after ${SECONDS} s\n${service.said}`)), SECONDS * 1000);
      const hear = (data) => {
        service.said += data;
        if (!/^ready\.|listening on (?:http|unix)/m.test(service.said)) return;
        clearTimeout(late);
        resolve();
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.on('close', (code) => {
        clearTimeout(late);
        reject(new Error(`it ended with ${code}\n${service.said}`));
      });
    });
    return service;
  }

  /** Ctrl-C. */
  async stop(service) {
    this.services = this.services.filter((each) => each !== service);
    if (service.child.exitCode !== null || service.child.signalCode !== null) return;
    const closed = new Promise((resolve) => service.child.on('close', resolve));
    signal(service.child, 'SIGINT');
    const late = setTimeout(() => signal(service.child, 'SIGKILL'), 30_000);
    await closed;
    clearTimeout(late);
  }

  async stopAll(which = () => true) {
    for (const service of this.services.filter(which)) await this.stop(service);
  }

  write(path, text) {
    const file = join(this.folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  append(path, text) {
    appendFileSync(join(this.folder, path), text);
  }
}

function signal(child, name) {
  try {
    process.kill(-child.pid, name);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

async function ended(child) {
  const late = setTimeout(() => signal(child, 'SIGKILL'), SECONDS * 1000);
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  clearTimeout(late);
  return code ?? `none: it was ended after ${SECONDS} s, or by a signal`;
}
