import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { expectAccessible, newPage } from './browser.ts';
import { demoProduct, openLog, Organization, settled } from './ledgerline.ts';

let organization: Organization;
let labels: string[];

beforeAll(async () => {
  const product = await demoProduct('scim-platform');
  labels = product.actions.map(({ label }) => label);
  organization = new Organization(product);
  await organization.recordMany(6, (index) => ({ action: product.actions[index % 3]!.name }));
});

/** Opens the filter by action, whose list is long enough to have a field. */
async function openActions(page: Page) {
  await openLog(page, organization.token);
  await page.getByRole('button', { name: /^Action / }).press('Enter');
  const field = page.getByRole('combobox', { name: /^Action/ });
  await field.waitFor();
  const highlighted = async () => {
    const id = await field.getAttribute('aria-activedescendant');
    return id === null ? null : page.locator(`[id="${id}"]`);
  };
  return {
    field,
    highlighted,
    name: async () => (await (await highlighted())?.locator('bdi').first().innerText()) ?? null,
  };
}

describe('a list to choose from', () => {
  test('takes by Enter what is highlighted, and keeps the focus in its field', async () => {
    const page = await newPage();
    const { field, highlighted, name } = await openActions(page);
    expect(await field.evaluate((one) => one.matches(':focus'))).toBe(true);
    expect(await name()).toBe(null);
    await field.press('ArrowDown');
    expect(await name()).toBe('All events');
    expect(await (await highlighted())!.getAttribute('aria-selected')).toBe('true');
    await field.press('ArrowUp');
    expect(await name(), 'from the first to the last').not.toBe('All events');
    await field.press('ArrowDown');
    await field.press('ArrowDown');
    expect(await name()).toBe(labels[0]);
    await expectAccessible(page);
    await field.press('Enter');
    expect(await (await highlighted())!.getAttribute('aria-selected')).toBe('true');
    await page.getByRole('button', { name: new RegExp(`Remove filter .*${labels[0]}`) }).waitFor();
    await field.press('ArrowDown');
    await field.press('Enter');
    await page.getByRole('button', { name: 'Action 2 chosen' }).waitFor();
    await field.press('Enter');
    await page.getByRole('button', { name: `Action ${labels[0]}` }).waitFor();
    expect(await field.evaluate((one) => one.matches(':focus'))).toBe(true);
    await field.press('Escape');
    expect(await page.getByRole('listbox').count()).toBe(0);
    expect(await page.getByRole('button', { name: /^Action / }).evaluate((one) => one.matches(':focus'))).toBe(true);
  });

  test('highlights what fits what is typed', async () => {
    const page = await newPage();
    const { field, name } = await openActions(page);
    await field.fill(labels[2]!);
    expect(await name()).toBe(labels[2]);
    await field.press('Enter');
    await page.getByRole('button', { name: new RegExp(`Remove filter .*${labels[2]}`) }).waitFor();
    await field.fill('no such action');
    await field.press('Enter');
    await page.getByRole('button', { name: `Action ${labels[2]}` }).waitFor();
  });

  test('has free text as an entry of its own, which a fitting entry comes before', async () => {
    const page = await newPage();
    const product = await demoProduct('workspace');
    const label = (of: { kind: string; label: string | null }[]) => of.find(({ kind }) => kind === 'ACTION')?.label;
    const open = new Organization(product);
    await open.recordMany(3);
    await openLog(page, open.token);
    const picker = () =>
      page.getByRole('button', {
        name: new RegExp(`^${label(product.filters) ?? label(product.columns) ?? 'Action'} `),
      });
    await picker().click();
    const field = page.locator('input[role=combobox]');
    const options = () => page.locator('.option').allInnerTexts();
    await field.fill('custom.thing');
    expect((await options()).at(-1)).toBe('Use “custom.thing”');
    await field.press('Enter');
    await page.getByRole('button', { name: /Remove filter .*custom\.thing/ }).waitFor();
    await settled(page);
    // Part of a known one: that one is highlighted, and the free text is one step up, over the first.
    await picker().click();
    const known = (await page.locator('.option').nth(1).locator('bdi').first().innerText()).slice(0, 4);
    await field.fill(known);
    const id = await field.getAttribute('aria-activedescendant');
    expect(await page.locator(`[id="${id}"]`).innerText()).not.toContain('Use “');
    await field.press('ArrowUp');
    await field.press('ArrowUp');
    const own = await field.getAttribute('aria-activedescendant');
    expect(await page.locator(`[id="${own}"]`).innerText()).toBe(`Use “${known}”`);
  });

  test('has no field where it is short, and is gone through by letters', async () => {
    const page = await newPage();
    await openLog(page, (await demoProduct('capydb')).token);
    await page.getByRole('button', { name: /^(More filters|Filters)$/ }).click();
    await page.getByRole('button', { name: /^Kind of actor / }).click();
    const list = page.getByRole('listbox', { name: 'Kind of actor' });
    expect(await list.evaluate((one) => one.matches(':focus'))).toBe(true);
    const active = async () => page.locator(`[id="${await list.getAttribute('aria-activedescendant')}"]`).innerText();
    expect(await active()).toBe('All');
    await list.press('s');
    expect(await active()).toBe('System');
    await list.press('Home');
    await list.press('End');
    await expectAccessible(page);
    const last = await active();
    await list.press(' ');
    await page.getByRole('button', { name: `Kind of actor ${last}` }).waitFor();
    await page.keyboard.press('Tab');
    expect(await page.getByRole('listbox').count()).toBe(0);
  });
});
