// What people do with a log besides reading it.
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { describe, expect, inject, test } from 'vitest';
import { expectAccessible, keepPicture, newPage } from './browser.ts';
import { ask, demoProduct, openLog, Organization, rows, settled } from './ledgerline.ts';

const clipboard = { permissions: ['clipboard-read', 'clipboard-write'] };
const copied = (page: Page) => page.evaluate(() => navigator.clipboard.readText());

async function filled(name = 'scim-platform', count = 30): Promise<Organization> {
  const organization = new Organization(await demoProduct(name));
  await organization.recordMany(count, (index) => ({
    actor: { kind: 'USER', id: `u_${index % 3}`, name: `Person ${index % 3}` },
    ...(index % 10 === 0 ? { outcome: 'FAILURE' } : {}),
  }));
  return organization;
}

const manager = (organization: Organization) => organization.tokenWith({ scopes: 'audit:read audit:manage' });

describe('export', () => {
  test.each([
    ['CSV', /^id,sequence,occurred_at/],
    ['NDJSON', /^\{"id":"evt_/],
  ])('gives the filtered list as %s', async (format, begins) => {
    const organization = await filled();
    const page = await newPage({ acceptDownloads: true });
    await openLog(page, manager(organization), '?outcome=FAILURE');
    await page.getByRole('button', { name: 'Export' }).click();
    await page.getByText('All 3 events of this list, as a file.').waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: new RegExp(`^${format} `) }).click();
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Download' }).click({ timeout: 20_000 });
    await page.locator('.export-panel', { hasText: 'The file is ready: 3 events' }).waitFor();
    await keepPicture(page, `export-${format}`);
    const text = readFileSync(await (await download).path(), 'utf8');
    expect(text).toMatch(begins);
    expect(text.trim().split('\n')).toHaveLength(format === 'CSV' ? 4 : 3);
  });

  test('is not offered to whoever may not, and says when it is refused', async () => {
    const organization = await filled();
    const page = await newPage();
    await openLog(page, organization.token);
    expect(await page.getByRole('button', { name: 'Export' }).count()).toBe(0);
    await page.route('**/graphql', (route) =>
      (route.request().postData() ?? '').includes('CreateExport')
        ? route.fulfill({ json: { errors: [{ message: 'no', extensions: { code: 'FORBIDDEN' } }] } })
        : route.continue(),
    );
    await openLog(page, manager(organization));
    await page.getByRole('button', { name: 'Export' }).click();
    await page.getByRole('button', { name: /^CSV / }).click();
    await page.getByText('Your sign-in does not allow exports of this log.').waitFor();
    await expectAccessible(page);
  });

  test('is not offered by a product that has none, whatever the token says, and neither is what nobody may know', async () => {
    const organization = new Organization(await demoProduct('caputchin'));
    await organization.recordMany(1);
    const page = await newPage();
    const answered = page.waitForResponse((response) =>
      (response.request().postData() ?? '').includes('query MayExport'),
    );
    await openLog(page, organization.tokenWith({ scopes: 'audit:read audit:export audit:manage' }));
    await answered;
    await page.waitForTimeout(300);
    expect(await page.getByRole('button', { name: 'Export' }).count()).toBe(0);
    expect(await page.locator('.heading').innerText()).not.toMatch(/kept for/);
  });

  test('stands beside how long events are kept, for whoever may know', async () => {
    const organization = await filled();
    const token = manager(organization);
    const { auditRetention } = await ask(token, '{ auditRetention { levels { days } } }');
    const { days } = auditRetention.levels[0];
    const page = await newPage();
    await openLog(page, token);
    const told = days === null ? 'kept for ever' : `kept for ${days.toLocaleString('en-GB')} days`;
    await page.locator('.heading').getByText(told).waitFor();
    await page.getByRole('button', { name: 'Export' }).waitFor();
  });

  test('goes on where a look at it fails', async () => {
    const organization = await filled();
    const page = await newPage({ expectedErrors: /Failed to load resource/ });
    let failures = 2;
    await page.route('**/graphql', (route) =>
      (route.request().postData() ?? '').includes('query Export') && failures-- > 0 ? route.abort() : route.continue(),
    );
    await openLog(page, manager(organization));
    await page.getByRole('button', { name: 'Export' }).click();
    await page.getByRole('button', { name: /^CSV / }).click();
    await page.locator('.export-panel', { hasText: 'The file is ready: 30 events' }).waitFor({ timeout: 20_000 });
  });
});

