// Alerts about what the list is filtered by.
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { expectAccessible, keepPicture, newPage } from './browser.ts';
import { ask, demoProduct, openLog, Organization } from './ledgerline.ts';

const scopes = 'audit:read audit:record audit:manage';

async function filled(name = 'scim-platform'): Promise<{ organization: Organization; token: string }> {
  const organization = new Organization(await demoProduct(name));
  await organization.recordMany(12, (index) => ({
    actor: { kind: 'USER', id: `u_${index % 3}`, name: `Person ${index % 3}` },
    ...(index % 3 === 0 ? { outcome: 'FAILURE' } : {}),
  }));
  return { organization, token: organization.tokenWith({ scopes }) };
}

/** An endpoint that gets alerts alone. Nobody listens at its address. */
async function endpoint(token: string, label: string): Promise<string> {
  const { createEndpoint } = await ask(
    token,
    `mutation ($input: CreateEndpointInput!) { createEndpoint(input: $input) { endpoint { id } } }`,
    {
      input: {
        label,
        target: { webhook: { url: 'https://hooks.example.com/alerts' } },
        question: { filter: { actions: [] } },
      },
    },
  );
  return createEndpoint.endpoint.id;
}

const rules = async (token: string) =>
  (await ask(token, '{ auditAlertRules { label question threshold windowSeconds per endpointId emails status } }'))
    .auditAlertRules;

const menu = (page: Page) => page.getByRole('button', { name: 'More', exact: true });
const option = (page: Page) => page.getByRole('button', { name: 'Alert me…' });
const dialog = (page: Page) => page.getByRole('dialog', { name: 'Alert about these events' });

async function openDialog(page: Page): Promise<void> {
  await menu(page).click();
  await option(page).click();
  await dialog(page).getByLabel('Name', { exact: true }).waitFor();
}

