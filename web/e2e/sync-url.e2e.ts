import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { element, Host, hostOrigin } from './host.ts';
import { demoProduct, Organization, rows, settled } from './ledgerline.ts';

const host = new Host();
let organization: Organization;

beforeAll(async () => {
  organization = new Organization(await demoProduct('scim-platform'));
  await organization.recordMany(30);
  await host.start();
});

afterAll(() => host.stop());

const log = (attributes = '') => `<ledgerline-log token="${organization.token}" ${attributes}></ledgerline-log>`;
const around = (logs: string) =>
  `<main><h1>Settings</h1><script type="module" src="${element()}"></script>${logs}</main>`;

describe('the address of a host', () => {
  test('keeps the host’s own parameters, whatever their names, and its fragment', async () => {
    const own = '?q=shoes&from=home&action=edit&log=off';
    const page = await host.open(`/own${own}#tab`, around(log('sync-url="audit"')));
    await settled(page);
    expect(await rows(page).count(), 'none of them filters the log').toBe(25);
    await page.getByRole('combobox', { name: 'Search' }).fill('person');
    await expect.poll(() => page.url()).toBe(`${hostOrigin()}/own${own}&audit-q=person#tab`);
    await rows(page).first().click();
    await expect.poll(() => page.url()).toContain('&audit-event=');
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await expect.poll(() => page.url()).toBe(`${hostOrigin()}/own${own}#tab`);
    await page.goBack();
    await expect.poll(() => page.getByRole('combobox', { name: 'Search' }).inputValue()).toBe('person');
    await page.reload();
    await settled(page);
    expect(await page.getByRole('combobox', { name: 'Search' }).inputValue()).toBe('person');
  });

  test('holds two logs beside each other', async () => {
    const page = await host.open(
      '/two',
      around(log('id="a" sync-url="a" page-size="3"') + log('id="b" sync-url="b" page-size="4"')),
    );
    const search = (id: string) => page.locator(`#${id}`).getByRole('combobox', { name: 'Search' });
    await expect.poll(() => rows(page).count()).toBe(7);
    await search('a').fill('person');
    await expect.poll(() => page.url()).toBe(`${hostOrigin()}/two?a-q=person`);
    await search('b').fill('nobody');
    await expect.poll(() => page.url()).toBe(`${hostOrigin()}/two?a-q=person&b-q=nobody`);
    expect(await search('a').inputValue()).toBe('person');
    await page.goBack();
    await expect.poll(() => search('b').inputValue()).toBe('');
    expect(await search('a').inputValue()).toBe('person');
  });

  test('is that of the first of two logs that would write over each other, and the other is told', async () => {
    const warnings: string[] = [];
    const page = await host.open('/fight', around(log('id="a" sync-url="audit" page-size="3"')));
    page.on('console', (message) => message.type() === 'warning' && warnings.push(message.text()));
    await expect.poll(() => rows(page).count()).toBe(3);
    await page.evaluate(
      (html) => document.querySelector('main')!.insertAdjacentHTML('beforeend', html),
      log('id="b" sync-url="audit" page-size="4"'),
    );
    await expect.poll(() => rows(page).count()).toBe(7);
    expect(warnings.join()).toContain('another one has sync-url="audit"');
    await page.locator('#b').getByRole('combobox', { name: 'Search' }).fill('nobody');
    await page.locator('#b').getByRole('heading', { name: 'No events match' }).waitFor();
    expect(page.url()).toBe(`${hostOrigin()}/fight`);
    await page.locator('#a').getByRole('combobox', { name: 'Search' }).fill('person');
    await expect.poll(() => page.url()).toBe(`${hostOrigin()}/fight?audit-q=person`);
    // Who goes leaves the address to whoever comes.
    await page.evaluate(() => document.querySelector('#a')!.remove());
    await page.evaluate(() => document.querySelector('#b')!.setAttribute('page-size', '5'));
    await expect.poll(() => rows(page).count()).toBe(5);
    expect(await page.locator('#b').getByRole('combobox', { name: 'Search' }).inputValue()).toBe('person');
  });
});

describe('a link to an event', () => {
  const permissions = { permissions: ['clipboard-read', 'clipboard-write'] };

  test('is not offered where nothing would open it', async () => {
    const page = await host.open('/nowhere', around(log()));
    await settled(page);
    await rows(page).first().click();
    await page.getByRole('button', { name: 'Copy as JSON' }).waitFor();
    expect(await page.getByRole('button', { name: 'Copy link' }).count()).toBe(0);
  });

  test('opens it where the address holds the view', async () => {
    const page = await host.open('/linked', around(log('sync-url="audit"')), permissions);
    await settled(page);
    await rows(page).nth(3).click();
    await page.getByRole('button', { name: 'Copy link' }).click();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    expect(link).toMatch(new RegExp(`^${hostOrigin()}/linked\\?audit-event=evt_\\w+$`));
    await page.goto('about:blank');
    await page.goto(link);
    await page.locator('tr.row.open').waitFor();
  });

  test('is the host’s own by its template', async () => {
    const page = await host.open('/template', around(log('link-template="/audit/{event}?{query}"')), permissions);
    await settled(page);
    await rows(page).first().click();
    await page.getByRole('button', { name: 'Copy link' }).click();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    expect(link).toMatch(new RegExp(`^${hostOrigin()}/audit/(evt_\\w+)\\?event=\\1$`));
    // What is no web address is no link.
    await page.evaluate(() =>
      document.querySelector('ledgerline-log')!.setAttribute('link-template', 'javascript:alert("{event}")'),
    );
    await page.locator('tr.row.open').waitFor();
    await page.getByRole('button', { name: 'Copy as JSON' }).waitFor();
    await expect.poll(() => page.getByRole('button', { name: 'Copy link' }).count()).toBe(0);
  });
});