describe('an event', () => {
  test('has a link that opens it from anywhere, and is found by its id', async () => {
    const organization = await filled('capydb');
    const { auditEvents } = await ask(organization.token, '{ auditEvents(last: 1) { nodes { id } } }');
    const { id } = auditEvents.nodes[0];
    const page = await newPage(clipboard);
    await openLog(page, organization.token, '?outcome=FAILURE');
    await page.getByRole('combobox', { name: 'Search' }).fill(id);
    await expect.poll(() => new URL(page.url()).searchParams.get('event')).toBe(id);
    await page.locator('.details').waitFor();
    await expect.poll(() => page.locator('.details').innerText()).toContain(id);
    expect(await page.getByRole('combobox', { name: 'Search' }).inputValue()).toBe('');
    await page.getByRole('button', { name: 'Copy link' }).click();
    const link = new URL(await copied(page));
    expect([...link.searchParams.keys()], 'no filter goes with it').toEqual(['event']);
    await openLog(page, organization.token, link.search);
    await page.locator('.details').waitFor();
    await expect.poll(() => page.locator('.details').innerText()).toContain(id);
    await openLog(page, organization.token, '?q=evt_00000000000000000000000');
    await page.getByText('The linked event does not exist').waitFor();
  });

  test('offers each value to filter, to leave out and to copy', async () => {
    const organization = await filled();
    const page = await newPage(clipboard);
    await openLog(page, organization.token);
    await rows(page).first().click();
    const value = () => page.locator('.details').getByRole('button', { name: 'u_2', exact: true });
    await value().click();
    await expectAccessible(page);
    await keepPicture(page, 'value-menu');
    await page.getByRole('button', { name: 'Copy u_2' }).click();
    expect(await copied(page)).toBe('u_2');
    await value().click();
    await page.getByRole('button', { name: 'Leave out u_2' }).click();
    await expect.poll(() => rows(page).count()).toBe(20);
    const chip = page.getByRole('button', { name: 'Remove filter not Actor: u_2' });
    await chip.waitFor();
    await expectAccessible(page);
    await page.reload();
    await settled(page);
    expect(await rows(page).count(), 'the address says it').toBe(20);
    await chip.click();
    await expect.poll(() => rows(page).count()).toBe(25);
  });

  test('can be asked again by a developer, without its token', async () => {
    const organization = await filled();
    const page = await newPage(clipboard);
    await openLog(page, organization.token, '?outcome=FAILURE');
    await page.getByRole('button', { name: 'More', exact: true }).click();
    await page.getByRole('button', { name: 'Copy as cURL' }).click();
    const command = await copied(page);
    expect(command).toContain(`curl '${inject('ledgerline').base}/graphql'`);
    expect(command).toContain('"outcomes":["FAILURE"]');
    expect(command).not.toContain(organization.token);
    const { execFileSync } = await import('node:child_process');
    const answer = execFileSync('sh', ['-c', command], { env: { ...process.env, TOKEN: organization.token } });
    expect(JSON.parse(String(answer)).data.auditEvents.edges).toHaveLength(3);
    await page.getByRole('button', { name: 'Copy as GraphQL' }).click();
    expect(await copied(page)).toMatch(/^query Page\(/);
  });

  test('beside the list follows the arrows', async () => {
    const organization = await filled();
    const page = await newPage();
    await openLog(page, organization.token);
    await page.locator('.opener').first().focus();
    await page.keyboard.press('Enter');
    const panel = page.getByRole('complementary', { name: 'Details' });
    await panel.waitFor();
    const first = new URL(page.url()).searchParams.get('event');
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => new URL(page.url()).searchParams.get('event')).not.toBe(first);
    expect(await rows(page).nth(1).getAttribute('class')).toContain('open');
    await expect.poll(() => panel.innerText()).toContain('Person 1');
    await page.goBack();
    await expect.poll(() => page.locator('.details').count(), { message: 'one step back closes it' }).toBe(0);
    await page.goForward();
    await panel.waitFor();
    await page.locator('.opener').nth(1).focus();
    await page.keyboard.press('Escape');
    expect(await panel.count()).toBe(0);
  });
});

