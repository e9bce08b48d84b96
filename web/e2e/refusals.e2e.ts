import { createServer } from 'node:http';
import type { Page } from 'playwright-core';
import { describe, expect, inject, test } from 'vitest';
import { expectAccessible, keepPicture, newPage } from './browser.ts';
import { ask, demoProduct, openLog, Organization, rows, settled, tokenFor } from './ledgerline.ts';

const refusedByServer = /status of (401|403|503)/;

/** An organization of CapyDB with events in two of its projects. */
async function withProjects(): Promise<Organization> {
  const organization = new Organization(await demoProduct('capydb'));
  const event = (id: string, name: string) => ({
    action: organization.product.actions[0]!.name,
    actor: { kind: 'USER', id: 'user_1', name: `Person of ${name}` },
    log: { level: 'project', id, name },
  });
  await organization.record([event('p1', 'Shop'), event('p2', 'Orders'), event('p2', 'Orders')]);
  return organization;
}

async function deleteLog(organization: Organization, id: string): Promise<void> {
  const manager = organization.tokenWith({ scopes: 'audit:manage' });
  await ask(manager, 'mutation ($input: DeleteAuditLogInput!) { deleteAuditLog(input: $input) { log { level } } }', {
    input: { log: { level: 'project', id } },
  });
}

const narrowed = (organization: Organization, ...ids: string[]) =>
  organization.tokenWith({ logs: ids.map((id) => `project:${id}`) });

/** The questions that a page asks from now on, by the name of their operation. */
function questions(page: Page): string[] {
  const asked: string[] = [];
  page.on('request', (request) => {
    const name = /query (\w+)/.exec(request.postData() ?? '')?.[1];
    if (request.method() === 'POST' && name) asked.push(name);
  });
  return asked;
}

/** Fails if a page that stands still goes on asking. */
async function expectQuiet(page: Page, asked: string[], most: number): Promise<void> {
  await page.waitForTimeout(4_000);
  expect(asked.length, asked.join(' ')).toBeLessThanOrEqual(most);
}

/** Answers every question of one name with an error, while `failing` says so. */
async function refuse(
  page: Page,
  name: string,
  status: number,
  extensions: object,
  failing = () => true,
): Promise<void> {
  await page.route('**/graphql', (route) =>
    failing() && (route.request().postData() ?? '').includes(`query ${name}`)
      ? route.fulfill({ status, json: { errors: [{ message: 'refused by the test', extensions }] } })
      : route.fallback(),
  );
}

describe('a token for several logs', () => {
  test('gets a choice of log', async () => {
    const organization = await withProjects();
    const page = await newPage();
    const asked = questions(page);
    await openLog(page, narrowed(organization, 'p1', 'p2', 'not-yet'));
    await page.getByRole('heading', { name: 'Which audit log?' }).waitFor();
    expect(asked, 'nothing is asked that would be refused').toEqual(['Session']);
    await expectAccessible(page);
    await keepPicture(page, 'state-choose-log');
    await page.getByRole('button', { name: 'Project Orders' }).click();
    await settled(page);
    expect(await rows(page).count()).toBe(2);
    expect(new URL(page.url()).searchParams.get('log')).toBe('project:p2');
    const picker = page.getByRole('combobox', { name: 'Log', exact: true });
    expect(await picker.locator('option').allTextContents()).toEqual([
      'Project Shop',
      'Project Orders',
      'Project not-yet',
    ]);
    await picker.selectOption('project:p1');
    await expect.poll(() => rows(page).count()).toBe(1);
    await picker.selectOption('project:not-yet');
    await page.getByRole('heading', { name: 'No events yet' }).waitFor();
    await page.getByRole('combobox', { name: 'Search' }).fill('nothing like it');
    await page.getByRole('heading', { name: 'No events match' }).waitFor();
    await page.locator('.message').getByRole('button', { name: 'Clear filters' }).click();
    await page.getByRole('heading', { name: 'No events yet' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'No events yet' }).waitFor();
    await page.getByRole('button', { name: /^Remove filter Log/ }).click();
    await page.getByRole('button', { name: 'Project Shop' }).click();
    await expect.poll(() => rows(page).count()).toBe(1);
    expect(asked.filter((name) => name === 'Session')).toHaveLength(2);
  });

  test('is not asked where one of them is left', async () => {
    const organization = await withProjects();
    await deleteLog(organization, 'p1');
    const page = await newPage();
    await openLog(page, narrowed(organization, 'p1', 'p2'));
    expect(await rows(page).count()).toBe(2);
    // The link of a colleague leads to the one that is gone: that is said, and how to go on.
    await openLog(page, narrowed(organization, 'p1', 'p2'), '?log=project:p1');
    await page.getByText('Your sign-in is for another log, or its log was deleted.').waitFor();
  });
});

