// The page while the service is restarted: it waits, says so, and goes on by itself.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, inject, test } from 'vitest';
import { newPage } from './browser.ts';
import { rows, settled } from './ledgerline.ts';

const folder = mkdtempSync(join(tmpdir(), 'ledgerline-restart-'));
let server: ChildProcess | undefined;

/** Starts the demo on one database, at one address after the first time. */
async function start(listen: string): Promise<string> {
  const { binary, env } = inject('ledgerline');
  const database = `sqlite://${join(folder, 'ledgerline.db')}`;
  const own = { ...env, LEDGERLINE_KEYS: join(folder, 'keys'), LEDGERLINE_DATABASE_URL: database };
  const started = (server = spawn(binary, ['demo', '--listen', listen, '--database-url', database], {
    env: own,
    cwd: folder,
  }));
  return new Promise((found, failed) => {
    let said = '';
    const hear = (chunk: Buffer) => {
      said += String(chunk);
      const address = /(http:\/\/127\.0\.0\.1:\d+)/.exec(said);
      if (address && /^ready/m.test(said)) found(address[1]!);
    };
    started.stdout!.on('data', hear);
    started.stderr!.on('data', hear);
    started.on('exit', () => failed(new Error(said)));
  });
}

async function stop(): Promise<void> {
  const stopped = server;
  if (!stopped) return;
  server = undefined;
  await new Promise((exited) => {
    stopped.removeAllListeners('exit').on('exit', exited);
    stopped.kill('SIGTERM');
  });
}

afterAll(async () => {
  await stop();
  rmSync(folder, { recursive: true, force: true });
});

test('a restart is waited for', { timeout: 120_000 }, async () => {
  const base = await start('127.0.0.1:0');
  const token = /#token=([\w.~+/=-]+)/.exec(await (await fetch(base)).text())![1]!;
  const page = await newPage({
    origins: [base],
    expectedErrors: /ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/,
  });
  await page.goto(`${base}/log#token=${token}`);
  await settled(page);
  const before = await rows(page).count();
  expect(before).toBeGreaterThan(5);
  await stop();
  await page.getByRole('button', { name: 'Failures' }).click();
  await page.getByRole('heading', { name: 'The server cannot be reached' }).waitFor();
  await page.locator('.countdown', { hasText: /^Trying again in \d+s$/ }).waitFor();
  expect(await rows(page).count(), 'the rows stay').toBe(before);
  await page.waitForTimeout(6_000);
  await start(new URL(base).host);
  await page.locator('.banner').waitFor({ state: 'detached', timeout: 60_000 });
  await expect.poll(() => page.locator('.total').innerText(), { timeout: 20_000 }).toMatch(/^\d+ events?$/);
  // A second one, and what had grown begins small again.
  await stop();
  await page.getByRole('button', { name: 'Failures' }).click();
  await page.getByRole('heading', { name: 'The server cannot be reached' }).waitFor();
  await start(new URL(base).host);
  await page.locator('.message').waitFor({ state: 'detached', timeout: 60_000 });
  expect(await rows(page).count()).toBe(before);
});
