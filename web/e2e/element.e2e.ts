import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { settingNames } from '../src/element/settings.ts';
import { expectAccessible } from './browser.ts';
import { element, Host, hostOrigin, strangerOrigin } from './host.ts';
import { demoProduct, Organization, rows, settled } from './ledgerline.ts';

const host = new Host();
let organization: Organization;
let other: Organization;

beforeAll(async () => {
  const product = await demoProduct('scim-platform');
  organization = new Organization(product);
  other = new Organization(product);
  await organization.recordMany(30);
  await other.recordMany(3, (index) => ({ actor: { kind: 'USER', id: 'u', name: `Stranger ${index}` } }));
  await host.start();
});

afterAll(() => host.stop());

const script = () => `<script type="module" src="${element()}"></script>`;
const log = (attributes = '') =>
  `<main><h1>Settings</h1>${script()}<ledgerline-log ${attributes}></ledgerline-log></main>`;

/** Counts from now on how often a skeleton stood in the place of the list, and what was asked with which token. */
async function watch(page: Page) {
  const sent: { operation: string; token: string }[] = [];
  page.on('request', (request) => {
    if (!request.url().endsWith('/graphql') || request.method() !== 'POST') return;
    const operation = /query (\w+)/.exec(request.postData() ?? '')?.[1] ?? '';
    sent.push({ operation, token: request.headers().authorization?.replace('Bearer ', '') ?? '' });
  });
  await page.evaluate(() => {
    const root = document.querySelector('ledgerline-log')!.shadowRoot!;
    const global = globalThis as unknown as { skeletons: number };
    global.skeletons = 0;
    new MutationObserver(() => (global.skeletons += root.querySelector('.skeleton') ? 1 : 0)).observe(root, {
      childList: true,
      subtree: true,
    });
  });
  return { sent, skeletons: () => page.evaluate('skeletons') as Promise<number> };
}

const setToken = (page: Page, token: string) =>
  page.evaluate((fresh) => Object.assign(document.querySelector('ledgerline-log')!, { token: fresh }), token);

describe('a property', () => {
  test('has an accessor on the prototype, where frameworks look for one, and is its attribute', async () => {
    const page = await host.open('/accessors', log());
    const names: string[] = [...settingNames, 'token', 'renewToken', 'view'];
    const found = await page.evaluate(async (names) => {
      const { prototype } = await customElements.whenDefined('ledgerline-log');
      return names.filter((name) => Object.getOwnPropertyDescriptor(prototype, name)?.set);
    }, names);
    expect(found).toEqual(names);
    const said = await page.evaluate(() => {
      const log = document.createElement('ledgerline-log') as HTMLElement & Record<string, unknown>;
      const result: unknown[] = [log.pageSize, log.standalone, log.syncUrl, log.endpoint];
      Object.assign(log, { pageSize: 10, standalone: true, syncUrl: 'audit', endpoint: '/x', timeZone: 'Asia/Tokyo' });
      result.push(log.outerHTML, log.pageSize, log.standalone, log.syncUrl, log.endpoint);
      Object.assign(log, { pageSize: undefined, standalone: false, syncUrl: true, endpoint: null, timeZone: null });
      result.push(log.outerHTML, log.syncUrl);
      return result;
    });
    expect(said).toEqual([
      null,
      false,
      null,
      null,
      '<ledgerline-log page-size="10" standalone="" sync-url="audit" endpoint="/x" time-zone="Asia/Tokyo"></ledgerline-log>',
      10,
      true,
      'audit',
      '/x',
      '<ledgerline-log sync-url=""></ledgerline-log>',
      true,
    ]);
  });

  test('that was set before the element was defined counts, each of them', async () => {
    const page = await host.open(
      '/before',
      `<main><h1>Settings</h1><ledgerline-log></ledgerline-log></main>
       <script>
         const log = document.querySelector('ledgerline-log');
         Object.assign(log, { pageSize: 7, locale: 'de', view: 'q=person', theme: 'dark' });
         log.renewToken = async () => ${JSON.stringify(organization.token)};
       </script>${script()}`,
    );
    await settled(page);
    await expect.poll(() => rows(page).count()).toBe(7);
    expect(await page.getByRole('combobox', { name: 'Suche' }).inputValue()).toBe('person');
    expect(await page.locator('ledgerline-log').getAttribute('theme')).toBe('dark');
  });

  test('renewToken opens the log of an element that waited for it', async () => {
    const page = await host.open('/later', log());
    await page.getByRole('heading', { name: 'Your session has ended' }).waitFor();
    await page.evaluate((token) => {
      Object.assign(document.querySelector('ledgerline-log')!, { renewToken: async () => token });
    }, organization.token);
    await settled(page);
    await expect.poll(() => rows(page).count()).toBe(25);
  });

  test('view changes the list without a new start', async () => {
    const page = await host.open('/view', log(`token="${organization.token}"`));
    await settled(page);
    const { sent, skeletons } = await watch(page);
    await page.evaluate(() => Object.assign(document.querySelector('ledgerline-log')!, { view: 'q=nothing-of-it' }));
    await page.getByRole('heading', { name: 'No events match' }).waitFor();
    expect(sent.map(({ operation }) => operation).filter((name) => name === 'Session')).toEqual([]);
    expect(await skeletons()).toBe(0);
  });
});

