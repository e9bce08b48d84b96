import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { expectAccessible, keepPicture, newPage } from './browser.ts';
import { demoProduct, openLog, Organization, rows, settled } from './ledgerline.ts';

const box = (page: Page) => page.getByRole('combobox', { name: 'Search', exact: true });
const chips = (page: Page) => page.locator('.box .chips button').allInnerTexts();
const chip = async (page: Page) => (await chips(page)).map((text) => text.replace(/\s*×$/, '').replace(/\s+/g, ' '));

let organization: Organization;
let known: { name: string; label: string }[];

async function expectShown(page: Page, names: readonly string[], why = ''): Promise<void> {
  const shown = () => page.locator('tr.row .column-resource .main > bdi:first-child').allInnerTexts();
  await expect.poll(shown, { timeout: 8000, message: why }).toEqual(names);
}

const event = (name: string, rest: Record<string, unknown>) => ({
  resources: [{ type: 'thing', id: name, name }],
  ...rest,
});
const ago = (ms: number) => new Date(Date.now() - ms).toISOString();
const day = 86_400_000;

beforeAll(async () => {
  const product = await demoProduct('scim-platform');
  known = product.actions;
  organization = new Organization(product);
  const [one, two] = [product.actions[0]!, product.actions[1]!];
  await organization.record([
    event('One', {
      action: one.name,
      actor: { kind: 'USER', id: 'user_ada', name: 'Ada Lovelace', email: 'ada@example.com' },
      outcome: 'SUCCESS',
      ipAddress: '10.0.0.1',
      occurredAt: ago(60_000),
      metadata: { note: 'two words here' },
    }),
    event('Two', {
      action: two.name,
      actor: { kind: 'USER', id: 'user_ada', name: 'Ada Lovelace', email: 'ada@example.com' },
      outcome: 'FAILURE',
      ipAddress: '10.0.0.1',
      occurredAt: ago(120_000),
      metadata: { note: 'two words there' },
    }),
    event('Three', {
      action: two.name,
      actor: { kind: 'USER', id: 'user_grace', name: 'Grace Hopper', email: 'grace@example.com' },
      outcome: 'FAILURE',
      ipAddress: '10.0.0.2',
      occurredAt: ago(40 * day),
      metadata: { note: 'words, two' },
    }),
  ]);
});

const everything = ['One', 'Two', 'Three'];

async function open(query = '', options = {}): Promise<Page> {
  const page = await newPage(options);
  await openLog(page, organization.token, query);
  return page;
}

