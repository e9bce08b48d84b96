// What a customer does: install the packed archive, build an application with it, and open it in a browser.
import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { manifest } from '../scripts/manifest.mjs';
import { attributeOf, eventNames, ownProperties, settingNames } from '../src/element/settings.ts';
import { newPage } from './browser.ts';
import { Host, hostOrigin } from './host.ts';
import { demoProduct, Organization, rows } from './ledgerline.ts';

const web = join(import.meta.dirname, '..');
const apps = join(import.meta.dirname, 'apps');
const installed = join(apps, 'node_modules/@ledgerline/viewer');
const host = new Host();
let organization: Organization;
let archive: string;

/** A program of the applications' own packages. */
async function run(folder: string, program: string, ...options: string[]): Promise<void> {
  const started = Date.now();
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NG_CLI_ANALYTICS: 'false', CI: '1' };
  try {
    await promisify(execFile)(join(apps, 'node_modules/.bin', program), options, { cwd: join(apps, folder), env });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${program} ${options.join(' ')} in ${folder}: ${stdout}${stderr}`);
  }
  console.log(`${program} ${options.join(' ')} ${folder}: ${Math.round((Date.now() - started) / 1000)} s`);
}

beforeAll(async () => {
  const packed = mkdtempSync(join(tmpdir(), 'ledgerline-packed-'));
  execFileSync('node', ['scripts/package.mjs', packed], { cwd: web });
  archive = join(packed, readdirSync(packed)[0]!);
  rmSync(installed, { recursive: true, force: true });
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', archive, '-C', installed, '--strip-components=1']);

  organization = new Organization(await demoProduct('scim-platform'));
  await organization.recordMany(30);
  // As much at a time as two cores can take: the longest beside all others.
  const vite = async () => {
    for (const name of ['react', 'vue', 'svelte'])
      await run('.', 'vite', 'build', '--mode', name, '--logLevel', 'warn');
    await run('react', 'tsc', '-p', '.');
    await run('angular', 'ng', 'build', '--progress=false');
  };
  await Promise.all([run('next', 'next', 'build'), vite()]);

  const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };
  const dist = join(apps, 'dist');
  for (const name of readdirSync(dist, { recursive: true }) as string[]) {
    const path = join(dist, name);
    if (statSync(path).isDirectory()) continue;
    const answer = { type: types[extname(path)] ?? 'text/plain', body: readFileSync(path) };
    host.serve(`/${relative(dist, path).replace(/index\.html$/, '')}`, answer);
  }
  host.serve('/token', { type: 'text/plain', body: organization.token });
  await host.start();
});

afterAll(() => host.stop());

const query = () => `?endpoint=${encodeURIComponent(`${inject('ledgerline').base}/graphql`)}`;

/** The log is there by a renewed token, with the columns of a list, tells of itself, and is changed by a property. */
async function expectLog(page: Page): Promise<void> {
  await expect.poll(() => rows(page).count(), { timeout: 20_000 }).toBe(5);
  expect(await page.locator('thead th[class^=column]').allInnerTexts()).toEqual(['Time', 'Actor']);
  await expect.poll(() => page.locator('output').innerText()).toBe('scim-platform');
  await page.getByRole('button', { name: 'Longer' }).click();
  await expect.poll(() => rows(page).count()).toBe(10);
}

const openPage = () => newPage({ origins: [hostOrigin()], expectedErrors: /status of 401/ });

test.each(['react', 'vue', 'svelte', 'angular'])('an application of %s shows the log', async (name) => {
  const page = await openPage();
  await page.goto(`${hostOrigin()}/${name}/${query()}`);
  await expectLog(page);
  if (name !== 'react') return;
  // Taken away and put back, it begins again.
  await page.getByRole('button', { name: 'Toggle' }).click();
  expect(await page.locator('ledgerline-log').count()).toBe(0);
  await page.getByRole('button', { name: 'Toggle' }).click();
  await expect.poll(() => rows(page).count()).toBe(10);
});

describe('an application of Next', () => {
  let server: ChildProcess;

  beforeAll(() => {
    // In the place of the other applications: that origin is the one that the service allows.
    host.stop();
    const port = String(inject('ledgerline').hostPort);
    server = spawn(join(apps, 'node_modules/.bin/next'), ['start', '--hostname', '127.0.0.1', '--port', port], {
      cwd: join(apps, 'next'),
      env: { ...process.env, READER_TOKEN: organization.token, NEXT_TELEMETRY_DISABLED: '1' },
      stdio: 'ignore',
    });
  });

  afterAll(() => server.kill());

  test('renders the tag on the server, and shows the log', async () => {
    const isUp = () =>
      fetch(`${hostOrigin()}/token`).then(
        ({ ok }) => ok,
        () => false,
      );
    await expect.poll(isUp, { timeout: 50_000 }).toBe(true);
    const html = await (await fetch(`${hostOrigin()}/${query()}`)).text();
    expect(html).toContain('<ledgerline-log class="log"></ledgerline-log>');
    const page = await openPage();
    await page.goto(`${hostOrigin()}/${query()}`);
    await expectLog(page);
  });
});

describe('the package', () => {
  const file = (name: string) => readFileSync(join(installed, name), 'utf8');

  test('does nothing on a server', () => {
    const script = `
      import { LedgerlineLog } from '@ledgerline/viewer';
      import { LedgerlineLog as Log } from '@ledgerline/viewer/react';
      import { createElement } from 'react';
      import { renderToString } from 'react-dom/server';
      const log = createElement(Log, { className: 'a', compact: true, renewToken() {}, onReady() {} });
      console.log(LedgerlineLog, renderToString(log));`;
    const said = execFileSync('node', ['--input-type=module', '--eval', script], { cwd: apps }).toString();
    expect(said.trim()).toBe('undefined <ledgerline-log class="a"></ledgerline-log>');
  });

  test('has a React component of a kilobyte, and files of the licence', () => {
    const gzipped = execFileSync('gzip', ['-c', join(installed, 'react.js')]).length;
    expect(gzipped).toBeLessThanOrEqual(1024);
    expect(file('LICENSE-MIT') + file('LICENSE-APACHE')).toContain('Permission is hereby granted');
  });

  test('describes the element as it is', () => {
    const [module] = JSON.parse(file('custom-elements.json')).modules;
    const [element] = module.declarations;
    const names = (of: { name: string }[]) => of.map(({ name }) => name).sort();
    expect(element).toEqual(manifest().modules[0]!.declarations[0]);
    expect(names(element.attributes)).toEqual(['token', ...settingNames.map(attributeOf)].sort());
    expect(names(element.members)).toEqual([...settingNames, ...ownProperties].sort());
    expect(names(element.events)).toEqual([...eventNames].sort());
    expect(element.members.filter(({ description }: { description?: string }) => !description)).toEqual([]);
    expect(element.cssProperties.length).toBeGreaterThanOrEqual(12);
    expect(file(module.path)).toContain('ledgerline-log');
  });
});
