import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { expectAccessible, newPage } from './browser.ts';
import { demoProduct, demoProducts, openLog, Organization, rows, settled } from './ledgerline.ts';

const actors = (page: Page) => page.locator('tr.row .column-actor .main > bdi').allInnerTexts();
const names = (from: number, to: number) =>
  Array.from({ length: from - to + 1 }, (_, index) => `Person ${from - index}`);

async function productWith(paging: string) {
  const product = [...(await demoProducts()).values()].find((one) => one.paging === paging);
  if (!product) throw new Error(`no product of the demo pages by ${paging}`);
  return product;
}

async function turn(page: Page, button: 'Next' | 'Previous', expected: RegExp): Promise<void> {
  await page.getByRole('button', { name: button, exact: true }).click();
  await page.locator('.position', { hasText: expected }).waitFor();
  await settled(page);
}

describe('pages', () => {
  test('show every event once, there and back, while others arrive', async () => {
    const organization = new Organization(await productWith('PAGES'));
    await organization.recordMany(60);
    const page = await newPage();
    await openLog(page, organization.token);
    expect(await actors(page)).toEqual(names(60, 36));
    await page.locator('.position', { hasText: '1 to 25 of 60' }).waitFor();
    expect(await page.getByRole('button', { name: 'Previous', exact: true }).isDisabled()).toBe(true);

    await organization.recordMany(3, (index) => ({
      actor: { kind: 'SERVICE', name: `Late ${index}` },
      occurredAt: new Date().toISOString(),
    }));
    await turn(page, 'Next', /^26 to 50 of 60$/);
    expect(await actors(page)).toEqual(names(35, 11));
    await turn(page, 'Next', /^51 to 60 of 60$/);
    expect(await actors(page)).toEqual(names(10, 1));
    expect(await page.getByRole('button', { name: 'Next', exact: true }).isDisabled()).toBe(true);
    await turn(page, 'Previous', /^26 to 50 of 60$/);
    expect(await actors(page)).toEqual(names(35, 11));
    await turn(page, 'Previous', /^1 to 25 of 60$/);
    expect(await actors(page)).toEqual(names(60, 36));
  });

  test('stand in the address: Back returns, a link shares the page', async () => {
    const organization = new Organization(await productWith('PAGES'));
    await organization.recordMany(30);
    const page = await newPage();
    await openLog(page, organization.token);
    await turn(page, 'Next', /^26 to 30 of 30$/);
    const link = new URL(page.url()).search;
    await page.goBack();
    await page.locator('.position', { hasText: /^1 to 25 of 30$/ }).waitFor();
    expect(await actors(page)).toHaveLength(25);

    const shared = await newPage();
    await openLog(shared, organization.token, link);
    expect(await actors(shared)).toEqual(names(5, 1));
    await shared.locator('.position', { hasText: /^26 to 30 of 30$/ }).waitFor();
  });

  test('begin again where the link’s cursor no longer fits', async () => {
    const organization = new Organization(await productWith('PAGES'));
    await organization.recordMany(3);
    const page = await newPage();
    await openLog(page, organization.token, '?after=bm8gY3Vyc29y');
    await expect.poll(() => actors(page)).toEqual(names(3, 1));
    expect(new URL(page.url()).search).toBe('');
  });

  test('turn by the arrow keys', async () => {
    const organization = new Organization(await productWith('PAGES'));
    await organization.recordMany(30);
    const page = await newPage();
    await openLog(page, organization.token);
    await page.locator('.opener').first().focus();
    await page.keyboard.press('ArrowRight');
    await page.locator('.position', { hasText: /^26 to 30 of 30$/ }).waitFor();
    await page.keyboard.press('ArrowLeft');
    await page.locator('.position', { hasText: /^1 to 25 of 30$/ }).waitFor();
  });
});

test('more is loaded below, each event once', async () => {
  const organization = new Organization(await productWith('MORE'));
  await organization.recordMany(60);
  const page = await newPage();
  await openLog(page, organization.token);
  await page.locator('.position', { hasText: '1 to 25 of 60' }).waitFor();
  await page.getByRole('button', { name: 'Load more' }).click();
  await page.locator('.position', { hasText: '1 to 50 of 60' }).waitFor();
  await page.getByRole('button', { name: 'Load more' }).click();
  await page.locator('.position', { hasText: '1 to 60 of 60' }).waitFor();
  expect(await actors(page)).toEqual(names(60, 1));
  expect(await page.getByRole('button', { name: 'Load more' }).count()).toBe(0);
  expect(await page.locator('.results:focus').count(), 'the focus is somewhere').toBe(1);
});

test('new events are announced without moving the page', async () => {
  const organization = new Organization(await demoProduct('workspace'));
  await organization.recordMany(5);
  const page = await newPage();
  await openLog(page, organization.token);
  await page.getByRole('button', { name: 'Live', exact: true }).click();
  await page.getByRole('button', { name: 'Paused' }).waitFor();
  await organization.recordMany(2, (index) => ({
    actor: { kind: 'USER', name: `New ${index}` },
    occurredAt: new Date().toISOString(),
  }));
  const news = page.getByRole('button', { name: '2 new events · Show' });
  await news.waitFor({ timeout: 20_000 });
  expect(await rows(page).count()).toBe(5);
  expect(await page.getByRole('status').first().innerText()).toBe('2 new events');
  await expectAccessible(page);
  await news.click();
  await expect.poll(() => rows(page).count()).toBe(7);
  expect(await news.count()).toBe(0);
});
