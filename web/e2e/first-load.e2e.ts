// What has to be loaded before there are rows, and what comes after them.
import { gzipSync } from 'node:zlib';
import type { Page, Response, Route } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { newPage } from './browser.ts';
import { element, Host, hostOrigin } from './host.ts';
import { demoProduct, openLog, rows, settled } from './ledgerline.ts';

/** 45 KiB, packed: script and style of the hosted page, and of the element. */
const most = 45 * 1024;

const asks = (route: Route, name: string) => (route.request().postData() ?? '').includes(`query ${name}`);

const host = new Host();
let token: string;

beforeAll(async () => {
  ({ token } = await demoProduct('scim-platform'));
  await host.start();
});

afterAll(() => host.stop());

/** Holds the rows back for as long as it takes to see that nothing more is loaded, and says what there was. */
async function loadedBeforeRows(page: Page, address: string): Promise<Map<string, number>> {
  const files: Response[] = [];
  page.on('response', (response) => {
    if (['script', 'stylesheet'].includes(response.request().resourceType())) files.push(response);
  });
  let show = () => {};
  const held = new Promise<void>((resolve) => (show = resolve));
  let isAsked = false;
  await page.route('**/graphql', async (route) => {
    if (asks(route, 'Page')) {
      isAsked = true;
      await held;
    }
    await route.continue();
  });
  await page.goto(address);
  await expect.poll(() => isAsked, { timeout: 10_000 }).toBe(true);
  await page.waitForTimeout(1000);
  const sizes = await Promise.all(
    files.map(
      async (file) => [new URL(file.url()).pathname, gzipSync(await file.body(), { level: 9 }).length] as const,
    ),
  );
  show();
  await settled(page);
  expect(await rows(page).count()).toBe(25);
  return new Map(sizes);
}

const total = (sizes: ReadonlyMap<string, number>) => [...sizes.values()].reduce((sum, size) => sum + size, 0);

describe('before the first rows', () => {
  test('the hosted page has loaded one script and one style, of 45 KiB at most', async () => {
    const page = await newPage();
    const sizes = await loadedBeforeRows(page, `${inject('ledgerline').base}/log#token=${token}`);
    expect([...sizes.keys()].map((path) => path.replace(/-[\w-]{8}\./, '.')).sort()).toEqual([
      '/assets/viewer.css',
      '/assets/viewer.js',
    ]);
    expect(total(sizes), JSON.stringify([...sizes])).toBeLessThanOrEqual(most);
  });

  test('the element has loaded one script, of 45 KiB at most', async () => {
    const page = await newPage({ origins: [hostOrigin()] });
    host.page(
      '/first',
      `<main><h1>Settings</h1><script type="module" src="${element()}"></script>
       <ledgerline-log token="${token}"></ledgerline-log></main>`,
    );
    const sizes = await loadedBeforeRows(page, `${hostOrigin()}/first`);
    expect([...sizes.keys()]).toEqual(['/embed/ledgerline-log.js']);
    expect(total(sizes), JSON.stringify([...sizes])).toBeLessThanOrEqual(most);
  });
});

test('nothing moves when the rest comes', async () => {
  const page = await newPage();
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/assets/{Histogram,printStyle,en}-*.js', async (route) => {
    await held;
    await route.continue();
  });
  await openLog(page, token);
  const places = () =>
    page.locator('ledgerline-log').evaluate((log) =>
      ['.toolbar', '.histogram', '.drawing', '.results', 'tr.row', '.pager'].map((part) => {
        const { x, y, width, height } = log.shadowRoot!.querySelector(part)!.getBoundingClientRect();
        return [part, x, y, width, height].join(' ');
      }),
    );
  await page.locator('.total', { hasText: /\d/ }).waitFor();
  const before = await places();
  expect(await page.locator('.bars').count()).toBe(0);
  release();
  await page.locator('.bars .bar').first().waitFor();
  expect(await places()).toEqual(before);
});

test.each(['Histogram', 'en'])('%s fails once, says so in its place, and comes at a press', async (name) => {
  const page = await newPage({ expectedErrors: /Failed to load resource|ERR_FAILED/ });
  let failing = true;
  await page.route(`**/assets/${name}-*.js*`, (route) => (failing ? route.abort() : route.continue()));
  await openLog(page, token);
  const failed = page.locator('.histogram .part-failed');
  await failed.getByText('This part of the page could not be loaded.').waitFor();
  expect(await rows(page).count(), 'the rows are there all the same').toBe(25);
  await failed.getByRole('button', { name: 'Try again' }).click();
  await failed.waitFor();
  failing = false;
  await failed.getByRole('button', { name: 'Try again' }).click();
  await page.locator('.bars .bar').first().waitFor();
  expect(await failed.count()).toBe(0);
});

test('the style of the details fails once, and nothing is shown without it', async () => {
  const page = await newPage({ expectedErrors: /Failed to load resource|ERR_FAILED/ });
  let failing = true;
  await page.route('**/assets/detailsStyle-*.js*', (route) => (failing ? route.abort() : route.continue()));
  await openLog(page, token);
  await rows(page).first().click();
  const failed = page.locator('.panel-details .part-failed');
  await failed.getByText('This part of the page could not be loaded.').waitFor();
  failing = false;
  await failed.getByRole('button', { name: 'Try again' }).click();
  await page.locator('.panel-details .details').waitFor();
  expect(await page.locator('.panel-details .details').evaluate((part) => getComputedStyle(part).display)).toBe('grid');
});
