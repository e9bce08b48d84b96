// Views of the list that are saved, by name, and opened again.
import type { Page, Route } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { expectAccessible, keepPicture, newPage } from './browser.ts';
import { ask, demoProduct, openLog, Organization, rows, settled } from './ledgerline.ts';

async function filled(name = 'scim-platform'): Promise<Organization> {
  const organization = new Organization(await demoProduct(name));
  await organization.recordMany(12, (index) => ({
    actor: { kind: 'USER', id: `u_${index % 3}`, name: `Person ${index % 3}` },
    ...(index % 3 === 0 ? { outcome: 'FAILURE' } : {}),
  }));
  return organization;
}

/** Somebody who manages the log, and somebody who reads it. */
const ada = (organization: Organization) =>
  organization.tokenWith({ scopes: 'audit:read audit:record audit:manage', subject: 'ada' });
const bob = (organization: Organization) => organization.tokenWith({ scopes: 'audit:read', subject: 'bob' });

const views = async (token: string) =>
  (await ask(token, '{ auditSavedViews { label query shared } }')).auditSavedViews as {
    label: string;
    query: string;
    shared: boolean;
  }[];

async function save(token: string, label: string, query: string, shared = false): Promise<void> {
  await ask(token, 'mutation ($input: CreateSavedViewInput!) { createSavedView(input: $input) { view { id } } }', {
    input: { label, query, shared },
  });
}

const menu = (page: Page) => page.getByRole('button', { name: 'More', exact: true });
const option = (page: Page) => page.getByRole('button', { name: 'Saved views…' });
const dialog = (page: Page) => page.getByRole('dialog');
const list = (page: Page) => dialog(page).getByRole('list', { name: 'Saved views' });
const button = (page: Page, name: string) => dialog(page).getByRole('button', { name, exact: true });
const field = (page: Page) => dialog(page).getByLabel('Name', { exact: true });
const said = (page: Page, text: string) => dialog(page).getByRole('status').getByText(text, { exact: true }).waitFor();

async function openViews(page: Page): Promise<void> {
  await menu(page).click();
  await option(page).click();
  await dialog(page).getByRole('heading', { name: 'Saved views' }).waitFor();
}

/** The names in the list, each with what stands beside it. */
const listed = (page: Page) => list(page).locator('.option').allInnerTexts();

const parameters = (page: Page) => Object.fromEntries(new URL(page.url()).searchParams);

const asks = (route: Route, name: string) => (route.request().postData() ?? '').includes(name);

