// Starts the binary on a database of its own before the first browser test, and stops it after the last.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestProject } from 'vitest/node';

export interface Ledgerline {
  binary: string;
  base: string;
  /** Where the pages of the embedding tests are served: another origin, allowed by the server. */
  hostPort: number;
  /** The environment of its processes: whatever the caller's own settings are, these alone count. */
  env: NodeJS.ProcessEnv;
  /** The token of every link of the demo's page. */
  demoTokens: string[];
}

declare module 'vitest' {
  export interface ProvidedContext {
    ledgerline: Ledgerline;
  }
}

const startTimeoutMs = 60_000;

export default async function setup(project: TestProject): Promise<() => void> {
  const { LEDGERLINE_BIN } = process.env;
  if (!LEDGERLINE_BIN) {
    throw new Error('LEDGERLINE_BIN names no binary: build the server (cargo build --release) and give its path');
  }
  const binary = resolve(LEDGERLINE_BIN);
  const folder = mkdtempSync(join(tmpdir(), 'ledgerline-e2e-'));
  const [port, hostPort] = await Promise.all([freePort(), freePort()]);
  const base = `http://127.0.0.1:${port}`;
  const database = `sqlite://${join(folder, 'ledgerline.db')}`;
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('LEDGERLINE_'));
  const env = {
    ...Object.fromEntries(inherited),
    LEDGERLINE_KEYS: join(folder, 'keys'),
    LEDGERLINE_DATABASE_URL: database,
    LEDGERLINE_ALLOWED_ORIGINS: `http://127.0.0.1:${hostPort}`,
  };

  const server = spawn(binary, ['demo', '--listen', `127.0.0.1:${port}`, '--database-url', database], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  server.stdout.on('data', (chunk) => (output += chunk));
  server.stderr.on('data', (chunk) => (output += chunk));
  const stop = () => {
    server.kill('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  };

  const deadline = Date.now() + startTimeoutMs;
  while (!(/^ready/m.test(output) && (await answers(`${base}/readyz`)))) {
    if (server.exitCode !== null || Date.now() > deadline) {
      stop();
      throw new Error(`the server did not become ready; it said:\n${output}`);
    }
    await new Promise((elapsed) => setTimeout(elapsed, 100));
  }
  const page = await (await fetch(`${base}/`)).text();
  const tokens = [...page.matchAll(/#token=([\w.~+/=-]+)/g)].map((match) => match[1]!);
  project.provide('ledgerline', { binary, base, hostPort, env, demoTokens: [...new Set(tokens)] });
  return stop;
}

async function answers(address: string): Promise<boolean> {
  return fetch(address).then(
    (response) => response.ok,
    () => false,
  );
}

function freePort(): Promise<number> {
  return new Promise((found, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => found(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
