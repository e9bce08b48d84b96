import { existsSync } from 'node:fs';
import { AxeBuilder } from '@axe-core/playwright';
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from 'playwright-core';
import { afterAll, afterEach, expect, inject } from 'vitest';

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

async function chromiumPath(): Promise<string> {
  const { CHROMIUM_PATH } = process.env;
  if (CHROMIUM_PATH) return CHROMIUM_PATH;
  if (existsSync('/usr/bin/chromium')) return '/usr/bin/chromium';
  try {
    const packaged = await import('@sparticuz/chromium');
    return await packaged.default.executablePath();
  } catch (error) {
    throw new Error(
      'no Chromium: set CHROMIUM_PATH, install the system package `chromium`, ' +
        `or run \`npm ci\` so that @sparticuz/chromium is there (${String(error)})`,
    );
  }
}

let browser: Browser | undefined;
const contexts = new Set<BrowserContext>();
let complaints: string[] = [];

afterEach(async () => {
  for (const context of contexts) {
    // A request that a test held back must not fail another test once its page is gone.
    for (const page of context.pages()) await page.unrouteAll({ behavior: 'ignoreErrors' });
    await context.close();
  }
  contexts.clear();
  const found = complaints;
  complaints = [];
  expect(found, 'console errors and requests that left the origin').toEqual([]);
});

afterAll(async () => {
  await browser?.close();
  browser = undefined;
});

export interface PageOptions extends BrowserContextOptions {
  /** Origins that the page may talk to, besides the server's own. */
  origins?: readonly string[];
  /** Console errors that the test itself provokes, such as the browser's note about a 401. */
  expectedErrors?: RegExp;
}

/** A fresh page that reports every console error and every request that leaves its origin. */
export async function newPage({ origins = [], expectedErrors, ...options }: PageOptions = {}): Promise<Page> {
  browser ??= await chromium.launch({ executablePath: await chromiumPath(), args: flags });
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    ...options,
  });
  contexts.add(context);
  const allowed = [inject('ledgerline').base, ...origins];
  await context.route(
    (address) => !allowed.includes(address.origin) && address.protocol.startsWith('http'),
    (route) => {
      complaints.push(`request to ${route.request().url()}`);
      return route.abort();
    },
  );
  const page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(`uncaught ${error.message}`));
  page.on('console', (message) => {
    if (message.type() !== 'error' || expectedErrors?.test(message.text())) return;
    complaints.push(`console: ${message.text()}`);
  });
  return page;
}

/** Fails with every rule of WCAG 2.2 AA that axe finds broken on the page as it stands. */
export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join('\n  ')}`);
  expect(found).toEqual([]);
}

/** Keeps a picture for people to look at. */
export async function keepPicture(page: Page, name: string, fullPage = false): Promise<void> {
  await page.screenshot({ path: `test-results/${name}.png`, fullPage });
}
