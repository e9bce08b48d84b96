import type { Route } from 'playwright-core';
import { describe, expect, inject, test } from 'vitest';
import { expectAccessible, keepPicture, newPage } from './browser.ts';
import { ask, demoProduct, openLog, Organization, rows, settled } from './ledgerline.ts';

const refusedByServer = /status of 401/;
const failedByTest = /Failed to load resource/;

const isListQuery = (route: Route) => (route.request().postData() ?? '').includes('query Page');

async function filledOrganization(): Promise<Organization> {
  const organization = new Organization(await demoProduct('scim-platform'));
  await organization.recordMany(5);
  return organization;
}

describe('the page says', () => {
  test('that there are no events yet', async () => {
    const organization = new Organization(await demoProduct('scim-platform'));
    const page = await newPage();
    await openLog(page, organization.token);
    await page.getByRole('heading', { name: 'No events yet' }).waitFor();
    await expectAccessible(page);
    await keepPicture(page, 'state-empty');
    await organization.recordMany(1);
    await expect.poll(() => rows(page).count(), { message: 'it comes by itself', timeout: 20_000 }).toBe(1);
  });

  test('that it is loading, in the place of the list', async () => {
    const organization = await filledOrganization();
    const page = await newPage();
    let answer = () => {};
    const held = new Promise<void>((resolve) => (answer = resolve));
    await page.route('**/graphql', async (route) => {
      if (isListQuery(route)) await held;
      await route.continue();
    });
    await page.goto(`${inject('ledgerline').base}/log#token=${organization.token}`);
    await page.locator('.results .skeleton').waitFor();
    const before = (await page.locator('.results').boundingBox())!.y;
    await expectAccessible(page);
    answer();
    await settled(page);
    expect((await page.locator('.results').boundingBox())!.y).toBeCloseTo(before, 0);
  });

  test('how to sign in, and keeps the token out of the address', async () => {
    const organization = await filledOrganization();
    const page = await newPage();
    await page.goto(`${inject('ledgerline').base}/log`);
    await page.getByRole('heading', { name: 'Sign in to read the audit log' }).waitFor();
    await expectAccessible(page);
    await page.getByLabel('Access token').fill(organization.token);
    await page.getByRole('button', { name: 'Continue' }).click();
    await settled(page);
    expect(await rows(page).count()).toBe(5);
    expect(page.url()).not.toContain(organization.token);
    await page.reload();
    await settled(page);
    expect(await rows(page).count(), 'the tab remembers').toBe(5);
  });

  test('that the session has ended', async () => {
    const page = await newPage({ expectedErrors: refusedByServer });
    await openLog(page, 'eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl');
    await page.getByRole('heading', { name: 'Your session has ended' }).waitFor();
    await expectAccessible(page);
    await keepPicture(page, 'state-expired');
  });

  test('that the server cannot be reached, and goes on by itself', async () => {
    const organization = await filledOrganization();
    const page = await newPage({ expectedErrors: failedByTest });
    await openLog(page, organization.token);
    await page.context().setOffline(true);
    await page.getByRole('combobox', { name: 'Search' }).fill('person');
    await page.getByRole('heading', { name: 'The server cannot be reached' }).waitFor();
    await expectAccessible(page);
    await page.context().setOffline(false);
    await expect.poll(() => rows(page).count()).toBe(5);
  });

  test('what to tell support when the server fails, and tries again', async () => {
    const organization = await filledOrganization();
    const page = await newPage();
    let failing = true;
    await page.route('**/graphql', async (route) => {
      if (!failing || !isListQuery(route)) return route.continue();
      await route.fulfill({
        json: {
          data: { auditEvents: null },
          errors: [{ message: 'internal error', extensions: { code: 'INTERNAL', requestId: 'req_42' } }],
        },
      });
    });
    await openLog(page, organization.token);
    await page.getByText('req_42').waitFor();
    await expectAccessible(page);
    await keepPicture(page, 'state-server-error');
    failing = false;
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect.poll(() => rows(page).count()).toBe(5);
  });

  test('what the server has against a filter', async () => {
    const organization = await filledOrganization();
    const page = await newPage();
    await page.route('**/graphql', async (route) => {
      if (!isListQuery(route) || !route.request().postData()!.includes('refused')) return route.continue();
      await route.fulfill({
        json: { errors: [{ message: 'the word is too short', extensions: { code: 'QUERY_TOO_COMPLEX' } }] },
      });
    });
    await openLog(page, organization.token, '?q=refused');
    await page.getByRole('heading', { name: 'The server could not use this filter' }).waitFor();
    expect(await page.locator('.message').innerText(), 'developers’ words').not.toContain('the word is too short');
    await expectAccessible(page);
    await page.locator('.message').getByRole('button', { name: 'Clear filters' }).click();
    await expect.poll(() => rows(page).count()).toBe(5);
  });

  test('why it closes when a token stops being enough', async () => {
    const organization = await filledOrganization();
    const page = await newPage({ expectedErrors: refusedByServer });
    await openLog(page, organization.token);
    await page.route('**/graphql', (route) =>
      route.fulfill({
        status: 401,
        json: { errors: [{ message: 'expired', extensions: { code: 'UNAUTHENTICATED' } }] },
      }),
    );
    await page.getByRole('combobox', { name: 'Search' }).fill('person');
    await page.getByRole('heading', { name: 'Your session has ended' }).waitFor();
  });
});