describe('times', () => {
  test('are chosen to the minute', async () => {
    const organization = new Organization(await demoProduct('cloud-sessions'));
    const at = (occurredAt: string) => ({ occurredAt, actor: { kind: 'USER', name: occurredAt } });
    const instants = ['2026-03-10T08:59:59.9Z', '2026-03-10T09:00:00Z', '2026-03-10T09:15:59Z', '2026-03-10T09:16:00Z'];
    await organization.recordMany(4, (index) => at(instants[index]!));
    const page = await newPage();
    await openLog(page, organization.token);
    await page.getByRole('button', { name: /^Time range/ }).click();
    await page.getByLabel('From', { exact: true }).fill('2026-03-10');
    await page.getByLabel('From, time of day').fill('10:00');
    await page.getByLabel('To', { exact: true }).fill('2026-03-10');
    await page.getByLabel('To, time of day').fill('10:15');
    await page.keyboard.press('Escape');
    await expect.poll(() => rows(page).count()).toBe(2);
    expect(new URL(page.url()).searchParams.get('to')).toBe('2026-03-10T10:15');
    await page.getByRole('button', { name: 'Time range: 10 Mar, 10:00 to 10 Mar, 10:15' }).waitFor();
  });

  test.each([
    ['Last 15 minutes', 16],
    ['Last 24 hours', 25],
    ['Last 7 days', 56],
  ])('of the %s have bars of their own length, and one of them can be chosen', async (name, bars) => {
    const organization = await filled('scim-platform', 12);
    const page = await newPage();
    await openLog(page, organization.token);
    await page.getByRole('button', { name: /^Time range/ }).click();
    await page.getByRole('group', { name: 'Time range' }).getByRole('button', { name }).click();
    await expect.poll(() => page.locator('.drawing:not(.stale) .bar').count()).toBeGreaterThanOrEqual(bars);
    expect(await page.locator('.bar').count()).toBeLessThanOrEqual(bars + 1);
    const filledBars = page.locator('.bar:has(.count:not([style*="height: 0%"]))');
    await filledBars.last().click();
    await expect.poll(() => new URL(page.url()).searchParams.get('from')).toMatch(/T\d\d:\d\d$/);
    await expect.poll(() => rows(page).count()).toBeGreaterThan(0);
    await page.getByRole('button', { name: 'Show the whole range' }).click();
    await expect.poll(() => new URL(page.url()).searchParams.get('from')).toBeNull();
  });
});

describe('live', () => {
  test('new rows come in, tinted, where nobody reads on; late ones are announced', { timeout: 60_000 }, async () => {
    const organization = await filled('workspace', 5);
    const page = await newPage();
    await openLog(page, organization.token);
    await page.locator('.total', { hasText: '5 events' }).waitFor();
    await organization.recordMany(2, () => ({ occurredAt: new Date().toISOString() }));
    await page.locator('tr.row.fresh').nth(1).waitFor({ timeout: 20_000 });
    expect(await rows(page).count()).toBe(7);
    await page.locator('.total', { hasText: '7 events' }).waitFor();
    await expectAccessible(page);
    await keepPicture(page, 'live');
    await organization.recordMany(1, () => ({ occurredAt: '2026-01-01T00:00:00Z' }));
    await page.getByRole('button', { name: '1 late event, further down · Show' }).click({ timeout: 20_000 });
    await expect.poll(() => rows(page).count()).toBe(8);
  });

  test('waits while a row is open', { timeout: 60_000 }, async () => {
    const organization = await filled('workspace', 5);
    const page = await newPage();
    await openLog(page, organization.token);
    await rows(page).nth(2).click();
    await organization.recordMany(1, () => ({ occurredAt: new Date().toISOString() }));
    await page.getByRole('button', { name: '1 new event · Show' }).waitFor({ timeout: 20_000 });
    expect(await rows(page).count()).toBe(5);
  });
});

