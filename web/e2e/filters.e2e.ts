import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { expectAccessible, newPage } from './browser.ts';
import { ask, demoProduct, openLog, Organization, rows } from './ledgerline.ts';

const day = 86_400_000;
const ago = (ms: number) => new Date(Date.now() - ms).toISOString();

let organization: Organization;
let signIn: { name: string; label: string; category: { code: string; label: string } };
let other: typeof signIn;

beforeAll(async () => {
  // A product that offers every filter, and shows its actions by name.
  const product = await demoProduct('caputchin');
  const categorised = product.actions.filter((action): action is typeof signIn => action.category !== null);
  signIn = categorised[0]!;
  other = categorised.find(({ category }) => category.code !== signIn.category.code)!;
  organization = new Organization(product);
  await organization.record([
    {
      action: signIn.name,
      actor: { kind: 'USER', id: 'user_ada', name: 'Ada Lovelace', email: 'Ada@Example.com' },
      resources: [{ type: 'project', id: 'p_1', name: 'One' }],
      outcome: 'SUCCESS',
      ipAddress: '203.0.113.1',
      correlationId: 'job_1',
      occurredAt: ago(60_000),
      metadata: { note: 'quarterly review', deep: { word: 'Übergabe' } },
    },
    {
      action: other.name,
      actor: { kind: 'USER', id: 'user_grace', name: 'Grace Hopper', email: 'grace@example.com' },
      resources: [{ type: 'role', id: 'r_1', name: 'Two' }],
      outcome: 'FAILURE',
      ipAddress: '2001:db8::1',
      occurredAt: ago(120_000),
      metadata: { note: 'password reset' },
    },
    {
      action: signIn.name,
      actor: { kind: 'SYSTEM' },
      resources: [{ type: 'project', id: 'p_3', name: 'Three' }],
      outcome: 'ACCEPTED',
      occurredAt: ago(10 * day),
      source: 'scheduler',
    },
    {
      action: other.name,
      actor: { kind: 'API_KEY', id: 'key_1' },
      resources: [{ type: 'role', id: 'r_4', name: 'Four' }],
      occurredAt: ago(40 * day),
    },
  ]);
});

const everything = ['One', 'Two', 'Three', 'Four'];

/** The events on the screen, by the name of their resource. */
async function expectShown(page: Page, names: readonly string[]): Promise<void> {
  const shown = () => page.locator('tr.row .column-resource .main > bdi:first-child').allInnerTexts();
  await expect.poll(shown, { timeout: 5000 }).toEqual(names);
}

async function open(query = '', options = {}): Promise<Page> {
  const page = await newPage(options);
  await openLog(page, organization.token, query);
  await more(page);
  return page;
}

const field = (page: Page, label: string) =>
  page.getByRole(label === 'Search' ? 'combobox' : 'searchbox', { name: label, exact: true });

async function pick(page: Page, picker: string, ...options: string[]): Promise<void> {
  await page.getByRole('button', { name: new RegExp(`^${picker} `) }).click();
  for (const option of options) {
    await page.getByRole('listbox', { name: picker }).getByRole('option', { name: option }).first().click();
  }
  await page.keyboard.press('Escape');
}

/** Shows what stands behind a button. */
async function more(page: Page): Promise<void> {
  const button = page.getByRole('button', { name: /^Filters/ });
  if ((await button.getAttribute('aria-expanded')) === 'false') await button.click();
}

async function chooseRange(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name: /^Time range/ }).click();
  await page.getByRole('group', { name: 'Time range' }).getByRole('button', { name }).click();
}

describe('searching', () => {
  test('finds while one types, and marks what it found', async () => {
    const page = await open();
    await field(page, 'Search').pressSequentially('quart');
    await expectShown(page, ['One']);
    await page.keyboard.press('Escape');
    await expectShown(page, everything);
    await field(page, 'Search').fill('lovel');
    await expectShown(page, ['One']);
    await expect.poll(() => page.locator('tr.row mark').allInnerTexts()).toEqual(['Lovel']);
  });

  test('finds labels, and words in any script of any depth', async () => {
    const page = await open();
    await field(page, 'Search').fill(signIn.label);
    await expectShown(page, ['One', 'Three']);
    await field(page, 'Search').fill('überg');
    await expectShown(page, ['One']);
  });

  test('says when nothing matches, and offers the way back', async () => {
    const page = await open('?q=xyzzy');
    await page.getByRole('heading', { name: 'No events match' }).waitFor();
    await expectAccessible(page);
    await page.locator('.message').getByRole('button', { name: 'Clear filters' }).click();
    await expectShown(page, everything);
  });
});