describe('what somebody was erased from', () => {
  test('says so in the row and beside each value', async () => {
    const organization = new Organization(await demoProduct('scim-platform'));
    await organization.recordMany(2, (index) =>
      index === 0 ? {} : { actor: { kind: 'USER', id: 'gone', name: 'Gone Person' }, ipAddress: '192.0.2.7' },
    );
    const manager = organization.tokenWith({ scopes: 'audit:read audit:manage' });
    const { eraseFromAuditLog } = await ask(
      manager,
      'mutation { eraseFromAuditLog(input: { actor: { id: "gone" } }) { erasure { id } } }',
    );
    const find = `{ auditErasure(id: "${eraseFromAuditLog.erasure.id}") { status } }`;
    await expect.poll(async () => (await ask(manager, find)).auditErasure.status, { timeout: 20_000 }).toBe('DONE');
    const page = await newPage();
    await openLog(page, organization.token, '?q=' + encodeURIComponent('192.0.2.7'));
    expect(await rows(page).count(), 'nothing of it is found').toBe(0);
    await openLog(page, organization.token);
    const row = rows(page).filter({ has: page.locator('.cut') });
    expect(await row.count()).toBe(1);
    expect(await row.innerText()).not.toContain('Gone');
    await row.click();
    const marks = page.locator('.details .cut');
    await marks.first().waitFor();
    expect(new Set(await marks.allInnerTexts())).toEqual(new Set(['erased']));
    expect(await marks.first().getAttribute('title')).toContain('actor');
    await expect.poll(() => page.locator('.details').innerText()).toContain('IP address');
    await expectAccessible(page);
    await keepPicture(page, 'state-erased');
  });

  test('and a link to an event that has left says that it was there', async () => {
    const organization = await filledOrganization();
    const page = await newPage({ expectedErrors: failedByTest });
    await page.route('**/graphql', async (route) => {
      if (!(route.request().postData() ?? '').includes('auditEvent(id')) return route.continue();
      const errors = [{ message: 'it has left', path: ['auditEvent'], extensions: { code: 'EXPIRED' } }];
      await route.fulfill({ json: { data: { auditEvent: null }, errors } });
    });
    await openLog(page, organization.token, '?event=evt_00000000000000000000000');
    await page.getByText('was there, and has left the log').waitFor();
    await expectAccessible(page);
  });
});

test('what a hold keeps is said in its details, to whoever may place holds', async () => {
  const organization = new Organization(await demoProduct('capydb'));
  await organization.recordMany(2);
  const manager = organization.tokenWith({ scopes: 'audit:read audit:manage' });
  const shown = async (token: string) => {
    const page = await newPage();
    await openLog(page, token);
    await rows(page).last().click();
    await page.locator('.details .when').waitFor();
    return page;
  };
  const mark = 'A legal hold keeps this event: it stays however old it gets, and nobody is erased from it.';
  expect(await (await shown(manager)).getByTitle(mark).count()).toBe(0);
  await ask(manager, 'mutation ($input: PlaceAuditHoldInput!) { placeAuditHold(input: $input) { hold { id } } }', {
    input: { label: 'Case 2026-18' },
  });
  const page = await shown(manager);
  expect(await page.getByTitle(mark).innerText()).toBe('on hold');
  await expectAccessible(page);
  await keepPicture(page, 'state-held');
  expect(await (await shown(organization.token)).getByTitle(mark).count(), 'others are told nothing').toBe(0);
});
