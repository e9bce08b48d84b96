// Labels of the product's file, in the reader's language where the file has them.
import { beforeAll, expect, test } from 'vitest';
import type { Page } from 'playwright-core';
import { expectAccessible, keepPicture, newPage } from './browser.ts';
import { demoProduct, openLog, Organization, rows } from './ledgerline.ts';

let organization: Organization;

beforeAll(async () => {
  organization = new Organization(await demoProduct('capydb'));
  const minutes = (ago: number) => new Date(Date.now() - ago * 60_000).toISOString();
  await organization.record([
    {
      action: 'project.credentials_rotated',
      actor: { kind: 'STAFF', id: 's_1' },
      log: { level: 'project', id: 'p_1', name: 'Apollo' },
      occurredAt: minutes(1),
    },
    { action: 'cutover.acked', actor: { kind: 'USER', id: 'u_1', name: 'Ada' }, occurredAt: minutes(2) },
  ]);
});

const heads = (page: Page) => page.locator('th').allInnerTexts();
const first = (page: Page) => rows(page).first();

test('are the page’s language, and those that are missing as in the file', async () => {
  const page = await newPage({ locale: 'de-AT' });
  await openLog(page, organization.token);
  expect((await heads(page)).slice(0, 5)).toEqual(['Zeit', 'Wer', 'Aktion', 'Projekt', 'Einzelheiten']);
  await expect.poll(() => page.locator('h1').innerText()).toBe('Audit-Log');
  await expect.poll(() => page.title()).toBe('Audit-Log');
  await expect.poll(() => first(page).innerText()).toContain('Zugangsdaten erneuert');
  expect(await first(page).innerText()).toContain('Betrieb der Plattform');
  // They are what is chosen from, what is searched, and what chips say.
  await page.getByRole('button', { name: 'Filter', exact: true }).click();
  await page.getByRole('button', { name: /^Aktion/ }).click();
  const choice = page.locator('.panel .option', { hasText: 'Umschaltung bestätigt' });
  await choice.waitFor();
  await choice.click();
  await page.keyboard.press('Escape');
  await expect.poll(() => rows(page).count()).toBe(1);
  await expect.poll(() => page.locator('.box .chips').innerText()).toContain('Umschaltung bestätigt');
  await keepPicture(page, 'labels-de');
  const beyond = await page.locator('.filter-row .picker').evaluateAll(
    (fields) =>
      fields.filter((field) => {
        const [own, choice] = [field, field.querySelector('.choice')!].map((one) => one.getBoundingClientRect());
        return choice!.right > own!.right + 1;
      }).length,
  );
  expect(beyond, 'a long label stays within its field').toBe(0);
  await expectAccessible(page);
  await openLog(page, organization.token, '?q=zugangsdaten');
  await expect.poll(() => rows(page).count()).toBe(1);
  await first(page).locator('.opener').click();
  await expect.poll(() => page.locator('.details').innerText()).toContain('Zugangsdaten erneuert');
  // An English reader finds it by the same words, and reads it in English.
  await openLog(page, organization.token, '?lang=en&q=zugangsdaten');
  await expect.poll(() => first(page).innerText()).toContain('Rotated credentials');
  expect((await heads(page)).slice(0, 3)).toEqual(['Time', 'Actor', 'Action']);
});

test('stand from right to left, and change with the language', async () => {
  const page = await newPage({ viewport: { width: 780, height: 800 } });
  await openLog(page, organization.token, '?lang=ar');
  await expect.poll(() => page.locator('h1').innerText()).toBe('سجل التدقيق');
  expect((await heads(page)).slice(0, 3)).toEqual(['الوقت', 'الفاعل', 'الإجراء']);
  await expect.poll(() => first(page).innerText()).toContain('جُدّدت بيانات الدخول');
  expect(await rows(page).nth(1).innerText(), 'Arabic has no words for it').toContain('Acknowledged a cutover');
  await keepPicture(page, 'labels-ar-780');
  await expectAccessible(page);
  await page.setViewportSize({ width: 360, height: 800 });
  await keepPicture(page, 'labels-ar-360');
  const log = page.locator('ledgerline-log');
  await log.evaluate((element) => element.setAttribute('locale', 'de'));
  await expect.poll(() => first(page).innerText()).toContain('Zugangsdaten erneuert');
  await log.evaluate((element) => element.setAttribute('locale', 'ko'));
  await expect.poll(() => first(page).innerText()).toContain('Rotated credentials');
});
