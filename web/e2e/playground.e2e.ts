import type { Page, Response } from 'playwright-core';
import { describe, expect, inject, test } from 'vitest';
import { examples } from '../src/playground/examples.ts';
import { expectAccessible, keepPicture, newPage, type PageOptions } from './browser.ts';
import { ask, demoProduct, openLog, Organization } from './ledgerline.ts';

const playground = () => `${inject('ledgerline').base}/playground`;
const indexOf = (name: string) => examples.findIndex((example) => example.name === name);
const tabs = (page: Page) => page.locator('.graphiql-tab');

async function openPlayground(token: string, options: PageOptions = {}): Promise<Page> {
  const page = await newPage(options);
  await page.goto(`${playground()}#token=${token}`);
  await ready(page);
  return page;
}

/** Waits until the first example stands in the editor. */
async function ready(page: Page): Promise<void> {
  await page.locator('.graphiql-query-editor', { hasText: 'Viewer' }).waitFor();
}

/** Sends what stands in the editor, and gives the answer once GraphiQL shows one. */
async function execute(page: Page, operation: string): Promise<any> {
  const answered = page.waitForResponse(
    (response) =>
      response.url().endsWith('/graphql') && (response.request().postData() ?? '').includes(` ${operation}`),
  );
  // The same button stops what still runs.
  await page.getByRole('button', { name: /^Execute/ }).click();
  const answer = await (await answered).json();
  await page.locator('.result-window', { hasText: '"data"' }).waitFor();
  return answer;
}

/** Runs one of the examples. */
async function run(page: Page, name: string): Promise<any> {
  const operation = /(?:query|mutation) (\w+)/.exec(examples[indexOf(name)]!.query)![1]!;
  await page.getByLabel('Example').selectOption(String(indexOf(name)));
  await page.locator('.graphiql-query-editor', { hasText: operation }).waitFor();
  return execute(page, operation);
}

async function organizationWith(events: number): Promise<Organization> {
  const organization = new Organization(await demoProduct('scim-platform'));
  await organization.recordMany(events);
  return organization;
}

