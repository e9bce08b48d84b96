import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectAccessible, keepPicture } from './browser.ts';
import { element, Host, hostOrigin } from './host.ts';
import { demoProduct, Organization, rows, settled, tokenFor } from './ledgerline.ts';

const host = new Host();
let organization: Organization;

beforeAll(async () => {
  organization = new Organization(await demoProduct('scim-platform'));
  await organization.recordMany(30);
  await host.start();
});

afterAll(() => host.stop());

describe('a page of another origin', () => {
  test('shows the log with two lines', async () => {
    const page = await host.open(
      '/two-lines',
      `<main><h1>Settings</h1>
       <script type="module" src="${element()}"></script>
       <ledgerline-log token="${organization.token}"></ledgerline-log></main>`,
    );
    await settled(page);
    expect(await rows(page).count()).toBe(25);
    expect(page.url(), 'the host’s address is its own').toBe(`${hostOrigin()}/two-lines`);
    const look = await page.locator('.list').evaluate((table) => {
      const { backgroundColor, borderTopColor } = getComputedStyle(table);
      return [backgroundColor, borderTopColor];
    });
    expect(look, 'colours need nothing from the host').toEqual(['rgb(255, 255, 255)', 'rgb(228, 230, 234)']);
    await page.getByRole('combobox', { name: 'Search' }).fill('person');
    await settled(page);
    expect(page.url()).toBe(`${hostOrigin()}/two-lines`);
    await expectAccessible(page);
    await keepPicture(page, 'embedded');
  });

  test('themes it, and is told what happens in it', async () => {
    const page = await host.open(
      '/themed',
      `<main><h1>Settings</h1><ledgerline-log theme="dark" style="--ledgerline-accent: rgb(0, 200, 120)"></ledgerline-log></main>
       <script>
         window.heard = [];
         const log = document.querySelector('ledgerline-log');
         for (const name of ['ready', 'view', 'forbidden', 'hidden', 'expired'])
           log.addEventListener('ledgerline-' + name, (event) => heard.push([name, event.detail]));
         log.token = ${JSON.stringify(organization.token)};
         log.view = 'q=person';
       </script>
       <script type="module" src="${element()}"></script>`,
    );
    await settled(page);
    expect(await page.getByRole('combobox', { name: 'Search' }).inputValue()).toBe('person');
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await settled(page);
    expect(await page.evaluate('heard')).toEqual([
      ['ready', { product: 'scim-platform' }],
      ['view', { query: '' }],
    ]);
    const accent = await page
      .locator('.link, .option, .button')
      .first()
      .evaluate((part) => getComputedStyle((part.getRootNode() as ShadowRoot).host).getPropertyValue('--accent'));
    expect(accent).toBe('rgb(0, 200, 120)');
  });

  test('renews a token that has ended', async () => {
    const page = await host.open(
      '/renewed',
      `<main><h1>Settings</h1><ledgerline-log></ledgerline-log></main>
       <script type="module" src="${element()}"></script>
       <script type="module">
         const log = document.querySelector('ledgerline-log');
         window.renewals = 0;
         log.renewToken = async () => { renewals += 1; return ${JSON.stringify(organization.token)}; };
         log.token = 'eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl';
       </script>`,
      { expectedErrors: /status of 401/ },
    );
    await settled(page);
    expect(await rows(page).count()).toBe(25);
    expect(await page.evaluate('renewals')).toBe(1);
  });

  test('sends members elsewhere', async () => {
    const { name, organization: id, plan } = await demoProduct('workspace');
    const token = tokenFor({ product: name, organization: id, plan, role: 'member' });
    host.page('/members', '<h1>Members</h1>');
    const log = (more: string) =>
      `<main><h1>Settings</h1><ledgerline-log redirect-href="/members" token="${token}"></ledgerline-log></main>
       <script type="module" src="${element()}"></script>${more}`;
    const page = await host.open('/for-admins', log(''));
    await page.waitForURL(`${hostOrigin()}/members`);

    const stays = await host.open(
      '/stays',
      log(`<script>addEventListener('ledgerline-forbidden', (event) => event.preventDefault())</script>`),
    );
    await stays.getByRole('heading', { name: 'For administrators' }).waitFor();
  });

  test('shows nothing where the plan hides the log', async () => {
    const { name, organization: id, role } = await demoProduct('caputchin');
    const page = await host.open(
      '/hidden',
      `<main><h1>Settings</h1><ledgerline-log token="${tokenFor({ product: name, organization: id, role, plan: 'free' })}"></ledgerline-log></main>
       <script>addEventListener('ledgerline-hidden', () => (window.wasHidden = true))</script>
       <script type="module" src="${element()}"></script>`,
    );
    await page.waitForFunction('window.wasHidden');
    await expect.poll(async () => (await page.locator('ledgerline-log').boundingBox())?.height ?? 0).toBe(0);
  });

  test('is told when the token is another product’s', async () => {
    const page = await host.open(
      '/other-product',
      `<main><h1>Settings</h1><ledgerline-log product="other" token="${organization.token}"></ledgerline-log></main>
       <script type="module" src="${element()}"></script>`,
    );
    await page.getByRole('heading', { name: 'Another product’s token' }).waitFor();
    await expectAccessible(page);
  });
});
