import { writeFileSync } from 'node:fs';
import type { CDPSession, Page } from 'playwright-core';
import { afterAll, inject, test } from 'vitest';
import { newPage } from './browser.ts';
import { demoProduct, openLog, Organization, rows, settled } from './ledgerline.ts';

const report: Record<string, unknown> = {};
afterAll(() => {
  writeFileSync('test-results/speed.json', `${JSON.stringify(report, null, 2)}\n`);
  console.log(report);
});

const slowdown = 4;
const pagesWalked = 1000;

test('first row after navigation, with the processor slowed down', async () => {
  const { token } = await demoProduct('scim-platform');
  const times: number[] = [];
  for (let run = 0; run < 5; run++) {
    const page = await newPage();
    const session = await page.context().newCDPSession(page);
    await session.send('Emulation.setCPUThrottlingRate', { rate: slowdown });
    await page.goto(`${inject('ledgerline').base}/#token=${token}`, { waitUntil: 'commit' });
    await rows(page).first().waitFor();
    times.push(await page.evaluate(() => performance.now()));
    // A slowed page keeps a core busy, and would slow the next one further.
    await page.context().close();
  }
  report[`firstRowMs (processor ${slowdown} times slower)`] = times.map(Math.round);
});

test('from the answer to a filter to its rows', async () => {
  const { token } = await demoProduct('scim-platform');
  const page = await newPage();
  await page.addInitScript(noteWhenAnswersAreShown);
  await openLog(page, token);
  for (const text of ['a', 'log', 'user', 'role', '']) {
    await page.getByRole('combobox', { name: 'Search' }).fill(text);
    await page.waitForTimeout(500);
  }
  report.shownAfterAnswerMs = await page.evaluate(() => (window as any).shownAfterMs.map(Math.round));
});

test('memory while pages are walked', async () => {
  const organization = new Organization(await demoProduct('cloud-sessions'));
  await organization.recordMany(120);
  const page = await newPage();
  await openLog(page, organization.token);
  const session = await page.context().newCDPSession(page);
  await walk(page, 50);
  const before = await memory(session);
  await walk(page, pagesWalked);
  report.memory = { pagesWalked, before, after: await memory(session) };
});

/** Runs in the page: the time from each answer to the first frame that shows its rows. */
function noteWhenAnswersAreShown(): void {
  const original = window.fetch;
  const times: number[] = ((window as any).shownAfterMs = []);
  window.fetch = async (...request) => {
    const response = await original(...request);
    const results = document.querySelector('ledgerline-log')?.shadowRoot?.querySelector('.results');
    if (results && String(request[1]?.body).includes('query Page')) {
      const answered = performance.now();
      const observer = new MutationObserver(() => {
        if (results.getAttribute('aria-busy') !== 'false') return;
        observer.disconnect();
        requestAnimationFrame(() => times.push(performance.now() - answered));
      });
      observer.observe(results, { attributes: true });
    }
    return response;
  };
}

/** There and back through the pages; each is waited for by its number. */
async function walk(page: Page, count: number): Promise<void> {
  let direction: 'Next' | 'Previous' = 'Next';
  for (let turned = 0; turned < count; turned++) {
    const button = page.getByRole('button', { name: direction, exact: true });
    if (await button.isDisabled()) direction = direction === 'Next' ? 'Previous' : 'Next';
    const before = await page.locator('.position').innerText();
    await page.getByRole('button', { name: direction, exact: true }).click();
    await page.locator('.position').filter({ hasNotText: before }).waitFor();
    await settled(page);
  }
}

async function memory(session: CDPSession): Promise<Record<string, number>> {
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  const { nodes, jsEventListeners } = await session.send('Memory.getDOMCounters');
  return { heapKiB: Math.round(usedSize / 1024), nodes, jsEventListeners };
}