describe('a fresh token', () => {
  test('of the same reader changes nothing on the screen, and is used from then on', async () => {
    const page = await host.open('/fresh', log(`token="${organization.token}"`));
    await settled(page);
    await rows(page).nth(2).click();
    const search = page.getByRole('combobox', { name: 'Search' });
    const { sent, skeletons } = await watch(page);
    await search.fill('per');
    const asked = () => sent.map(({ operation }) => operation).sort();
    await expect.poll(asked).toEqual(['Completions', 'Overview', 'Page']);
    await settled(page);
    sent.length = 0;
    const fresh = organization.tokenWith({ scopes: 'audit:read audit:record' });
    await setToken(page, fresh);
    await expect.poll(() => sent.length).toBeGreaterThan(0);
    await page.waitForTimeout(300);
    expect(await search.evaluate((field: HTMLInputElement) => field.matches(':focus'))).toBe(true);
    expect(sent).toEqual([{ operation: 'Session', token: fresh }]);
    await search.pressSequentially('son');
    await expect.poll(() => sent.filter(({ operation }) => operation === 'Page').length).toBeGreaterThan(0);
    expect(sent.every(({ token }) => token === fresh)).toBe(true);
    await settled(page);
    expect(await search.inputValue()).toBe('person');
    expect(await skeletons()).toBe(0);
  });

  test('of somebody else shows their log, and nothing of the former one', async () => {
    const page = await host.open('/other', log());
    await setToken(page, organization.token);
    await expect.poll(() => rows(page).count()).toBe(25);
    await setToken(page, other.token);

    await rows(page).filter({ hasText: 'Stranger 2' }).waitFor();
    expect(await rows(page).count()).toBe(3);
    expect(await page.locator('.log').innerText()).not.toContain('Person');
    // And by way of none at all.
    await page.evaluate(() => Object.assign(document.querySelector('ledgerline-log')!, { token: null }));
    await page.getByRole('heading', { name: 'Your session has ended' }).waitFor();
    await setToken(page, organization.token);
    await expect.poll(() => rows(page).count()).toBe(25);
    expect(await page.locator('.log').innerText()).not.toContain('Stranger');
  });

  test('that is refused ends the session, and the next one opens it again', async () => {
    const page = await host.open('/refused', log(`token="${organization.token}"`), { expectedErrors: /status of 401/ });
    await settled(page);
    await setToken(page, 'eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl');
    await page.getByRole('heading', { name: 'Your session has ended' }).waitFor();
    await setToken(page, organization.token);
    await expect.poll(() => rows(page).count()).toBe(25);
  });
});