describe('the playground', () => {
  test('runs every example in order, each in a tab of its own, and offers no other host anything', async () => {
    const page = await openPlayground((await organizationWith(15)).token);
    expect(page.url()).toBe(playground());
    const answers: Record<string, any> = {};
    for (const [index, { name, query }] of examples.entries()) {
      const operation = /(?:query|mutation) (\w+)/.exec(query)![1]!;
      if (index > 0) await page.getByRole('button', { name: 'Next', exact: true }).click();
      await page.locator('.graphiql-query-editor', { hasText: operation }).waitFor();
      answers[name] = await execute(page, operation);
      expect(answers[name].errors, name).toBeUndefined();
    }
    expect(await tabs(page).count()).toBe(examples.length);
    expect(await page.getByRole('button', { name: 'Next', exact: true }).isDisabled()).toBe(true);
    expect(answers['Next page'].data.auditEvents).toMatchObject({ pageNumber: 2, nodes: { length: 5 } });
    expect(answers['Record an event'].data.recordAuditEvent.status).toBe('RECORDED');
    await keepPicture(page, 'playground');
  });

  test('keeps what was typed when another example is opened', async () => {
    const page = await openPlayground((await organizationWith(1)).token);
    await page.locator('.graphiql-query-editor .view-lines').click();
    await page.keyboard.press('ControlOrMeta+Home');
    await page.keyboard.insertText('# my own words\n');
    await run(page, 'Newest events');
    await page.getByLabel('Example').selectOption('0');
    await page.locator('.graphiql-query-editor', { hasText: 'Viewer' }).waitFor();
    expect(await tabs(page).count(), 'the changed one is no longer the example').toBe(3);
    await page.locator('.graphiql-tab-button').first().click();
    await page.locator('.graphiql-query-editor', { hasText: 'my own words' }).waitFor();
    // One that is open is gone to, and not opened again.
    await page.getByLabel('Example').selectOption(String(indexOf('Newest events')));
    await page.locator('.graphiql-query-editor', { hasText: 'NewestEvents' }).waitFor();
    expect(await tabs(page).count()).toBe(3);
  });

  test('shares its token with the viewer of the same tab', async () => {
    const organization = await organizationWith(1);
    const page = await newPage();
    await openLog(page, organization.token);
    await page.goto(playground());
    await ready(page);
    expect(await page.getByLabel('Token').inputValue()).toBe(organization.token);
    expect((await run(page, 'Who am I, and may I read?')).data.viewer.organization).toBe(organization.id);
  });

  test('is light before it is opened, and offers the people of the demo', async () => {
    const page = await newPage();
    const sizes: Promise<number>[] = [];
    const measure = (response: Response) => {
      if (response.url().includes('/assets/')) sizes.push(response.body().then((body) => body.length));
    };
    page.on('response', measure);
    await page.goto(playground());
    await page.getByRole('heading', { name: 'Ledgerline playground' }).waitFor();
    const people = page.getByLabel('Ask as');
    await people.waitFor();
    await expectAccessible(page);
    await keepPicture(page, 'playground-closed');
    page.off('response', measure);
    const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThan(200_000);
    const admin = people.locator('option', { hasText: 'dmin' }).first();
    const token = (await admin.getAttribute('value'))!;
    await people.selectOption(token);
    await ready(page);
    expect(await page.getByLabel('Token').inputValue()).toBe(token);
    const { organization } = (await ask(token, '{ viewer { organization } }')).viewer;
    expect((await execute(page, 'Viewer')).data.viewer.organization).toBe(organization);
  });

  test('asks before it writes into a log that is no demo’s, once for a token', async () => {
    const organization = await organizationWith(1);
    const total = async () =>
      (await ask(organization.token, '{ auditEvents(first: 1) { totalCount } }')).auditEvents.totalCount;
    const page = await newPage({ expectedErrors: /404/ });
    // A service without the demo's first page.
    await page.route(`${inject('ledgerline').base}/`, (route) => route.fulfill({ status: 404, body: 'no' }));
    await page.goto(playground());
    await page.getByText('Where does a token come from?').click();
    await page.getByText('ledgerline token --product').waitFor();
    expect(await page.getByLabel('Ask as').count()).toBe(0);
    await page.getByLabel('Token').fill(organization.token);
    await ready(page);
    await page.getByLabel('Example').selectOption(String(indexOf('Record an event')));
    await page.locator('.graphiql-query-editor', { hasText: 'recordAuditEvent' }).waitFor();
    const press = () => page.getByRole('button', { name: /^Execute/ }).click();
    await press();
    const dialog = page.getByRole('dialog', { name: 'This changes a real log' });
    await dialog.getByText(organization.id).waitFor();
    expect(await dialog.innerText()).toContain('recordAuditEvent');
    await expectAccessible(page);
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await page.locator('.result-window', { hasText: 'It was not sent.' }).waitFor();
    expect(await total()).toBe(1);
    await press();
    await dialog.getByRole('button', { name: 'Send it' }).click();
    await page.locator('.result-window', { hasText: 'RECORDED' }).waitFor();
    expect(await total()).toBe(2);
    await execute(page, 'Record');
    expect(await total()).toBe(3);
    expect(await dialog.count()).toBe(0);
  });

  test('can be used at 390 px', async () => {
    const page = await openPlayground((await organizationWith(3)).token, { viewport: { width: 390, height: 844 } });
    const { data } = await run(page, 'Newest events');
    expect(data.auditEvents.nodes).toHaveLength(3);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(wide).toBe(0);
    for (const part of ['.graphiql-query-editor', '.result-window']) {
      const box = (await page.locator(part).first().boundingBox())!;
      expect(box.width, part).toBeGreaterThan(250);
      expect(box.height, part).toBeGreaterThan(120);
    }
    await keepPicture(page, 'playground-390');
  });
});
