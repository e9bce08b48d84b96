import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectAccessible, keepPicture, newPage } from './browser.ts';
import { element, Host } from './host.ts';
import { demoProduct, openLog, Organization, rows, settled } from './ledgerline.ts';

const host = new Host();
let organization: Organization;
let labels: string[];
const ada = { kind: 'USER', id: 'user_ada', name: 'Ada Lovelace', email: 'ada@example.com' };
const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();

beforeAll(async () => {
  await host.start();
  const product = await demoProduct('scim-platform');
  const [one, two] = [product.actions[0]!, product.actions[1]!];
  labels = [one.label, two.label];
  organization = new Organization(product);
  await organization.record([
    {
      action: one.name,
      actor: ada,
      correlationId: 'job_1',
      ipAddress: '10.0.0.1',
      occurredAt: ago(3),
      resources: [
        { type: 'user', id: 'u/1?x', name: 'The resource' },
        { type: 'role', id: 'r_1' },
      ],
    },
    {
      action: two.name,
      actor: ada,
      correlationId: 'job_1',
      ipAddress: '10.0.0.1',
      outcome: 'FAILURE',
      occurredAt: ago(2),
    },
    { action: two.name, actor: ada, correlationId: 'job_2', ipAddress: '10.0.0.2', occurredAt: ago(60 * 24 * 50) },
    { action: two.name, actor: { kind: 'SYSTEM' }, occurredAt: ago(1) },
  ]);
});

afterAll(() => host.stop());

const questions = (page: Page) => {
  const asked: string[] = [];
  page.on('request', (request) => {
    const name = /query (\w+)/.exec(request.postData() ?? '')?.[1];
    if (name) asked.push(name);
  });
  return asked;
};
const details = (page: Page) => page.locator('.details');

describe('events of the same correlation id', () => {
  test('are asked for when they are opened, in the order in which they happened, and lead to each other', async () => {
    const page = await newPage();
    const asked = questions(page);
    await openLog(page, organization.token);
    await rows(page).nth(1).click();
    await details(page).getByText('Events of the same correlation ID').waitFor();
    expect(asked).not.toContain('Related');
    await details(page).getByText('Events of the same correlation ID').click();
    const related = details(page).locator('.related-event');
    await expect.poll(() => related.count()).toBe(2);
    const texts = await related.allInnerTexts();
    expect(texts[0]).toContain(labels[0]);
    expect(texts[1]).toMatch(/Failed/);
    expect(await related.nth(1).getAttribute('aria-current')).toBe('true');
    await expectAccessible(page);
    await keepPicture(page, 'related');
    const former = new URL(page.url()).searchParams.get('event');
    await related.first().click();
    await expect.poll(() => new URL(page.url()).searchParams.get('event')).not.toBe(former);
    await details(page)
      .getByRole('heading', { name: new RegExp(labels[0]!) })
      .waitFor();
    expect(await rows(page).count(), 'the list is as it was').toBe(4);
  });

  test('are not offered where an event has none', async () => {
    const page = await newPage();
    await openLog(page, organization.token);
    await rows(page).first().click();
    await details(page).waitFor();
    expect(await details(page).getByText('Events of the same correlation ID').count()).toBe(0);
    expect(await details(page).getByText('About this actor').count(), 'nor is nobody somebody').toBe(0);
  });

  test('can be asked for again where that failed', async () => {
    const page = await newPage({ expectedErrors: /Failed to load resource/ });
    await openLog(page, organization.token);
    await rows(page).nth(1).click();
    let failures = 1;
    await page.route('**/graphql', (route) =>
      (route.request().postData() ?? '').includes('query Related') && failures-- > 0 ? route.abort() : route.continue(),
    );
    await details(page).getByText('Events of the same correlation ID').click();
    await details(page).getByRole('button', { name: 'Try again' }).click();
    await expect.poll(() => details(page).locator('.related-event').count()).toBe(2);
  });
});

describe('the card of an actor', () => {
  test('says when they were seen, what they do, and from where', async () => {
    const page = await newPage();
    const asked = questions(page);
    await openLog(page, organization.token);
    await rows(page).nth(1).click();
    await details(page).getByText('About this actor').waitFor();
    expect(asked).not.toContain('ActorCard');
    await details(page).getByText('About this actor').click();
    const card = page.locator('.actor-card');
    await card.getByText('3 events', { exact: true }).waitFor();
    expect(await card.locator('.ranking').first().locator('li').allInnerTexts()).toEqual([
      expect.stringMatching(new RegExp(`${labels[1]}\\s*2`)),
      expect.stringMatching(new RegExp(`${labels[0]}\\s*1`)),
    ]);
    expect(await card.locator('.ranking').last().locator('li').allInnerTexts()).toEqual([
      expect.stringMatching(/10\.0\.0\.1\s*2/),
      expect.stringMatching(/10\.0\.0\.2\s*1/),
    ]);
    expect(await card.locator('time').allInnerTexts()).toHaveLength(2);
    await expectAccessible(page);
    await keepPicture(page, 'actor-card');
    await card.getByRole('button', { name: '10.0.0.2', exact: true }).click();
    await card.getByRole('button', { name: 'Filter by 10.0.0.2' }).click();
    await expect.poll(() => rows(page).count()).toBe(1);
  });

  test('fits a phone, right to left', async () => {
    const page = await newPage({ viewport: { width: 390, height: 844 } });
    await openLog(page, organization.token);
    await rows(page).nth(1).click();
    await details(page).getByText('About this actor').click();
    await page.locator('.actor-card .ranking').last().waitFor();
    await page.evaluate(() => document.documentElement.setAttribute('dir', 'rtl'));
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    await expectAccessible(page);
    await page.locator('.actor-card').scrollIntoViewIfNeeded();
    await keepPicture(page, 'actor-card-390-rtl');
  });
});

describe('pages of the host', () => {
  test('are led to by the type of a resource, with values that stay values', async () => {
    const links = JSON.stringify({ user: 'https://app.example/users/{id}', role: 'javascript:alert("{id}")' });
    const page = await host.open(
      '/links',
      `<main><h1>Settings</h1><script type="module" src="${element()}"></script>
       <ledgerline-log token="${organization.token}" resource-links='${links}'></ledgerline-log></main>`,
    );
    await settled(page);
    await rows(page).nth(2).click();
    const link = details(page).getByRole('link');
    await link.waitFor();
    expect(await link.count()).toBe(1);
    expect(await link.getAttribute('href')).toBe('https://app.example/users/u%2F1%3Fx');
    expect(await link.getAttribute('rel')).toBe('noopener');
    expect(await link.getAttribute('aria-label')).toBe('Open The resource in a new tab');
    await expectAccessible(page);
    await page.evaluate(() => {
      const log = document.querySelector('ledgerline-log') as unknown as { resourceLinks: object };
      log.resourceLinks = { role: '/roles/{id}' };
    });
    // The row stays open.
    await expect
      .poll(() => link.evaluateAll((all) => all.map((one) => (one as HTMLAnchorElement).href)))
      .toEqual([new URL('/roles/r_1', page.url()).href]);
  });
});