describe('what is typed', () => {
  test('becomes filters where they can say it, terms where not, and words', async () => {
    const page = await open();
    await box(page).pressSequentially(
      `actor:ada action:${known[1]!.name} -outcome:success ip:10.0.0.1 after:7d "two words"`,
    );
    await expectShown(page, ['Two']);
    expect(await chip(page)).toEqual([
      `Action: ${known[1]!.label}`,
      'IP address: 10.0.0.1',
      'Actor: ada',
      'not Outcome: Success',
      'Time range: after:7d',
    ]);
    expect(await box(page).inputValue()).toBe('"two words"');
    await page.getByRole('button', { name: `Action ${known[1]!.label}` }).waitFor();
    expect(await page.locator('tr.row mark').count(), 'the details are not in sight').toBe(0);
    await expectAccessible(page);
    await keepPicture(page, 'query');
    // The address holds all of it.
    const link = new URL(page.url()).search;
    const other = await open(link);
    await expectShown(other, ['Two']);
    expect(await chip(other)).toEqual(await chip(page));
    expect(await box(other).inputValue()).toBe('"two words"');
  });

  test('is asked for while it is typed only where it says something', async () => {
    const page = await open();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.postData() ?? ''));
    await box(page).pressSequentially('outcome:fail');
    await page.waitForTimeout(400);
    expect(asked.filter((body) => body.includes('query Page'))).toEqual([]);
    await expectShown(page, everything);
    await box(page).pressSequentially('ure');
    await expectShown(page, ['Two', 'Three']);
    expect(await box(page).inputValue()).toBe('outcome:failure');
    await box(page).press('Enter');
    expect(await box(page).inputValue()).toBe('');
    await expect.poll(() => chip(page)).toEqual(['Outcome: Failure']);
    await expect.poll(() => page.getByRole('button', { name: /^Failures/ }).getAttribute('aria-pressed')).toBe('true');
  });

  test('goes as a chip by Backspace and by the mouse, and a menu takes its own', async () => {
    const page = await open('?q=actor:ada+has:actor+two&outcome=FAILURE');
    await expectShown(page, ['Two']);
    expect(await chip(page)).toEqual(['Outcome: Failure', 'Actor: ada', 'has: actor']);
    await box(page).press('Home');
    await box(page).press('Backspace');
    await expect.poll(() => chip(page)).toEqual(['Outcome: Failure', 'Actor: ada']);
    expect(await box(page).inputValue()).toBe('two');
    expect(await box(page).evaluate((one) => one.matches(':focus'))).toBe(true);
    await page.getByRole('button', { name: 'Remove filter Actor: ada' }).click();
    await expectShown(page, ['Two', 'Three']);
    await page.getByRole('button', { name: /^Failures/ }).click();
    await expectShown(page, everything);
    expect(new URL(page.url()).search).toBe('?q=two');
    await page.goBack();
    await expectShown(page, ['Two', 'Three']);
    await page.goBack();
    await expect.poll(() => chip(page)).toEqual(['Outcome: Failure', 'Actor: ada']);
  });

  test('of two times, the one that was said last counts', async () => {
    const page = await open('?period=TODAY');
    await box(page).pressSequentially('after:30d ');
    await expect.poll(() => chip(page)).toEqual(['Time range: after:30d']);
    expect(new URL(page.url()).searchParams.has('period')).toBe(false);
    await expectShown(page, ['One', 'Two']);
    await page.getByRole('button', { name: /^Time range: Any time/ }).click();
    await page.getByRole('group', { name: 'Time range' }).getByRole('button', { name: 'Last 90 days' }).click();
    await expectShown(page, everything);
    expect(await chip(page)).toEqual([]);
  });

  test('is offered in part where nothing fits, each with what there would be without it', async () => {
    const page = await open('?q=actor:ada+ip:10.0.0.2+words');
    await page.getByRole('heading', { name: 'No events match' }).waitFor();
    const ways = page.locator('.narrowings button');
    await expect
      .poll(() => ways.allInnerTexts())
      .toEqual([
        expect.stringMatching(/^Without Search: words/),
        expect.stringMatching(/^Without IP address: 10.0.0.2\s*2 events/),
        expect.stringMatching(/^Without Actor: ada\s*1 event/),
      ]);
    await ways.last().click();
    await expectShown(page, ['Three']);
  });

  test('is copied, and exported, as it is asked', async () => {
    const page = await newPage({ permissions: ['clipboard-read', 'clipboard-write'] });
    // An export is told of in the log.
    const own = new Organization(organization.product);
    await own.recordMany(3, (index) => ({
      actor: { kind: 'USER', id: index === 0 ? 'ada' : 'grace' },
      outcome: 'FAILURE',
    }));
    const token = own.tokenWith({ scopes: 'audit:read audit:export' });
    await openLog(page, token, '?q=actor:ada+outcome:failure');
    await page.getByRole('button', { name: 'More', exact: true }).click();
    await page.getByRole('button', { name: 'Copy as GraphQL' }).click();
    const text = await page.evaluate(() => navigator.clipboard.readText());
    expect(text).toContain('"query": "actor:ada"');
    expect(text).toContain('"queryTimeZone": "Europe/Berlin"');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Export' }).click();
    await page.getByRole('button', { name: /^NDJSON/ }).click();
    await page.getByText('The file is ready: 1 event').first().waitFor({ timeout: 20_000 });
  });
});

describe('completion', () => {
  const options = (page: Page) => page.getByRole('listbox', { name: 'Suggestions' }).getByRole('option');

  test('offers fields, values of the catalog and people, by the keyboard', async () => {
    const page = await open();
    await box(page).pressSequentially('outc');
    await options(page).first().waitFor();
    expect(await box(page).getAttribute('aria-expanded')).toBe('true');
    await box(page).press('ArrowDown');
    const active = await box(page).getAttribute('aria-activedescendant');
    expect(await page.locator(`[id="${active}"]`).innerText()).toContain('outcome:');
    await expectAccessible(page);
    await box(page).press('Enter');
    expect(await box(page).inputValue()).toBe('outcome:');
    await expect.poll(() => options(page).allInnerTexts()).toHaveLength(3);
    await keepPicture(page, 'query-completion');
    await box(page).press('ArrowUp');
    await box(page).press('ArrowUp');
    await box(page).press('Enter');
    await expect.poll(() => chip(page)).toEqual(['Outcome: Failure']);
    expect(await box(page).inputValue()).toBe('');
    await expectShown(page, ['Two', 'Three']);
    await box(page).pressSequentially('actor:gr');
    await expect.poll(() => options(page).allInnerTexts()).toEqual([expect.stringContaining('Grace Hopper')]);
    await options(page).first().click();
    await expectShown(page, ['Three']);
    expect(await box(page).evaluate((one) => one.matches(':focus'))).toBe(true);
    await box(page).pressSequentially('actor:');
    await options(page).first().waitFor();
    await box(page).press('Escape');
    expect(await options(page).count()).toBe(0);
    expect(await box(page).inputValue()).toBe('actor:');
    await box(page).press('Escape');
    expect(await box(page).inputValue()).toBe('');
  });

  test('is loaded when somebody types, and asks once for a burst', async () => {
    const page = await newPage();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(`${request.url()} ${request.postData() ?? ''}`));
    await openLog(page, organization.token);
    expect(asked.filter((one) => /\/Completions-/.test(one))).toEqual([]);
    await box(page).pressSequentially('action:', { delay: 5 });
    await options(page).first().waitFor();
    expect(asked.filter((one) => /\/Completions-/.test(one))).toHaveLength(1);
    const questions = asked.filter((one) => one.includes('query Completions'));
    expect(questions.length).toBeLessThanOrEqual(2);
    expect(questions.at(-1)).toContain('"text":"action:"');
  });

  test('that fails leaves the typing alone', async () => {
    const page = await newPage({ expectedErrors: /Failed to load resource/ });
    await openLog(page, organization.token);
    await page.route('**/graphql', (route) =>
      (route.request().postData() ?? '').includes('query Completions') ? route.abort() : route.continue(),
    );
    await box(page).pressSequentially('actor:grace ');
    await expectShown(page, ['Three']);
  });
});