describe('a view', () => {
  test('is saved by name, and opened after a reload with its whole question', { timeout: 60_000 }, async () => {
    const organization = await filled();
    const token = ada(organization);
    const page = await newPage();
    await openLog(page, token, '?outcome=FAILURE&q=person+resource:doc_1&not-actor=u_2&period=LAST_15_MINUTES');
    const before = parameters(page);
    await openViews(page);
    await dialog(page).getByText('Nothing is saved yet.').waitFor();
    await expect.poll(() => button(page, 'Save this view…').evaluate((one) => one.matches(':focus'))).toBe(true);
    await expectAccessible(page);
    await keepPicture(page, 'views-empty');
    await page.keyboard.press('Enter');
    await dialog(page).getByRole('heading', { name: 'Save this view' }).waitFor();
    await expect.poll(() => field(page).evaluate((one) => one.matches(':focus'))).toBe(true);
    expect(await dialog(page).locator('.alert-filters li').allInnerTexts()).toContain('Time range: Last 15 minutes');
    await field(page).fill('Failures, lately');
    await expectAccessible(page);
    await keepPicture(page, 'views-save');
    await page.keyboard.press('Enter');
    await said(page, '“Failures, lately” is saved.');
    await expect.poll(() => listed(page)).toEqual(['Failures, lately']);
    expect(await list(page).locator('.option').getAttribute('aria-current'), 'it is what the list shows').toBe('true');
    await keepPicture(page, 'views-one');
    const [saved] = await views(token);
    expect(Object.fromEntries(new URLSearchParams(saved!.query))).toMatchObject({
      outcome: 'FAILURE',
      period: 'LAST_15_MINUTES',
      'not-actor': 'u_2',
    });
    expect(saved!.shared).toBe(false);

    await openLog(page, token);
    await expect.poll(() => rows(page).count()).toBeGreaterThan(4);
    await openViews(page);
    await button(page, 'Failures, lately').click();
    await dialog(page).waitFor({ state: 'detached' });
    await settled(page);
    await expect.poll(() => parameters(page)).toEqual({ ...before, tz: 'Europe/Berlin' });
    await expect.poll(() => page.getByRole('button', { name: /^Time range/ }).innerText()).toBe('Last 15 minutes');
    await expect.poll(() => menu(page).evaluate((one) => one.matches(':focus'))).toBe(true);
    // It is a step of the browser's history, as every change of the list is.
    await page.goBack();
    await expect.poll(() => parameters(page)).toEqual({});
  });

  test('that is private is its owner’s alone, and one that is shared is everybody’s', async () => {
    const organization = await filled();
    const page = await newPage();
    await openLog(page, ada(organization), '?outcome=FAILURE');
    await openViews(page);
    await button(page, 'Save this view…').click();
    await field(page).fill('Only mine');
    await button(page, 'Save').click();
    await said(page, '“Only mine” is saved.');
    await button(page, 'Save this view…').click();
    await field(page).fill('For all of us');
    await dialog(page).getByLabel('Share with everyone who reads this log').check();
    await button(page, 'Save').click();
    await said(page, '“For all of us” is saved.');
    await expect.poll(() => listed(page)).toEqual(['Only mine', 'For all of us\nshared']);

    const other = await newPage();
    await openLog(other, bob(organization));
    await openViews(other);
    await expect.poll(() => listed(other)).toEqual(['For all of us\nshared']);
    expect(await list(other).getByRole('button').count(), 'nothing can be done with it but open it').toBe(1);
    await button(other, 'Save this view…').click();
    await field(other).waitFor();
    expect(await dialog(other).getByRole('checkbox').count(), 'who reads alone shares nothing').toBe(0);
    await button(other, 'Cancel').click();
    await list(other).locator('.option').click();
    await expect.poll(() => parameters(other)).toEqual({ outcome: 'FAILURE' });
    await expect.poll(() => rows(other).count()).toBe(4);
  });

  test(
    'is renamed, asks for something else, is kept private again, and deleted after a question',
    { timeout: 60_000 },
    async () => {
      const organization = await filled();
      const token = ada(organization);
      await save(token, 'Old name', 'outcome=SUCCESS', true);
      const page = await newPage();
      await openLog(page, token, '?outcome=FAILURE');
      await openViews(page);
      await button(page, 'Edit “Old name”').click();
      await dialog(page).getByRole('heading', { name: 'Edit “Old name”' }).waitFor();
      await expect.poll(() => field(page).inputValue()).toBe('Old name');
      await field(page).fill('New name');
      await button(page, 'Save').click();
      await said(page, '“New name” is saved.');
      expect(await views(token)).toEqual([{ label: 'New name', query: 'outcome=SUCCESS', shared: true }]);
      await button(page, 'Edit “New name”').click();
      await dialog(page).getByLabel('Replace it with what the list shows now').check();
      await dialog(page).getByLabel('Share with everyone who reads this log').uncheck();
      await expectAccessible(page);
      await keepPicture(page, 'views-edit');
      await button(page, 'Save').click();
      await said(page, '“New name” is saved.');
      expect(await views(token)).toEqual([{ label: 'New name', query: 'outcome=FAILURE', shared: false }]);

      await button(page, 'Edit “New name”').click();
      await button(page, 'Delete').click();
      await dialog(page).getByRole('heading', { name: 'Delete “New name”?' }).waitFor();
      await expect.poll(() => button(page, 'Cancel').evaluate((one) => one.matches(':focus'))).toBe(true);
      await expectAccessible(page);
      await keepPicture(page, 'views-delete');
      await button(page, 'Cancel').click();
      expect(await views(token)).toHaveLength(1);
      await button(page, 'Edit “New name”').click();
      await button(page, 'Delete').click();
      await button(page, 'Delete').click();
      await said(page, '“New name” is deleted.');
      await dialog(page).getByText('Nothing is saved yet.').waitFor();
      expect(await views(token)).toEqual([]);
    },
  );

  test('says what is wrong with it in the reader’s words, and keeps what was typed', { timeout: 60_000 }, async () => {
    const organization = await filled();
    const token = ada(organization);
    await save(token, 'There', 'outcome=SUCCESS');
    const page = await newPage({ expectedErrors: /Failed to load resource/ });
    await openLog(page, token);
    await openViews(page);
    await button(page, 'Save this view…').click();
    const flaw = async (text: string) => dialog(page).getByRole('alert').getByText(text).waitFor();
    for (const wrong of [' ', 'ü'.repeat(101)]) {
      await field(page).fill(wrong);
      await button(page, 'Save').click();
      await flaw('It needs a name, of at most 100 characters.');
      expect(await field(page).getAttribute('aria-invalid')).toBe('true');
    }
    await expectAccessible(page);
    await field(page).fill('Mine');
    let answer: object | null = null;
    const refusal = (code: string, place?: string) => ({
      errors: [{ message: 'no', extensions: { code, field: place } }],
    });
    await page.route('**/graphql', (route) => {
      if (!asks(route, 'SavedView(')) return route.continue();
      return answer === null ? route.abort() : route.fulfill({ json: answer });
    });
    const each = async (press: string) => {
      for (const [given, text] of [
        [null, 'The server cannot be reached'],
        [refusal('OVERLOADED'), 'The server is busy'],
        [refusal('FORBIDDEN'), 'Your sign-in does not allow this.'],
        [refusal('BAD_USER_INPUT', 'input.views'), 'There are as many saved views as there can be.'],
        [refusal('BAD_USER_INPUT', 'input.query'), 'What the list asks for is too long to be saved'],
        [refusal('NOT_FOUND'), 'This view is no longer there.'],
        [refusal('INTERNAL'), 'This did not work. Try again later.'],
      ] as const) {
        answer = given;
        await button(page, press).click();
        await flaw(text);
      }
    };
    await each('Save');
    expect(await field(page).inputValue()).toBe('Mine');
    await button(page, 'Cancel').click();
    await button(page, 'Edit “There”').click();
    await each('Save');
    await button(page, 'Delete').click();
    await each('Delete');
    await page.unroute('**/graphql');
    await button(page, 'Delete').click();
    await said(page, '“There” is deleted.');
  });

  test('cannot be listed: the dialog says so, and asks again at a press', async () => {
    const organization = await filled();
    const token = ada(organization);
    await save(token, 'There', 'outcome=FAILURE');
    const page = await newPage({ expectedErrors: /Failed to load resource/ });
    await openLog(page, token);
    await page.route('**/graphql', (route) => (asks(route, 'query SavedViews') ? route.abort() : route.continue()));
    await openViews(page);
    await dialog(page).getByRole('alert').getByText('The server cannot be reached').waitFor();
    await keepPicture(page, 'views-offline');
    await page.unroute('**/graphql');
    await button(page, 'Try again').click();
    await expect.poll(() => listed(page)).toEqual(['There']);
  });

  test('is nothing for a token of the service itself, and the menu says nothing of it', async () => {
    const organization = await filled();
    const { createAuditToken } = await ask(
      ada(organization),
      'mutation ($input: CreateAuditTokenInput!) { createAuditToken(input: $input) { secret } }',
      { input: { label: 'page', kind: 'JWT', scopes: ['audit:read'], expiresIn: 600 } },
    );
    const page = await newPage({ expectedErrors: /403/ });
    await openLog(page, createAuditToken.secret);
    await menu(page).click();
    await page.getByRole('button', { name: 'Copy as GraphQL' }).waitFor();
    await expect.poll(() => option(page).count()).toBe(0);
  });

  test('is left by Escape, which leads back to the menu’s button', async () => {
    const organization = await filled();
    const page = await newPage();
    await openLog(page, ada(organization));
    await openViews(page);
    await button(page, 'Save this view…').click();
    await field(page).fill('');
    await page.keyboard.type('/?');
    expect(await field(page).inputValue(), 'in a field, keys of the page are letters').toBe('/?');
    await page.keyboard.press('Escape');
    await dialog(page).waitFor({ state: 'detached' });
    await expect.poll(() => menu(page).evaluate((one) => one.matches(':focus'))).toBe(true);
    expect(await views(ada(organization))).toEqual([]);
  });

  test.each([
    [360, 'light', 'ar'],
    [360, 'dark', 'de'],
    [780, 'dark', 'ja'],
    [1280, 'light', 'en'],
    [1280, 'dark', 'fr'],
  ] as const)('looks right at %d px, %s, in %s', async (width, scheme, lang) => {
    const organization = await filled();
    const token = ada(organization);
    await save(token, 'فشل تسجيل الدخول', 'outcome=FAILURE');
    await save(token, 'Failed sign-ins of the support team from outside of the office, last seven days', 'q=a');
    for (let index = 0; index < 8; index += 1) await save(token, `Shared ${index}`, 'q=b', true);
    const page = await newPage({ viewport: { width, height: 800 }, colorScheme: scheme });
    await openLog(page, token, `?lang=${lang}&outcome=FAILURE`);
    await page.locator('.heading-actions .popover > button').last().click();
    await keepPicture(page, `views-menu-${width}-${scheme}-${lang}`);
    await page.locator('.more-panel [aria-haspopup=dialog]').first().click();
    await expect.poll(() => page.locator('.views .option').count()).toBe(10);
    await keepPicture(page, `views-${width}-${scheme}-${lang}`);
    await expectAccessible(page);
    const { x, width: wide } = (await page.locator('.alert').boundingBox())!;
    expect(x >= 0 && x + wide <= width).toBe(true);
    await page.locator('.views .icon').first().click();
    await page.waitForTimeout(200);
    await keepPicture(page, `views-form-${width}-${scheme}-${lang}`);
    await expectAccessible(page);
  });
});
