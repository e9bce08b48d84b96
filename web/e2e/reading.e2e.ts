import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { expectAccessible, keepPicture, newPage } from './browser.ts';
import { demoProduct, openLog, Organization, rows, settled } from './ledgerline.ts';

const metadataText =
  '{"provider": "GitHub", "big": 12345678901234567890, "price": 1.10, "deep": {"labels": ["red", "grün"], "on": true}}';
const longId = `res_${'x'.repeat(1990)}`;

let organization: Organization;

beforeAll(async () => {
  const product = await demoProduct('scim-platform');
  organization = new Organization(product);
  await organization.recordMany(30, (index) =>
    index === 29
      ? {
          actor: { kind: 'USER', id: 'user_layla', name: 'ليلى <b>حسن</b>', email: 'layla@example.com' },
          resources: [
            { type: 'project', id: longId, name: '東京 – “Ångström”' },
            { type: 'group', id: 'g_1' },
          ],
          ipAddress: '203.0.113.9',
          userAgent: 'Mozilla/5.0',
          correlationId: 'job_9',
          metadataText,
        }
      : index === 28
        ? { actor: { kind: 'ANONYMOUS' }, resources: undefined, metadata: undefined }
        : index === 27
          ? { correlationId: 'c'.repeat(2100) }
          : {},
  );
});

async function open(query = '', options = {}): Promise<Page> {
  const page = await newPage(options);
  await openLog(page, organization.token, query);
  return page;
}

describe('a row', () => {
  test('opens to everything that was recorded, exactly', async () => {
    const page = await open('', { permissions: ['clipboard-read', 'clipboard-write'] });
    await rows(page).first().click();
    const details = page.locator('.details');
    for (const text of ['12345678901234567890', '1.10', 'grün', 'job_9', 'g_1', 'ليلى <b>حسن</b>', '203.0.113.9']) {
      await expect.poll(() => details.innerText()).toContain(text);
    }
    expect(await details.locator('code', { hasText: 'UTC' }).count()).toBe(2);
    await expectAccessible(page);
    await keepPicture(page, 'row-open');

    await page.getByRole('button', { name: 'Copy as JSON' }).click();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied, 'the metadata is exact').toContain(`"metadata": ${metadataText}`);
    expect(JSON.parse(copied), 'and the whole event is there').toMatchObject({
      actor: { externalId: 'user_layla', name: 'ليلى <b>حسن</b>' },
      resources: [{ type: 'project', externalId: longId }, { type: 'group' }],
      correlationId: 'job_9',
      sequence: expect.any(String),
    });
    await page.getByRole('status').filter({ hasText: 'Copied' }).waitFor();
  });

  test('is shared by a link, also into a list that does not hold it', async () => {
    const page = await open('', { permissions: ['clipboard-read', 'clipboard-write'] });
    await rows(page).first().click();
    await page.getByRole('button', { name: 'Copy link' }).click();
    const link = new URL(await page.evaluate(() => navigator.clipboard.readText()));
    expect(link.href).not.toContain('token');

    const shared = await open(link.search);
    await shared.locator('tr.row.open').waitFor();
    await expect.poll(() => shared.locator('.details').innerText()).toContain('12345678901234567890');

    const elsewhere = new URLSearchParams(link.search);
    elsewhere.set('email-contains', 'person@');
    const far = await open(`?${elsewhere}`);
    await far.getByRole('region', { name: 'Linked event' }).waitFor();
    await expect.poll(() => far.locator('.linked').innerText()).toContain('12345678901234567890');
    await expectAccessible(far);
    await far.getByRole('button', { name: 'Close details' }).click();
    expect(await far.locator('.linked').count()).toBe(0);
  });

  test('that does not exist is said to be missing', async () => {
    const page = await open('?event=event_that_never_was');
    await page.getByText('The linked event does not exist').waitFor();
  });

  test('says beside a value that it was cut', async () => {
    const page = await open();
    await rows(page).nth(2).click();
    const mark = page.locator('.details .cut');
    await expect.poll(() => mark.allInnerTexts()).toEqual(['cut']);
    expect(await mark.getAttribute('title')).toContain('correlationId');
    await expectAccessible(page);
  });

  test('with hardly anything in it is clean', async () => {
    const page = await open();
    const sparse = rows(page).nth(1);
    expect(await sparse.locator('.column-resource').innerText()).toContain('–');
    expect(await sparse.innerText()).not.toMatch(/null|undefined|NaN|Invalid/);
  });
});

test('the keyboard does what the mouse does', async () => {
  const page = await open();
  await page.locator('body').press('/');
  const search = page.getByRole('combobox', { name: 'Search' });
  expect(await search.evaluate((field) => field.matches(':focus'))).toBe(true);
  await page.keyboard.type('a/b');
  expect(await search.inputValue()).toBe('a/b');
  await page.keyboard.press('Escape');
  expect(await search.inputValue()).toBe('');

  await page.locator('.opener').first().focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  expect(await rows(page).nth(2).getAttribute('class')).toContain('open');
  expect(await page.locator('.opener[tabindex="0"]').count()).toBe(1);
  await page.keyboard.press('Escape');
  expect(await page.locator('.details').count()).toBe(0);
  await page.keyboard.press('End');
  const focused = () =>
    page.locator('.opener:focus').evaluate((button) => button.closest('tr')!.matches('tr:last-child'));
  expect(await focused()).toBe(true);
});

test('Back undoes filters one by one, and a burst of typing as one', async () => {
  const page = await open();
  const start = page.url();
  await page.getByRole('combobox', { name: 'Search' }).pressSequentially('person', { delay: 250 });
  await expect.poll(() => new URL(page.url()).search).toBe('?q=person');
  await rows(page).first().click();
  await page.goBack();
  await expect.poll(() => new URL(page.url()).search).toBe('?q=person');
  await page.goBack();
  await expect.poll(() => page.url()).toBe(start);
  await expect.poll(() => page.getByRole('combobox', { name: 'Search' }).inputValue()).toBe('');
});

test('the other address answers too, and no token stays in any', async () => {
  const page = await newPage();
  await page.goto(`${inject('ledgerline').base}/settings/audit-log#token=${organization.token}`);
  await settled(page);
  expect(await rows(page).count()).toBe(25);
  expect(page.url()).toBe(`${inject('ledgerline').base}/settings/audit-log`);
});

test('it speaks German', async () => {
  const page = await open('', { locale: 'de-DE' });
  // Its own words are German; the product's heading is the product's.
  await page.getByRole('heading', { name: 'Audit Log' }).waitFor();
  await page.getByRole('combobox', { name: 'Suche' }).waitFor();
  expect(await page.locator('.position').innerText()).toBe('1 bis 25 von 30');
  expect(await page.locator('html').getAttribute('lang')).toBe('de');
  await expectAccessible(page);
});

test('it reads from right to left', async () => {
  const page = await open();
  await page.evaluate(() => document.querySelector('ledgerline-log')!.setAttribute('dir', 'rtl'));
  const [opener, table] = await Promise.all([
    page.locator('.opener').first().boundingBox(),
    page.locator('table').boundingBox(),
  ]);
  expect(opener!.x).toBeLessThan(table!.x + table!.width / 2);
  await rows(page).first().click();
  await expectAccessible(page);
  await keepPicture(page, 'right-to-left');
});

test('it moves nothing where motion is not wanted', async () => {
  const page = await open('', { reducedMotion: 'reduce' });
  const moving = await page.evaluate(() => document.getAnimations().length);
  expect(moving).toBe(0);
});