describe('what cannot be understood', () => {
  test('is said at its place, over the rows that stood there, and mended at a press', async () => {
    const page = await newPage({ expectedErrors: /400/ });
    await openLog(page, organization.token);
    await expectShown(page, everything);
    await box(page).pressSequentially('actor:ada outcome:good ');
    const alert = page.locator('.flaw');
    await alert.getByText('It can be success, failure or accepted.').waitFor();
    expect(await alert.locator('.flaw-mark').innerText()).toBe('good');
    expect(await page.locator('.flaw-line .flaw-mark').innerText()).toBe('good');
    expect(await box(page).inputValue()).toBe('outcome:good ');
    expect(await box(page).getAttribute('aria-invalid')).toBe('true');
    expect(await chip(page)).toEqual(['Actor: ada']);
    expect(await rows(page).count(), 'the rows stay').toBeGreaterThan(0);
    await alert.getByText('The list below is as it was before.').waitFor();
    expect(await page.locator('.total').innerText(), 'and no number is said of them').toBe('');
    await expectAccessible(page);
    await keepPicture(page, 'query-flaw');
    await alert.getByRole('button', { name: 'failure' }).click();
    await expectShown(page, ['Two']);
    expect(await alert.count()).toBe(0);
    await expect.poll(() => chip(page)).toEqual(['Outcome: Failure', 'Actor: ada']);
  });

  test('is mended by a slow press, and by the keys alone', async () => {
    const page = await newPage({ expectedErrors: /400/ });
    await openLog(page, organization.token);
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.postData() ?? ''));
    const pages = () => asked.filter((body) => body.includes('query Page')).length;
    const mend = page.locator('.flaw').getByRole('button', { name: 'failure' });
    await box(page).pressSequentially('actor:ada outcome:good ');
    await mend.waitFor();
    const before = pages();
    // Longer than an answer takes: whoever leaves the box has asked for nothing else, so the button stays where it is.
    await mend.click({ delay: 600 });
    await expectShown(page, ['Two']);
    expect(pages(), 'the mended question alone').toBe(before + 1);
    // Nothing of the former flaw is found in another part.
    expect(await chip(page)).toEqual(['Outcome: Failure', 'Actor: ada']);
    expect(await box(page).inputValue()).toBe('');
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await expectShown(page, everything);
    await box(page).pressSequentially('two outcome:good');
    await box(page).press('Enter');
    await mend.waitFor();
    await box(page).press('Tab');
    await page.waitForTimeout(600);
    for (let steps = 0; steps < 10 && !(await mend.evaluate((button) => button.matches(':focus'))); steps++) {
      await page.keyboard.press('Tab');
    }
    await page.waitForTimeout(600);
    await page.keyboard.press('Enter');
    await expectShown(page, ['Two', 'Three']);
    expect(await box(page).evaluate((one) => one.matches(':focus'))).toBe(true);
  });

  test.each([
    ['after:soon ', 'soon', 'It has to be a day such as 2026-11-01'],
    ['ada OR bob', 'OR', 'OR is no operator here.'],
    ['🚀', '🚀', 'It has no letter and no number to look for.'],
    ['-before:today ', '-before:today', 'It cannot be asked for in this way.'],
  ])('as in %j, in words', async (text, piece, why) => {
    const page = await newPage({ expectedErrors: /400/ });
    await openLog(page, organization.token);
    await box(page).fill(text);
    await page.locator('.flaw').getByText(why).waitFor();
    expect(await page.locator('.flaw .flaw-mark').innerText()).toBe(piece);
    await box(page).fill('');
    await expectShown(page, everything);
  });

  test('in a link, in German', async () => {
    const page = await newPage({ expectedErrors: /400/, locale: 'de-DE' });
    await openLog(page, organization.token, '?q=outcome:good');
    await page.locator('.flaw').getByText('Möglich sind success, failure oder accepted.').waitFor();
    expect(await page.getByRole('combobox', { name: 'Suche' }).inputValue()).toBe('outcome:good ');
    await expectAccessible(page);
  });
});