describe('an alert', () => {
  test('is made from the filter at work, without its time, and fires', async () => {
    const { organization, token } = await filled();
    const id = await endpoint(token, 'On call');
    const page = await newPage();
    await openLog(page, token, '?outcome=FAILURE&q=actor:u_0+after:30d+person&period=LAST_30_DAYS');
    await openDialog(page);
    await expect
      .poll(() => dialog(page).locator('.alert-filters li').allInnerTexts())
      .toEqual(['Search: person', 'Outcome: Failure', 'Actor: u_0']);
    await dialog(page).getByText('4 events of the last 7 days fit.').waitFor();
    const name = dialog(page).getByLabel('Name', { exact: true });
    expect(await name.evaluate((one) => one.matches(':focus'))).toBe(true);
    expect(await name.inputValue()).toBe('Search: person, Outcome: Failure, Actor: u_0');
    await name.fill('Failures of u_0');
    expect(await dialog(page).getByLabel('Within').count(), 'one event needs no time').toBe(0);
    await dialog(page).getByLabel('How many events').fill('2');
    await dialog(page).getByLabel('Within').selectOption('15 minutes');
    await dialog(page).getByLabel('Counted').selectOption('for each actor');
    await expect.poll(() => dialog(page).getByLabel('Who is told').inputValue()).toBe(id);
    await expectAccessible(page);
    await keepPicture(page, 'alert');
    await name.press('Enter');
    await dialog(page).getByText('The alert “Failures of u_0” is there, and counts from now on.').waitFor();
    await expectAccessible(page);
    expect(await rules(token)).toEqual([
      {
        label: 'Failures of u_0',
        question: expect.objectContaining({ filter: expect.objectContaining({ outcomes: ['FAILURE'] }) }),
        threshold: 2,
        windowSeconds: 900,
        per: 'ACTOR',
        endpointId: id,
        emails: [],
        status: 'ACTIVE',
      },
    ]);
    const [{ question }] = await rules(token);
    expect(JSON.stringify(question), 'an alert has no time').not.toMatch(/occurredAt|period|after/);
    expect(
      await dialog(page)
        .getByRole('button', { name: 'Close' })
        .evaluate((one) => one.matches(':focus')),
    ).toBe(true);
    await page.keyboard.press('Enter');
    await dialog(page).waitFor({ state: 'detached' });
    await expect.poll(() => menu(page).evaluate((one) => one.matches(':focus'))).toBe(true);

    // What it was made of is what it counts: two of these, and none of the others.
    const failure = (actor: string, outcome: string) => ({
      action: organization.product.actions[0]!.name,
      actor: { kind: 'USER', id: actor, name: 'Person' },
      outcome,
    });
    await organization.record([
      failure('u_0', 'SUCCESS'),
      failure('u_1', 'FAILURE'),
      failure('u_1', 'FAILURE'),
      failure('u_0', 'FAILURE'),
      failure('u_0', 'FAILURE'),
    ]);
    const fired = async () => (await ask(token, '{ auditAlertRules { firings } }')).auditAlertRules[0].firings;
    await expect.poll(fired, { timeout: 15_000 }).toBe('1');
    const told = await ask(token, '{ auditAlertRules { lastFiring { metadata } } }');
    expect(told.auditAlertRules[0].lastFiring.metadata).toMatchObject({ count: 2, threshold: 2, per: 'ACTOR' });
  });

  test('says what is wrong with it in the reader’s words, at its place', { timeout: 90_000 }, async () => {
    const { token } = await filled();
    await endpoint(token, 'On call');
    const page = await newPage({ expectedErrors: /400/ });
    await openLog(page, token);
    await openDialog(page);
    await expect.poll(() => dialog(page).locator('.alert-filters li').allInnerTexts()).toEqual(['All events']);
    const make = dialog(page).getByRole('button', { name: 'Create alert' });
    const said = async (text: string, name: string) => {
      await make.click();
      await dialog(page).getByRole('alert').getByText(text).waitFor();
      const field = dialog(page).locator(`[name=${name}]`);
      await expect.poll(() => field.evaluate((one) => one.matches(':focus'))).toBe(true);
      expect(await field.getAttribute('aria-invalid')).toBe('true');
    };
    await dialog(page).getByLabel('Name', { exact: true }).fill(' ');
    await said('It needs a name, and not a very long one.', 'name');
    await keepPicture(page, 'alert-flaw');
    await dialog(page).getByLabel('Name', { exact: true }).fill('Ü'.repeat(200));
    await said('It needs a name, and not a very long one.', 'name');
    await dialog(page).getByLabel('Name', { exact: true }).fill('Everything');
    for (const wrong of ['', '0', '1001', '1.5']) {
      await dialog(page).getByLabel('How many events').fill(wrong);
      await said('It has to be a whole number from 1 to 1,000.', 'threshold');
    }
    await dialog(page).getByLabel('How many events').fill('1');
    await dialog(page).getByLabel('Who is told').selectOption('People, by e-mail');
    for (const wrong of ['', 'nobody', 'a@example.com, a@example.com']) {
      await dialog(page).getByLabel('E-mail addresses, with commas between').fill(wrong);
      await said('It has to be 1 to 10 e-mail addresses, each of them once.', 'addresses');
    }
    await expectAccessible(page);
    await dialog(page).getByLabel('E-mail addresses, with commas between').fill('a@example.com; b@example.com');
    await said('This service sends no mail. Choose an endpoint.', 'target');
    await dialog(page).getByLabel('Who is told').selectOption('On call');
    expect(await rules(token)).toEqual([]);
    await make.click();
    await dialog(page).getByText('The alert “Everything” is there').waitFor();
    expect(await rules(token)).toMatchObject([{ label: 'Everything', threshold: 1, per: 'NONE' }]);
  });

  test('that is refused, or cannot be asked for, says so and keeps what was typed', async () => {
    const { token } = await filled();
    await endpoint(token, 'On call');
    const page = await newPage({ expectedErrors: /Failed to load resource/ });
    let answer: object | null = { errors: [{ message: 'no', extensions: { code: 'FORBIDDEN' } }] };
    await page.route('**/graphql', (route) => {
      if (!(route.request().postData() ?? '').includes('mutation CreateAlert')) return route.continue();
      return answer === null ? route.abort() : route.fulfill({ json: answer });
    });
    await openLog(page, token);
    await openDialog(page);
    await dialog(page).getByLabel('Name', { exact: true }).fill('Mine');
    const make = dialog(page).getByRole('button', { name: 'Create alert' });
    await make.click();
    await dialog(page).getByText('Your sign-in does not allow alerts about this log.').waitFor();
    answer = { errors: [{ message: 'full', extensions: { code: 'BAD_USER_INPUT', field: 'input.rules' } }] };
    await make.click();
    await dialog(page).getByText('Your organization has as many alerts as it can have.').waitFor();
    answer = null;
    await make.click();
    await dialog(page).getByText('The server cannot be reached').waitFor();
    expect(await dialog(page).getByLabel('Name', { exact: true }).inputValue()).toBe('Mine');
    await page.unroute('**/graphql');
    await make.click();
    await dialog(page).getByText('The alert “Mine” is there').waitFor();
  });

  test('is offered to those alone who can make one', async () => {
    const { organization } = await filled();
    const page = await newPage({ expectedErrors: /403/ });
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.postData() ?? ''));
    await openLog(page, organization.token);
    await menu(page).click();
    await page.getByRole('button', { name: 'Copy as GraphQL' }).waitFor();
    expect(await option(page).count()).toBe(0);
    expect(asked.filter((body) => body.includes('query MayAlert'))).toEqual([]);
    // A product that manages nothing, whatever the token says.
    const other = new Organization(await demoProduct('caputchin'));
    await other.recordMany(1);
    await openLog(page, other.tokenWith({ scopes }));
    const answered = page.waitForResponse((response) =>
      (response.request().postData() ?? '').includes('query MayAlert'),
    );
    await menu(page).click();
    await answered;
    await page.getByRole('button', { name: 'Copy as GraphQL' }).waitFor();
    await page.waitForTimeout(300);
    expect(await option(page).count()).toBe(0);
  });

  test('is left by Escape, which leads back to the menu’s button', async () => {
    const { token } = await filled();
    const page = await newPage();
    await openLog(page, token);
    await openDialog(page);
    // In a field, keys of the page are letters.
    await page.keyboard.type('/?');
    expect(await dialog(page).getByLabel('Name', { exact: true }).inputValue()).toContain('/?');
    await page.keyboard.press('Escape');
    await dialog(page).waitFor({ state: 'detached' });
    await expect.poll(() => menu(page).evaluate((one) => one.matches(':focus'))).toBe(true);
    expect(await rules(token)).toEqual([]);
  });

  test.each([
    [360, 'light', 'ar'],
    [780, 'dark', 'de'],
    [1280, 'light', 'ja'],
    [1280, 'dark', 'en'],
  ] as const)('looks right at %d px, %s, in %s', async (width, scheme, lang) => {
    const { token } = await filled();
    await endpoint(token, 'On call');
    const page = await newPage({ viewport: { width, height: 800 }, colorScheme: scheme });
    await openLog(page, token, `?lang=${lang}&outcome=FAILURE&action=auth.*`);
    await page.locator('.heading-actions .popover > button').last().click();
    await page.locator('.more-panel [aria-haspopup=dialog]').nth(1).click();
    await page.locator('.alert input[inputmode=numeric]').fill('5');
    await page.waitForTimeout(300);
    await keepPicture(page, `alert-${width}-${scheme}-${lang}`);
    await expectAccessible(page);
    const { x, width: wide } = (await page.locator('.alert').boundingBox())!;
    expect(x >= 0 && x + wide <= width).toBe(true);
  });
});