describe('how one likes it', () => {
  test('compact rows and columns are remembered', async () => {
    const organization = await filled();
    const page = await newPage();
    await openLog(page, organization.token);
    const height = async () => (await rows(page).first().boundingBox())!.height;
    expect(Math.round(await height())).toBeLessThanOrEqual(41);
    await page.getByRole('button', { name: 'More', exact: true }).click();
    await page.getByRole('checkbox', { name: 'Compact rows' }).check();
    await page.getByRole('checkbox', { name: 'Category' }).uncheck();
    await expectAccessible(page);
    await keepPicture(page, 'more-menu');
    await page.reload();
    await settled(page);
    expect(Math.round(await height())).toBeLessThanOrEqual(33);
    expect(await page.locator('thead th').allInnerTexts()).not.toContain('Category');
  });

  test('the keys are told', async () => {
    const organization = await filled();
    const page = await newPage();
    await openLog(page, organization.token);
    await page.locator('body').press('?');
    const dialog = page.getByRole('dialog', { name: 'Keyboard' });
    await dialog.waitFor();
    await expectAccessible(page);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('combobox', { name: 'Search' }).fill('');
    await page.getByRole('combobox', { name: 'Search' }).press('?');
    expect(await dialog.count(), 'not while one types').toBe(0);
  });
});

test('where nothing matches, it says which filter to drop, and what there would be', async () => {
  const organization = await filled();
  const page = await newPage();
  await openLog(page, organization.token, '?outcome=FAILURE&actor=nobody');
  await page.getByRole('heading', { name: 'No events match' }).waitFor();
  await page.getByRole('button', { name: 'Without Outcome: Failure 0 events' }).waitFor();
  await expectAccessible(page);
  await keepPicture(page, 'state-nothing');
  await page.getByRole('button', { name: 'Without Actor: nobody 3 events' }).click();
  await expect.poll(() => rows(page).count()).toBe(3);
});

test.each([780, 560, 360])('fits into %d pixels of a host’s page', async (width) => {
  const organization = await filled('capydb', 30);
  const page = await newPage({ viewport: { width: 1280, height: 800 } });
  await openLog(page, organization.token);
  await page.evaluate((px) => {
    document.querySelector('main')!.style.width = `${px}px`;
    document.querySelector('main')!.style.padding = '0';
    document.querySelector('main')!.style.margin = '0';
  }, width);
  await expect.poll(() => page.locator('table.two-lined').count()).toBe(width < 560 ? 1 : 0);
  const beyond = await page.locator('ledgerline-log').evaluate((log) => {
    const edge = log.getBoundingClientRect().right + 1;
    return [...log.shadowRoot!.querySelectorAll('.toolbar, .histogram, .list, table, .heading, .pager')].filter(
      (part) => part.getBoundingClientRect().right > edge,
    ).length;
  });
  expect(beyond).toBe(0);
  await rows(page).first().click();
  await page.locator('.details').waitFor();
  await expectAccessible(page);
  await keepPicture(page, `container-${width}`);
});

test.each([360, 640, 1280])('what opens at %d pixels stays within the page', async (width) => {
  const organization = await filled('scim-platform');
  const page = await newPage({ viewport: { width, height: 800 } });
  await openLog(page, manager(organization));
  const inside = async (button: string | RegExp) => {
    await page.getByRole('button', { name: button }).first().click();
    const panel = page.locator('.panel');
    await panel.locator('button, input, label').first().waitFor();
    const { x, width: wide } = (await panel.boundingBox())!;
    expect(x, String(button)).toBeGreaterThanOrEqual(0);
    expect(x + wide, String(button)).toBeLessThanOrEqual(width);
    await page.keyboard.press('Escape');
    await panel.waitFor({ state: 'detached' });
  };
  for (const dir of ['ltr', 'rtl']) {
    await page.evaluate((direction) => document.querySelector('ledgerline-log')!.setAttribute('dir', direction), dir);
    for (const button of [/^Time range/, 'Export', 'More']) await inside(button);
    const filters = page.getByRole('button', { name: 'Filters', exact: true });
    if ((await filters.isVisible()) && (await filters.getAttribute('aria-expanded')) === 'false') await filters.click();
    for (const button of [/^Category /, /^Action /]) await inside(button);
  }
});

test('colours forced by the reader, and paper', async () => {
  const organization = await filled();
  const page = await newPage({ forcedColors: 'active' });
  await openLog(page, organization.token);
  await page.locator('.bar .failed').first().waitFor();
  await expectAccessible(page);
  await keepPicture(page, 'forced-colours');
  const paper = await newPage();
  await openLog(paper, organization.token);
  await paper.emulateMedia({ media: 'print' });
  // The style of paper comes a moment after the rows.
  await expect.poll(() => paper.locator('button').filter({ visible: true }).count()).toBe(0);
  await expect.poll(() => paper.locator('tr.row').filter({ visible: true }).count()).toBe(25);
  await keepPicture(paper, 'print');
});
