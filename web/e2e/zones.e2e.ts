// Times in the zones of the world and in three ways of writing them: none is wrapped, and none is cut.
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { newPage } from './browser.ts';
import { lettersAreThere, useFonts } from './fonts.ts';
import { demoProduct, openLog, Organization } from './ledgerline.ts';

const zones = [
  'UTC',
  'Pacific/Apia',
  'Pacific/Kiritimati',
  'Pacific/Pago_Pago',
  'Pacific/Marquesas',
  'Pacific/Chatham',
  'America/Los_Angeles',
  'America/New_York',
  'America/St_Johns',
  'America/Sao_Paulo',
  'America/Argentina/ComodRivadavia',
  'Atlantic/Azores',
  'Europe/London',
  'Europe/Berlin',
  'Africa/Cairo',
  'Asia/Beirut',
  'Asia/Tehran',
  'Asia/Kathmandu',
  'Asia/Tokyo',
  'Australia/Lord_Howe',
  'Antarctica/Troll',
];

let token: string;

beforeAll(async () => {
  const organization = new Organization(await demoProduct('scim-platform'));
  // All hours of a day, so that some are late in the evening in every zone: those have the longest texts.
  await organization.recordMany(12, (index) => ({
    occurredAt: new Date(Date.now() - index * 2 * 3_600_000).toISOString(),
  }));
  ({ token } = organization);
});

/** What is wrong with the times on the page. */
const faults = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const root = document.querySelector('ledgerline-log')!.shadowRoot!;
    return [
      ...root.querySelectorAll('tr.row time, .zone bdi, .summary-line .span bdi, figcaption bdi, .day td'),
    ].flatMap((part) => {
      const range = document.createRange();
      range.selectNodeContents(part);
      const boxes = [...range.getClientRects()].filter(({ width }) => width > 0.5);
      const lines = new Set(boxes.map(({ bottom }) => Math.round(bottom / 8)));
      const holder = part.closest('td, figcaption, .summary-line')!.getBoundingClientRect();
      const isOut = boxes.some(({ left, right }) => left < holder.left - 1 || right > holder.right + 1);
      const found = [lines.size > 1 && part.matches('time') && 'wrapped', isOut && 'cut'];
      return found.filter(Boolean).map((fault) => `${fault}: ${part.textContent}`);
    });
  });

test('there are 21 of them', () => expect(new Set(zones).size).toBe(21));

test.each(['en-US', 'de-DE', 'ar-EG'])('%s', { timeout: 300_000 }, async (locale) => {
  const page = await newPage({ locale, bypassCSP: true, viewport: { width: 780, height: 900 } });
  await useFonts(page, locale.slice(0, 2));
  await openLog(page, token);
  const log = page.locator('ledgerline-log');
  for (const zone of zones) {
    await log.evaluate((element, name) => element.setAttribute('time-zone', name), zone);
    await page.locator('.zone', { hasText: zone }).waitFor();
    await lettersAreThere(page);
    for (const width of [1280, 780, 360]) {
      await page.setViewportSize({ width, height: 900 });
      // Rows are gone for a moment where the list is asked for anew.
      await expect.poll(() => page.locator('.results[aria-busy=false] tr.row').count()).toBe(12);
      expect(await faults(page), `${zone} at ${width} px`).toEqual([]);
    }
  }
  // A column that is too narrow would be found.
  await log.evaluate((element) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync('.two-lined td, .line, time { inline-size: 1.5rem; white-space: normal !important }');
    element.shadowRoot!.adoptedStyleSheets.push(sheet);
  });
  await expect.poll(async () => (await faults(page)).join()).toMatch(/wrapped|cut/);
});
