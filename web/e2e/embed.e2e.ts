import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectAccessible, keepPicture } from './browser.ts';
import { element, Host, hostOrigin } from './host.ts';
import { demoProduct, Organization, rows, settled, tokenFor } from './ledgerline.ts';

const require = createRequire(import.meta.url);
/** React's ready-made scripts, which its package holds but does not export. */
const library = (name: string) =>
  readFileSync(join(dirname(require.resolve(`${name}/package.json`)), `umd/${name}.production.min.js`), 'utf8');

const host = new Host();
let organization: Organization;

beforeAll(async () => {
  organization = new Organization(await demoProduct('scim-platform'));
  await organization.recordMany(30);
  for (const name of ['react', 'react-dom']) {
    host.serve(`/${name}.js`, { type: 'text/javascript', body: library(name) });
  }
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
    await page.getByRole('searchbox', { name: 'Search' }).fill('person');
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
    expect(await page.getByRole('searchbox', { name: 'Search' }).inputValue()).toBe('person');
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
    expect((await page.locator('ledgerline-log').boundingBox())?.height ?? 0).toBe(0);
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

test('a React application mounts it, changes it and takes it away', async () => {
  const page = await host.open(
    '/react',
    `<main id="root"></main>
     <script src="/react.js"></script><script src="/react-dom.js"></script>
     <script type="module" src="${element()}"></script>
     <script>
       const h = React.createElement;
       function Settings() {
         const [shown, setShown] = React.useState(true);
         const [size, setSize] = React.useState(10);
         return h('div', null, h('h1', null, 'Settings'),
           h('button', { onClick: () => setShown(!shown) }, 'Toggle'),
           h('button', { onClick: () => setSize(20) }, 'Longer'),
           shown && h('ledgerline-log', {
             'page-size': size,
             ref: (log) => { if (log) log.token = ${JSON.stringify(organization.token)}; },
           }));
       }
       ReactDOM.createRoot(document.getElementById('root')).render(h(Settings));
     </script>`,
  );
  await settled(page);
  await expect.poll(() => rows(page).count()).toBe(10);
  await page.getByRole('button', { name: 'Longer' }).click();
  await expect.poll(() => rows(page).count()).toBe(20);
  await page.getByRole('button', { name: 'Toggle' }).click();
  expect(await page.locator('ledgerline-log').count()).toBe(0);
  await page.getByRole('button', { name: 'Toggle' }).click();
  await expect.poll(() => rows(page).count()).toBe(20);
});
