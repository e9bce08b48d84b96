import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer, type Server } from 'node:http';
import { dirname, join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { expectAccessible, keepPicture, newPage, type PageOptions } from './browser.ts';
import { demoProduct, Organization, rows, settled, tokenFor } from './ledgerline.ts';

const require = createRequire(import.meta.url);
/** React's ready-made scripts, which its package holds but does not export. */
const library = (name: string) =>
  readFileSync(join(dirname(require.resolve(`${name}/package.json`)), `umd/${name}.production.min.js`), 'utf8');

const pages: Record<string, string> = {};
const scripts: Record<string, string> = {
  '/react.js': library('react'),
  '/react-dom.js': library('react-dom'),
};

let host: Server;
let organization: Organization;
const hostOrigin = () => `http://127.0.0.1:${inject('ledgerline').hostPort}`;
const element = () => `${inject('ledgerline').base}/embed/ledgerline-log.js`;

beforeAll(async () => {
  organization = new Organization(await demoProduct('scim-platform'));
  await organization.recordMany(30);
  host = createServer((request, response) => {
    const path = new URL(request.url ?? '/', hostOrigin()).pathname;
    const body = pages[path] ?? scripts[path];
    response.setHeader('Content-Type', pages[path] ? 'text/html; charset=utf-8' : 'text/javascript');
    response.writeHead(body ? 200 : 404).end(body);
  });
  await new Promise<void>((resolve) => host.listen(inject('ledgerline').hostPort, '127.0.0.1', resolve));
});

afterAll(() => host.close());

async function openHost(path: string, html: string, options: PageOptions = {}): Promise<Page> {
  pages[path] =
    `<!doctype html><html lang="en"><head><title>Host</title><link rel="icon" href="data:,"></head><body>${html}</body></html>`;
  const page = await newPage({ ...options, origins: [hostOrigin()] });
  await page.goto(hostOrigin() + path);
  return page;
}

describe('a page of another origin', () => {
  test('shows the log with two lines', async () => {
    const page = await openHost(
      '/two-lines',
      `<main><h1>Settings</h1>
       <script type="module" src="${element()}"></script>
       <ledgerline-log token="${organization.token}"></ledgerline-log></main>`,
    );
    await settled(page);
    expect(await rows(page).count()).toBe(25);
    expect(page.url(), 'the host’s address is its own').toBe(`${hostOrigin()}/two-lines`);
    const look = await page.locator('table').evaluate((table) => {
      const { backgroundColor, borderTopColor } = getComputedStyle(table);
      return [backgroundColor, borderTopColor];
    });
    expect(look, 'colours need nothing from the host').toEqual(['rgb(255, 255, 255)', 'rgb(221, 225, 230)']);
    await page.getByRole('searchbox', { name: 'Search' }).fill('person');
    await settled(page);
    expect(page.url()).toBe(`${hostOrigin()}/two-lines`);
    await expectAccessible(page);
    await keepPicture(page, 'embedded');
  });

  test('themes it, and is told what happens in it', async () => {
    const page = await openHost(
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
      .locator('.bar .count')
      .first()
      .evaluate((bar) => getComputedStyle(bar).fill);
    expect(accent).toBe('rgb(0, 200, 120)');
  });

  test('renews a token that has ended', async () => {
    const page = await openHost(
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
    pages['/members'] = '<!doctype html><html lang="en"><title>Members</title><h1>Members</h1></html>';
    const log = (more: string) =>
      `<main><h1>Settings</h1><ledgerline-log redirect-href="/members" token="${token}"></ledgerline-log></main>
       <script type="module" src="${element()}"></script>${more}`;
    const page = await openHost('/for-admins', log(''));
    await page.waitForURL(`${hostOrigin()}/members`);

    const stays = await openHost(
      '/stays',
      log(`<script>addEventListener('ledgerline-forbidden', (event) => event.preventDefault())</script>`),
    );
    await stays.getByRole('heading', { name: 'For administrators' }).waitFor();
  });

  test('shows nothing where the plan hides the log', async () => {
    const { name, organization: id, role } = await demoProduct('caputchin');
    const page = await openHost(
      '/hidden',
      `<main><h1>Settings</h1><ledgerline-log token="${tokenFor({ product: name, organization: id, role, plan: 'free' })}"></ledgerline-log></main>
       <script>addEventListener('ledgerline-hidden', () => (window.wasHidden = true))</script>
       <script type="module" src="${element()}"></script>`,
    );
    await page.waitForFunction('window.wasHidden');
    expect((await page.locator('ledgerline-log').boundingBox())?.height ?? 0).toBe(0);
  });

  test('is told when the token is another product’s', async () => {
    const page = await openHost(
      '/other-product',
      `<main><h1>Settings</h1><ledgerline-log product="other" token="${organization.token}"></ledgerline-log></main>
       <script type="module" src="${element()}"></script>`,
    );
    await page.getByRole('heading', { name: 'Another product’s token' }).waitFor();
    await expectAccessible(page);
  });
});

test('a React application mounts it, changes it and takes it away', async () => {
  const page = await openHost(
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