describe('a page that is refused does not go on asking', () => {
  test('where the only log of the token was deleted', async () => {
    const organization = await withProjects();
    await deleteLog(organization, 'p1');
    const page = await newPage();
    const asked = questions(page);
    await openLog(page, narrowed(organization, 'p1'));
    await page.getByText('Your sign-in is for another log, or its log was deleted.').waitFor();
    await expectAccessible(page);
    await expectQuiet(page, asked, 1);
  });

  test('where that log is deleted while it is read', async () => {
    const organization = await withProjects();
    const page = await newPage();
    await openLog(page, narrowed(organization, 'p1'));
    expect(await rows(page).count()).toBe(1);
    await deleteLog(organization, 'p1');
    const asked = questions(page);
    await page.getByRole('combobox', { name: 'Search' }).fill('person');
    await page.getByText('Your sign-in is for another log, or its log was deleted.').waitFor();
    expect(asked.filter((name) => name === 'Session')).toHaveLength(1);
    await expectQuiet(page, asked, 6);
  });

  test('where the token of staff is for another organization', async () => {
    const organization = await withProjects();
    const token = tokenFor({
      product: organization.product.name,
      organization: null,
      scopes: 'audit:read audit:staff',
      logs: ['organization:another'],
    });
    const page = await newPage();
    const asked = questions(page);
    await openLog(page, token, `?organization=${organization.id}`);
    await page.getByText('Your sign-in is for another log, or its log was deleted.').waitFor();
    await expectQuiet(page, asked, 1);
  });

  test('where a link names a log that is not the token’s', async () => {
    const organization = await withProjects();
    const page = await newPage();
    const asked = questions(page);
    await openLog(page, narrowed(organization, 'p1'), '?log=project:p2');
    await page.getByText('Your sign-in is for another log, or its log was deleted.').waitFor();
    expect(
      asked.filter((name) => name === 'Session'),
      'the gate is asked once more',
    ).toHaveLength(2);
    await expectAccessible(page);
    await keepPicture(page, 'state-other-log');
    await expectQuiet(page, asked, 5);
    await page.locator('.message').getByRole('button', { name: 'Clear filters' }).click();
    await expect.poll(() => rows(page).count()).toBe(1);
  });

  test.each([
    ['FORBIDDEN', 200],
    ['NOT_FOUND', 200],
    ['PLAN_REQUIRED', 200],
    ['UNAUTHENTICATED', 401],
  ])('where the list says %s though the gate is open', async (code, status) => {
    const organization = await withProjects();
    const page = await newPage({ expectedErrors: refusedByServer });
    let failing = true;
    await refuse(page, 'Page', status, { code }, () => failing);
    const asked = questions(page);
    await openLog(page, organization.token);
    await page.locator('.message').waitFor();
    expect(asked.filter((name) => name === 'Page')).toHaveLength(1);
    await expectQuiet(page, asked, 4);
    failing = false;
    await page.getByRole('button', { name: 'Try again' }).click();
    await expect.poll(() => rows(page).count()).toBe(3);
  });

  test.each(['Session', 'Page'])('but tries again ever more seldom where %s is unavailable', async (name) => {
    const organization = await withProjects();
    const page = await newPage({ expectedErrors: refusedByServer });
    let failing = true;
    await refuse(page, name, 503, { code: 'UNAVAILABLE' }, () => failing);
    const asked = questions(page);
    await openLog(page, organization.token);
    await page.getByRole('heading', { name: 'The server is busy' }).waitFor();
    await page.waitForTimeout(8_000);
    // At the start, after two seconds and after four more, each perhaps a quarter later.
    expect(asked.filter((each) => each === name).length).toBeGreaterThanOrEqual(2);
    expect(asked.filter((each) => each === name).length).toBeLessThanOrEqual(3);
    await page.getByRole('heading', { name: 'The server is busy' }).waitFor();
    failing = false;
    await expect.poll(() => rows(page).count(), { timeout: 15_000 }).toBe(3);
  });

  test('where its host has ever new tokens that are no good', async () => {
    const host = createServer((_request, response) => {
      response.setHeader('Content-Type', 'text/html; charset=utf-8');
      response.end(`<!doctype html><html lang="en"><head><title>Host</title><link rel="icon" href="data:,"></head><body>
        <script type="module" src="${inject('ledgerline').base}/embed/ledgerline-log.js"></script>
        <ledgerline-log token="bad-0"></ledgerline-log>
        <script>
          const log = document.querySelector('ledgerline-log');
          let fresh = 0;
          log.addEventListener('ledgerline-expired', () => { log.token = 'bad-' + ++fresh; });
        </script></body></html>`);
    });
    const { hostPort } = inject('ledgerline');
    await new Promise<void>((listening) => host.listen(hostPort, '127.0.0.1', listening));
    try {
      const origin = `http://127.0.0.1:${hostPort}`;
      const page = await newPage({ origins: [origin], expectedErrors: refusedByServer });
      const asked = questions(page);
      await page.goto(origin);
      await page.locator('.message').waitFor();
      await expectQuiet(page, asked, 3);
    } finally {
      await new Promise((closed) => host.close(closed));
    }
  });
});
