// The service itself, as a process that a test can kill and start again on the same database and port.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const binary = process.env.LEDGERLINE_BIN ?? join(import.meta.dirname, '../../../target/debug/ledgerline');

const running = new Set<ChildProcess>();
// A test that fails leaves nothing behind.
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

export class Service {
  readonly folder = mkdtempSync(join(tmpdir(), 'ledgerline-recorder-'));
  readonly url: string;
  readonly #listen: string;
  readonly #env: NodeJS.ProcessEnv;
  #process: ChildProcess | undefined;

  private constructor(port: number, env: NodeJS.ProcessEnv) {
    this.#listen = `127.0.0.1:${port}`;
    this.url = `http://${this.#listen}`;
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith('LEDGERLINE_'));
    const database = `sqlite://${join(this.folder, 'ledgerline.db')}`;
    this.#env = { ...Object.fromEntries(own), LEDGERLINE_DATABASE_URL: database, LEDGERLINE_LOG: 'error', ...env };
  }

  /** One that is not started yet, so its address refuses connections. */
  static async prepare(env: NodeJS.ProcessEnv = {}): Promise<Service> {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    return new Service(port, env);
  }

  static async start(env: NodeJS.ProcessEnv = {}): Promise<Service> {
    const service = await Service.prepare(env);
    await service.start();
    return service;
  }

  async start(): Promise<void> {
    const stdio = ['ignore', 'ignore', 'inherit'] as const;
    const child = spawn(binary, ['serve', '--dev', '--listen', this.#listen], { env: this.#env, stdio: [...stdio] });
    this.#process = child;
    running.add(child);
    child.once('exit', () => running.delete(child));
    for (;;) {
      if (child.exitCode !== null) throw new Error(`the service ended with ${child.exitCode}`);
      const ready = await fetch(`${this.url}/readyz`).catch(() => undefined);
      if (ready?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Ends it as a power failure would. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A token of SCIM Platform. */
  token(organization: string | undefined, scopes = 'audit:record audit:read'): string {
    const of = organization === undefined ? [] : ['--organization', organization];
    const command = ['token', '--product', 'scim-platform', ...of, '--scopes', scopes, '--role', 'admin'];
    return execFileSync(binary, command, { env: this.#env, encoding: 'utf8' }).trim();
  }

  /** All events of an organization, oldest first, as an administrator reads them. */
  async events(organization: string): Promise<{ id: string; action: string; occurredAt: string; mark: unknown }[]> {
    const token = this.token(organization);
    const query = `query($after: String) { auditEvents(first: 100, after: $after, orderBy: { field: OCCURRED_AT, direction: ASC }) {
      nodes { id action occurredAt metadata } pageInfo { hasNextPage endCursor } } }`;
    const events = [];
    for (let after: string | null = null; ;) {
      const response = await fetch(`${this.url}/graphql`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ query, variables: { after } }),
      });
      const { data, errors } = (await response.json()) as any;
      if (errors) throw new Error(JSON.stringify(errors));
      const { nodes, pageInfo } = data.auditEvents;
      events.push(...nodes.map(({ metadata, ...event }: any) => ({ ...event, mark: metadata?.mark })));
      if (!pageInfo.hasNextPage) return events;
      after = pageInfo.endCursor;
    }
  }
}
