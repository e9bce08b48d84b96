import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { expectAccessible, keepPicture } from './browser.ts';
import { element, Host, hostOrigin } from './host.ts';
import { demoProduct, Organization, rows, settled } from './ledgerline.ts';

const host = new Host();
let organization: Organization;
let actions: string[];

beforeAll(async () => {
  const product = await demoProduct('scim-platform');
  actions = product.actions.map(({ name }) => name);
  organization = new Organization(product);
  await organization.recordMany(30, (index) => ({
    action: actions[index % 3],
    outcome: index % 5 === 4 ? 'FAILURE' : 'SUCCESS',
    actor: { kind: 'USER', id: `user_${index}`, name: index === 29 ? 'Ada <b>Lovelace</b>' : `Person ${index + 1}` },
    resources: [{ type: 'project', id: `project_${index}`, name: `Project ${index}` }],
  }));
  await host.start();
});

afterAll(() => host.stop());

const log = (attributes = '') =>
  `<main><h1>Settings</h1><script type="module" src="${element()}"></script>
   <ledgerline-log token="${organization.token}" ${attributes}></ledgerline-log></main>`;
const set = (page: Page, name: string, value: string) =>
  page.evaluate(
    ([name, value]) => document.querySelector('ledgerline-log')!.setAttribute(name!, value!),
    [name, value],
  );

describe('a filter of the host', () => {
  test('is where a reader begins, and can be taken away for good', async () => {
    const page = await host.open('/preset', log(`sync-url="audit" page-size="100" filter="outcome=FAILURE"`));
    await settled(page);
    expect(await rows(page).count()).toBe(6);
    expect(page.url()).toBe(`${hostOrigin()}/preset`);
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await expect.poll(() => rows(page).count()).toBe(30);
    await page.reload();
    await settled(page);
    expect(await rows(page).count(), 'what was taken away stays away').toBe(30);
    await page.goBack();
    await expect.poll(() => rows(page).count()).toBe(6);
  });

  test('that is locked is no choice of the reader’s, who narrows within it', async () => {
    const filter = new URLSearchParams([
      ['action', actions[0]!],
      ['action', actions[1]!],
      ['outcome', 'SUCCESS'],
    ]);
    const attributes = `sync-url="audit" page-size="100" filter="${String(filter).replaceAll('&', '&amp;')}" filter-locked`;
    const page = await host.open('/locked', log(attributes));
    await settled(page);
    const expected = Array.from({ length: 30 }, (_, index) => index).filter(
      (index) => index % 3 !== 2 && index % 5 !== 4,
    );
    expect(await rows(page).count()).toBe(expected.length);
    expect(await page.getByRole('button', { name: /Clear filters|Action|Outcome/ }).count(), 'no control of it').toBe(
      0,
    );
    await page.getByRole('combobox', { name: 'Search' }).fill('"Project 1"');
    await expect.poll(() => rows(page).count()).toBe(1);
    // No address leads out of it.
    for (const query of ['audit-outcome=FAILURE', `audit-action=${actions[2]}`, 'audit-action=*']) {
      await page.goto(`${hostOrigin()}/locked?${query}`);
      await settled(page);
      expect(await rows(page).count(), query).toBe(expected.length);
      expect(await page.locator('.chips').count(), query).toBe(0);
    }
    await page.goto(`${hostOrigin()}/locked?audit-action=${actions[1]}`);
    await settled(page);
    expect(await rows(page).count(), 'one of those that are allowed').toBe(
      expected.filter((index) => index % 3 === 1).length,
    );
  });
});

describe('columns of the host', () => {
  test('take the place of the product’s, in the host’s order', async () => {
    const page = await host.open('/columns', log('columns="actor, ip-address, outcome, time"'));
    await settled(page);
    const headings = () => page.locator('thead th[class^=column]').allInnerTexts();
    expect(await headings()).toEqual(['Actor', 'IP address', 'Outcome', 'Time']);
    await page.evaluate(() =>
      Object.assign(document.querySelector('ledgerline-log')!, { columns: ['TIME', 'ACTION'] }),
    );
    await expect.poll(async () => await headings()).toEqual(['Time', 'Action']);
    await expectAccessible(page);
  });
});