describe('looks right', () => {
  test('right to left, on a phone, in forced colours', async () => {
    const page = await newPage({ expectedErrors: /400/, viewport: { width: 390, height: 844 } });
    await openLog(page, organization.token, '?q=actor:ada+-outcome:success+after:7d+two');
    await expectShown(page, ['Two']);
    const wide = () => page.evaluate(() => document.documentElement.scrollWidth);
    expect(await wide()).toBeLessThanOrEqual(390);
    await keepPicture(page, 'query-390');
    await box(page).press('End');
    await box(page).pressSequentially(' ou');
    await page.getByRole('listbox', { name: 'Suggestions' }).waitFor();
    await expectAccessible(page);
    await keepPicture(page, 'query-390-completion');
    await page.emulateMedia({ forcedColors: 'active' });
    await keepPicture(page, 'query-390-forced');
    await page.emulateMedia({ forcedColors: 'none' });
    await box(page).fill('outcome:good ');
    await page.locator('.flaw').waitFor();
    await page.evaluate(() => document.documentElement.setAttribute('dir', 'rtl'));
    expect(await wide()).toBeLessThanOrEqual(390);
    await keepPicture(page, 'query-390-rtl');
    await expectAccessible(page);
    await page.setViewportSize({ width: 1280, height: 900 });
    await keepPicture(page, 'query-rtl');
  });
});

// What people were found to type, and what is right.
describe('cases from the field', () => {
  const thing = (sourceEventId: string, rest: Record<string, unknown> = {}) => ({
    action: 'thing.done',
    actor: { kind: 'USER', id: 'u1' },
    resources: [{ type: 'thing', id: sourceEventId, name: sourceEventId }],
    sourceEventId,
    ...rest,
  });
  const agent =
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.6099.130 Safari/537.36 Edg/120.0.2210.91';
  const events = [
    thing('hit', { ipAddress: '10.0.0.1' }),
    thing('swapped', { ipAddress: '10.1.0.0' }),
    thing('longer', { ipAddress: '10.0.0.12' }),
    thing('version', { ipAddress: '192.0.2.5', userAgent: 'Browser/10.0 (x 1)' }),
    thing('elsewhere', { metadata: { a: '1.0.0.10' } }),
    ...Object.entries({
      delhi: 'दिल्ली',
      heart: 'दिल',
      'of-f': 'की',
      'of-m': 'का',
      work: 'काम',
      news: 'ข่าว',
      rice: 'ข้าว',
      jp: '開始ユーザー認証完了',
    }).map(([id, w]) => thing(id, { metadata: { w } })),
    thing('zh', { metadata: { w: '雾凇词库部署时实测' } }),
    thing('rocket', { metadata: { note: 'deployed 🚀' } }),
    thing('edge', { userAgent: agent }),
  ];
  let field: Organization;

  beforeAll(async () => {
    const product = await demoProduct('scim-platform');
    field = new Organization(product);
    // In the catalog's own words, where it is not open.
    await field.record(events.map((one) => ({ ...one, action: product.actions[0]!.name })));
  });

  test.each([
    ['02', '10.0.0.1', ['hit', 'longer']],
    ['02', '10.0.0.1 ', ['hit']],
    ['25', 'दिल्ली', ['delhi']],
    ['25', 'की', ['of-f']],
    ['25', 'ข่าว', ['news']],
    ['27', '認証', ['jp']],
    ['27', 'ユーザー', ['jp']],
    ['27', '词库', ['zh']],
    ['31', agent, ['edge']],
  ])('%s: %s', async (_, text, found) => {
    const page = await newPage();
    await openLog(page, field.token);
    await box(page).fill(text);
    const shown = () => page.locator('tr.row .column-resource .main > bdi:first-child').allInnerTexts();
    await expect.poll(async () => (await shown()).toSorted()).toEqual(found.toSorted());
  });

  test('29: what has no word is told, and no list pretends to be its answer', async () => {
    const page = await newPage({ expectedErrors: /400/ });
    await openLog(page, field.token, `?q=${encodeURIComponent('🚀')}`);
    await settled(page);
    await page.locator('.flaw').getByText('It has no letter and no number').waitFor();
    expect(await rows(page).count()).toBe(0);
  });
});