describe('filtering', () => {
  test('by category, which narrows the actions and drops those that no longer fit', async () => {
    const page = await open();
    await pick(page, 'Action', signIn.name);
    await expectShown(page, ['One', 'Three']);
    await pick(page, 'Category', other.category.label);
    await expectShown(page, ['Two', 'Four']);
    await page.getByRole('button', { name: /^Action / }).click();
    const panel = page.getByRole('listbox', { name: 'Action' });
    expect(await panel.getByText(signIn.name, { exact: true }).count()).toBe(0);
    expect(await panel.getByText(other.name, { exact: true }).count()).toBe(1);
    await expectAccessible(page);
  });

  test('by several actions at once', async () => {
    const page = await open();
    await pick(page, 'Action', signIn.name, other.name);
    await expectShown(page, everything);
    await page.getByRole('button', { name: `Remove filter Action: ${other.name}` }).click();
    await expectShown(page, ['One', 'Three']);
  });

  test('by a part of the address, whatever its case', async () => {
    const page = await open();
    await field(page, 'E-mail').fill('ADA@');
    await expectShown(page, ['One']);
    await field(page, 'E-mail').fill('example.com');
    await expectShown(page, ['One', 'Two']);
  });

  test.each([
    ['Outcome', 'Failure', ['Two']],
    ['Kind of actor', 'Access token', ['Four']],
    ['Actor', 'Grace Hopper', ['Two']],
  ])('by %s', async (picker, option, names) => {
    const page = await open();
    await pick(page, picker, option);
    await expectShown(page, names);
  });

  test.each([
    ['Resource type', 'role', ['Two', 'Four']],
    ['Resource ID', 'p_3', ['Three']],
    ['Resource name', 'Four', ['Four']],
    ['IP address', '2001:db8::1', ['Two']],
  ])('by %s', async (label, value, names) => {
    const page = await open();
    await page.getByLabel(label, { exact: true }).fill(value);
    await page.keyboard.press('Enter');
    await expectShown(page, names);
  });

  test('by a preset of the reader’s own days', async () => {
    const page = await open();
    await chooseRange(page, 'Last 30 days');
    await expectShown(page, ['One', 'Two', 'Three']);
    await chooseRange(page, 'Last 7 days');
    await expectShown(page, ['One', 'Two']);
    await chooseRange(page, 'Last 15 minutes');
    await expectShown(page, ['One', 'Two']);
    await expectAccessible(page);
    await chooseRange(page, 'Any time');
    await expectShown(page, everything);
  });

  test('by one log of several', async () => {
    const { token } = await demoProduct('capydb');
    const { viewer } = await ask(token, '{ viewer { logs { level externalId name } } }');
    const nested = viewer.logs.at(-1);
    const { auditEvents } = await ask(
      token,
      'query ($log: AuditLogInput) { auditEvents(log: $log, first: 25) { nodes { id } totalCount } }',
      { log: { level: nested.level, id: nested.externalId } },
    );
    const page = await newPage();
    await openLog(page, token);
    await more(page);
    await page.getByRole('combobox', { name: 'Log' }).selectOption(`${nested.level}:${nested.externalId}`);
    await page.getByText(`1 to ${auditEvents.nodes.length} of ${auditEvents.totalCount}`, { exact: true }).waitFor();
    expect(new URL(page.url()).searchParams.get('log')).toBe(`${nested.level}:${nested.externalId}`);
    await page.getByRole('button', { name: /^Remove filter Log/ }).click();
    expect(await page.locator('.results:focus').count(), 'the focus is somewhere').toBe(1);
  });

  test('by a value of an open row', async () => {
    const page = await open();
    await rows(page).first().click();
    await page.getByRole('button', { name: 'job_1', exact: true }).click();
    await page.getByRole('button', { name: 'Filter by job_1' }).click();
    await expectShown(page, ['One']);
  });

  test('by all at once, and none after Clear filters', async () => {
    const page = await open();
    await field(page, 'Search').fill('one');
    await pick(page, 'Category', signIn.category.label);
    await field(page, 'E-mail').fill('ada');
    await expectShown(page, ['One']);
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await expectShown(page, everything);
    expect(new URL(page.url()).search).toBe('');
    expect(await field(page, 'Search').inputValue()).toBe('');
  });
});

describe('dates', () => {
  test('take in the whole last day in the reader’s zone', async () => {
    const product = await demoProduct('cloud-sessions');
    const dated = new Organization(product);
    const at = (occurredAt: string, id: string) => ({
      action: product.actions[0]!.name,
      actor: { kind: 'USER', id, name: id },
      occurredAt,
    });
    // 26 October 2025 has 25 hours in Berlin: from 22:00 UTC on the 25th to 23:00 UTC on the 26th.
    await dated.record([
      at('2025-10-25T21:59:59.999999999Z', 'before'),
      at('2025-10-25T22:00:00Z', 'first'),
      at('2025-10-26T22:59:59.999999999Z', 'last'),
      at('2025-10-26T23:00:00Z', 'after'),
    ]);
    const page = await newPage();
    await openLog(page, dated.token);
    await page.getByRole('button', { name: /^Time range/ }).click();
    await page.getByLabel('From', { exact: true }).fill('2025-10-26');
    await page.getByLabel('To', { exact: true }).fill('2025-10-26');
    await page.keyboard.press('Tab');
    const actors = () => page.locator('tr.row .column-actor .main > bdi').allInnerTexts();
    await expect.poll(actors).toEqual(['last', 'first']);

    const elsewhere = await newPage({ timezoneId: 'Asia/Tokyo' });
    await openLog(elsewhere, dated.token, new URL(page.url()).search);
    const seen = () => elsewhere.locator('tr.row .column-actor .main > bdi').allInnerTexts();
    await expect.poll(seen, { message: 'a link means the days of who sent it' }).toEqual(['last', 'first']);
    await elsewhere.getByText('Times in Europe/Berlin').waitFor();
  });

  test('can be drawn on the histogram', async () => {
    const page = await open();
    const drawing = page.locator('.drawing:not(.stale) .bars');
    await drawing.waitFor();
    const bars = await page.locator('.bar').count();
    const { x, y, width } = (await drawing.boundingBox())!;
    await page.mouse.move(x + width - 3, y + 20);
    await page.mouse.down();
    await page.mouse.move(x + width * 0.6, y + 20, { steps: 5 });
    await page.mouse.up();
    await expectShown(page, ['One', 'Two', 'Three']);
    expect(new URL(page.url()).searchParams.has('from')).toBe(true);
    expect(await page.locator('.bar').count(), 'the whole span stays').toBe(bars);
    expect(await page.locator('.bar.chosen').count()).toBeLessThan(bars);
  });
});