describe('one log', () => {
  test('of several is shown, and no other can be chosen', async () => {
    const product = await demoProduct('capydb');
    const nested = new Organization(product);
    const [, level] = product.levels;
    await nested.recordMany(6, (index) => (index < 4 ? { log: { level: level!.name, id: `p_${index % 2}` } } : {}));
    const attributes = `token="${nested.token}" sync-url="audit" log="${level!.name}:p_1"`;
    const page = await host.open(
      '/one-log?audit-log=*',
      `<main><h1>Settings</h1><script type="module" src="${element()}"></script><ledgerline-log ${attributes}></ledgerline-log></main>`,
    );
    await settled(page);
    expect(await rows(page).count()).toBe(2);
    expect(
      await page
        .getByLabel(/log|project/i)
        .and(page.locator('select'))
        .count(),
    ).toBe(0);
    expect(await page.locator('.chips').count()).toBe(0);
    await set(page, 'log', '*');
    await expect.poll(() => rows(page).count()).toBe(6);
  });
});

describe('a compact list', () => {
  test('is five lines for a dashboard, by one cheap question', async () => {
    const asked: string[] = [];
    const page = await host.open('/compact', log());
    await settled(page);
    page.on('request', (request) => {
      const operation = /query (\w+)/.exec(request.postData() ?? '')?.[1];
      if (operation) asked.push(operation);
    });
    await page.evaluate(() =>
      Object.assign(document.querySelector('ledgerline-log')!, { compact: true, pollSeconds: 1 }),
    );
    const lines = page.getByRole('list', { name: 'Audit log' }).getByRole('listitem');
    await expect.poll(() => lines.count()).toBe(5);
    const [first] = await lines.allInnerTexts();
    expect(first).toContain('Ada <b>Lovelace</b>');
    expect(first).toContain('Project 29');
    expect(first, 'a failure is seen').toMatch(/fail/i);
    expect(await page.getByRole('combobox').count()).toBe(0);
    expect(await page.locator('ledgerline-log a').count(), 'no link that opens nothing').toBe(0);
    expect(new Set(asked)).toEqual(new Set(['Session', 'Page']));
    await expectAccessible(page);

    await organization.recordMany(1, () => ({ actor: { kind: 'USER', id: 'late', name: 'Late Comer' } }));
    await lines.filter({ hasText: 'Late Comer' }).waitFor();
    expect(await lines.count()).toBe(5);
  });

  test('leads to the host’s own page of an event, or asks the host', async () => {
    const page = await host.open('/leads', log('compact link-template="/audit?event={event}"'));
    const link = page.locator('ledgerline-log a').first();
    await link.waitFor();
    await page.evaluate(() =>
      addEventListener('ledgerline-open', (event) => {
        event.preventDefault();
        Object.assign(globalThis, { chosen: (event as CustomEvent).detail });
      }),
    );
    await link.click();
    const { id, href } = (await page.evaluate('chosen')) as { id: string; href: string };
    expect(href).toBe(`${hostOrigin()}/audit?event=${id}`);
    expect(page.url()).toBe(`${hostOrigin()}/leads`);
    expect(await link.getAttribute('href')).toBe(href);
    await expectAccessible(page);
    await keepPicture(page, 'compact');
  });

  test('fits 320 px, says what stands in its way, and goes on with a fresh token', async () => {
    const page = await host.open('/narrow', log('compact page-size="3" poll-seconds="1"'), {
      viewport: { width: 320, height: 640 },
      expectedErrors: /status of 401|status of 503|ERR_FAILED/,
    });
    const lines = page.getByRole('listitem');
    await expect.poll(() => lines.count()).toBe(3);
    const overflow = () =>
      page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(await overflow()).toBe(0);
    // A failure keeps what is there; an end of the session does not.
    let isDown = true;
    await page.route(`${inject('ledgerline').base}/graphql`, (route) =>
      isDown
        ? route.fulfill({ status: 503, headers: { 'access-control-allow-origin': '*' }, body: '' })
        : route.fallback(),
    );
    await page.waitForTimeout(1500);
    expect(await lines.count()).toBe(3);
    isDown = false;
    await page.evaluate(() => Object.assign(document.querySelector('ledgerline-log')!, { token: 'e.e.e' }));
    await page.getByRole('heading', { name: 'Your session has ended' }).waitFor();
    expect(await lines.count()).toBe(0);
    await page.evaluate(
      (token) => Object.assign(document.querySelector('ledgerline-log')!, { token }),
      organization.token,
    );
    await expect.poll(() => lines.count()).toBe(3);
  });
});