describe('an element that cannot work says why', () => {
  const refused = { expectedErrors: /./ };

  test('a wrong endpoint, which one', async () => {
    for (const endpoint of [`${inject('ledgerline').base}/v2/graphql`, `${hostOrigin()}/nothing-here`, 'mailto:x']) {
      const page = await host.open('/endpoint', log(`token="t" endpoint="${endpoint}"`), refused);
      const alert = page.getByRole('alert');
      await alert.getByRole('heading', { name: 'The audit log is not set up yet' }).waitFor();
      await expect.poll(() => alert.innerText()).toContain(`${endpoint} is no GraphQL endpoint`);
      await expectAccessible(page);
    }
  });

  test('an origin that the service does not allow, and how it is allowed', async () => {
    const page = await host.open(`${strangerOrigin()}/stranger`, log(`token="${organization.token}"`), refused);
    const alert = page.getByRole('alert');
    await alert.waitFor();
    await expect.poll(() => alert.innerText()).toContain(`LEDGERLINE_ALLOWED_ORIGINS=${strangerOrigin()}`);
    expect(await alert.innerText()).toContain(inject('ledgerline').base);
  });

  test('a policy of the page itself', async () => {
    const head = `<meta http-equiv="Content-Security-Policy" content="connect-src 'self'">`;
    const page = await host.open('/policy', log(`token="${organization.token}"`), { ...refused, head });
    const alert = page.getByRole('alert');
    await alert.waitFor();
    await expect.poll(() => alert.innerText()).toContain(`forbids to connect to ${inject('ledgerline').base}`);
  });

  test('a server that is not there is no fault of the setup', async () => {
    const page = await host.open('/gone', log(`token="t" endpoint="http://127.0.0.1:9/graphql"`), {
      ...refused,
      origins: ['http://127.0.0.1:9'],
    });
    await page.getByRole('heading', { name: 'The server cannot be reached' }).waitFor();
  });
});

test('below a path, of one version and with its hash, it finds its service', async () => {
  const { base } = inject('ledgerline');
  const [line] = (await (await fetch(`${base}/embed/integrity.txt`)).text()).split('\n');
  const [path, integrity] = line!.split(' ');
  expect(path).toMatch(/^\/embed\/\d+\.\d+\.\d+\/ledgerline-log\.js$/);
  const show = async (hash: string) => {
    const page = await host.open('/prefixed', '', { expectedErrors: /integrity|hash/i });
    // A proxy of the host's own shows the service below /audit.
    await page.route(`${hostOrigin()}/audit/**`, async (route) => {
      const { pathname } = new URL(route.request().url());
      await route.fulfill({ response: await route.fetch({ url: `${base}${pathname.replace('/audit', '')}` }) });
    });
    host.page(
      '/prefixed',
      `<main><h1>Settings</h1><script type="module" src="/audit${path}" integrity="${hash}" crossorigin></script>
       <ledgerline-log token="${organization.token}"></ledgerline-log></main>`,
    );
    await page.reload();
    return page;
  };
  const page = await show(integrity!);
  await settled(page);
  expect(await rows(page).count()).toBe(25);
  const other = await show(`sha384-${'A'.repeat(64)}`);
  await other.waitForTimeout(500);
  expect(await other.evaluate(() => customElements.get('ledgerline-log') === undefined)).toBe(true);
});

test('what it loads later is checked as well, where the page has an import map with the hashes', async () => {
  const { base } = inject('ledgerline');
  const lines = (await (await fetch(`${base}/embed/integrity.txt`)).text()).trim().split('\n');
  const printed = Object.fromEntries(lines.map((line) => line.split(' ') as [string, string]));
  const [entry] = Object.keys(printed);
  const details = Object.keys(printed).find((path) => path.includes('/Details-'))!;
  const show = (change: Record<string, string>) => {
    const hashes = Object.entries({ ...printed, ...change });
    const integrity = Object.fromEntries(hashes.map(([path, hash]) => [`${base}${path}`, hash]));
    return host.open(
      '/import-map',
      `<main><h1>Settings</h1>
       <script type="module" src="${base}${entry}" integrity="${printed[entry!]}" crossorigin></script>
       <ledgerline-log token="${organization.token}"></ledgerline-log></main>`,
      {
        head: `<script type="importmap">${JSON.stringify({ integrity })}</script>`,
        expectedErrors: /integrity|hash/i,
      },
    );
  };
  const page = await show({});
  await settled(page);
  await rows(page).first().click();
  await page.locator('.details').waitFor();

  const other = await show({ [details]: `sha384-${'A'.repeat(64)}` });
  await settled(other);
  await rows(other).first().click();
  const failed = other.locator('.part-failed');
  await failed.waitFor();
  // No other address leads around the hash.
  await failed.getByRole('button', { name: 'Try again' }).click();
  await failed.waitFor();
  expect(await other.locator('.details').count()).toBe(0);
});
