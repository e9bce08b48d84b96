// What the page must never do: state something that is not so.
import type { Page, Route } from 'playwright-core';
import { describe, expect, inject, test } from 'vitest';
import { expectAccessible, keepPicture, newPage } from './browser.ts';
import { demoProduct, openLog, Organization, rows, settled, tokenFor } from './ledgerline.ts';

const failedByTest = /Failed to load resource/;
const products = ['caputchin', 'cloud-sessions', 'workspace', 'scim-platform', 'capydb'];
const asks = (route: Route, name: string) => (route.request().postData() ?? '').includes(`query ${name}`);
const refusal = (code: string) => ({
  json: { errors: [{ message: 'words for developers', extensions: { code, requestId: 'req_9' } }] },
});

async function organizationOf(name: string): Promise<Organization> {
  return new Organization(await demoProduct(name));
}

describe('a number belongs to its question', () => {
  test('it is unknown until it is counted, and where that fails it is said so, aloud too', async () => {
    const organization = await organizationOf('scim-platform');
    await organization.recordMany(30, () => ({ metadata: { note: 'the whole team' } }));
    const page = await newPage();
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    await page.route('**/graphql', async (route) => {
      if (!asks(route, 'Overview') || !route.request().postData()!.includes('team')) return route.continue();
      await held;
      await route.fulfill(refusal('QUERY_TOO_COMPLEX'));
    });
    await openLog(page, organization.token);
    const total = page.locator('.total');
    await expect.poll(() => total.innerText()).toBe('30 events');
    await page.getByRole('combobox', { name: 'Search' }).fill('"whole team"');
    await expect.poll(() => total.innerText()).toBe('counting…');
    expect(await page.locator('.failures').innerText(), 'neither do the filters say the former numbers').toBe(
      'Failures',
    );
    await expect.poll(() => rows(page).first().innerText()).toContain('Person');
    await page.locator('.position', { hasText: /^1 to 25$/ }).waitFor();
    release();
    await expect.poll(() => total.innerText()).toBe('25+ events, not counted');
    await page.getByText('Counting this search asks for too much.').waitFor();
    await expect.poll(() => page.getByRole('status').first().innerText()).toContain('25+ events, not counted');
    await expectAccessible(page);
    await keepPicture(page, 'state-not-counted');
  });

  test('a short list needs no counting', async () => {
    const organization = await organizationOf('scim-platform');
    await organization.recordMany(3);
    const page = await newPage();
    await page.route('**/graphql', (route) =>
      asks(route, 'Overview') ? route.fulfill(refusal('QUERY_TOO_COMPLEX')) : route.continue(),
    );
    await openLog(page, organization.token);
    await expect.poll(() => page.locator('.total').innerText()).toBe('3 events');
  });
});

describe('an outcome that is no success', () => {
  test.each(products)('is seen in a row, its name, its details and the bars of %s', async (name) => {
    const organization = await organizationOf(name);
    await organization.recordMany(3, (index) =>
      index === 1 ? { outcome: 'FAILURE' } : index === 0 ? { outcome: 'ACCEPTED' } : {},
    );
    const page = await newPage();
    await openLog(page, organization.token);
    expect(await rows(page).nth(1).innerText()).toMatch(/^Failed|\bFailed\b/);
    expect(await rows(page).nth(0).locator('.mark-failure').count()).toBe(0);
    expect(await rows(page).nth(2).innerText()).toContain('Accepted');
    expect(await rows(page).nth(1).locator('.opener').getAttribute('aria-label')).toMatch(/^Details of Failed, /);
    const failures = page.getByRole('button', { name: 'Failures 1' });
    await failures.waitFor();
    await expect.poll(() => page.locator('.bar .failed').count(), { message: 'the bars come a moment later' }).toBe(1);
    await rows(page).nth(1).click();
    await page.locator('.details header .mark-failure').waitFor();
    await failures.click();
    await expect.poll(() => rows(page).count()).toBe(1);
    expect(new URL(page.url()).searchParams.get('outcome')).toBe('FAILURE');
    await expectAccessible(page);
    await page.setViewportSize({ width: 360, height: 800 });
    await page.locator('.two-lined tr.row .mark-failure').waitFor();
  });
});

test('more is loaded over a thousand rows, each is seen once, and nothing moves', { timeout: 180_000 }, async () => {
  const organization = await organizationOf('scim-platform');
  const count = 1_040;
  for (const part of [1_000, 40]) await organization.recordMany(part);
  const page = await newPage();
  await openLog(page, organization.token);
  const seen = new Set<string>();
  const note = async () => {
    for (const id of await rows(page).evaluateAll((all) => all.map((row) => (row as HTMLElement).dataset.id!))) {
      seen.add(id);
    }
  };
  await note();
  for (let shown = 25; shown < count; shown += 25) {
    const button = page.getByRole('button', { name: 'Load more' });
    await button.scrollIntoViewIfNeeded();
    const last = rows(page).last();
    const id = await last.getAttribute('data-id');
    const before = (await last.boundingBox())!.y;
    await button.click();
    await page
      .locator('.position', { hasText: `1 to ${Math.min(count, shown + 25).toLocaleString('en-GB')} of` })
      .waitFor();
    const after = (await page.locator(`tr[data-id="${id}"]`).boundingBox())!.y;
    expect(Math.abs(after - before), `the last of ${shown} rows moved`).toBeLessThan(2);
    await note();
  }
  expect(seen.size).toBe(count);
  expect(await rows(page).count(), 'what is far away is not drawn').toBeLessThan(count / 2);
  await page.keyboard.press('Home');
  await page.evaluate(() => scrollTo(0, 0));
  await expect.poll(() => rows(page).first().getAttribute('data-id')).toBe([...seen][0]);
});

test('from right to left, bars, captions and clicks agree', async () => {
  const organization = await organizationOf('scim-platform');
  await organization.recordMany(3, (index) => ({
    occurredAt: new Date(Date.now() - index * 40 * 86_400_000).toISOString(),
  }));
  const page = await newPage();
  await openLog(page, organization.token);
  await page.evaluate(() => document.querySelector('ledgerline-log')!.setAttribute('dir', 'rtl'));
  await page.locator('.drawing:not(.stale) .bar').first().waitFor();
  const [bars, first, last] = await Promise.all([
    page.locator('.bars').boundingBox(),
    page.locator('figcaption bdi').first().boundingBox(),
    page.locator('figcaption bdi').last().boundingBox(),
  ]);
  expect(first!.x, 'the oldest stands at the right').toBeGreaterThan(last!.x);
  // The newest bar, at the left: its hint says the day, and a click filters that day.
  await page.mouse.move(bars!.x + 4, bars!.y + 20);
  const today = new Intl.DateTimeFormat('en-CA', { timeZone: 'Europe/Berlin' }).format();
  const hint = await page.locator('.tip strong').innerText();
  expect(hint).toContain(String(Number(today.slice(8))));
  await page.mouse.down();
  await page.mouse.up();
  await expect.poll(() => new URL(page.url()).searchParams.get('to')).toBe(today);
  await expect.poll(() => rows(page).count()).toBe(1);
});

test('characters that deceive are shown wherever a caller’s text stands', async () => {
  const organization = await organizationOf('caputchin');
  const name = 'ada\u202Enimda\u200B';
  await organization.record([
    {
      action: organization.product.actions[0]!.name,
      actor: { kind: 'USER', id: 'u\u2066x', name, email: 'ada@example.com\u200D' },
      resources: [{ type: 'pro\u200Bject', id: 'p\uFEFF1', name: 'Plan\u2067' }],
      ipAddress: '203.0.113.1\u200B',
      userAgent: 'agent\u202E',
      correlationId: 'job\u2060',
      source: 'api\u00AD',
      metadata: { 'ke\u200By': 'val\u202Eue', before: { plan: 'fr\u200Bee' }, after: { plan: 'pro' } },
    },
  ]);
  const page = await newPage();
  await openLog(page, organization.token, `?actor-name=${encodeURIComponent(name)}`);
  expect(await rows(page).first().innerText()).toContain('adaU+202Enimda');
  await rows(page).first().click();
  await page.locator('.details').waitFor();
  await page.locator('.raw summary').click();
  const hidden = await page.evaluate(() => {
    const root = document.querySelector('ledgerline-log')!.shadowRoot!;
    const texts: (string | null)[] = [root.textContent];
    for (const part of root.querySelectorAll('*')) {
      for (const attribute of ['title', 'aria-label', 'placeholder']) texts.push(part.getAttribute(attribute));
    }
    return texts.filter((text) => text && /[\u202E\u200B\u2066\u2067\uFEFF\u2060\u00AD\u200D]/.test(text));
  });
  expect(hidden).toEqual([]);
  expect(await page.locator('.chip').innerText()).toContain('[U+202E]');
  await expectAccessible(page);
  await keepPicture(page, 'state-hidden-characters');
});

test('what was changed reads as a change', async () => {
  const organization = await organizationOf('capydb');
  await organization.recordMany(1, () => ({
    metadata: { before: { plan: 'free', seats: 3 }, after: { plan: 'pro', seats: 3 }, why: { asked: 'by mail' } },
  }));
  const page = await newPage();
  await openLog(page, organization.token);
  expect(await rows(page).first().locator('.column-details').innerText()).toBe('plan: free → pro, why.asked: by mail');
  await rows(page).first().click();
  const change = page.locator('.changes > div');
  await change.first().waitFor();
  expect(await change.count()).toBe(1);
  expect((await change.locator('dt').innerText()).trim()).toBe('plan');
  expect(await change.locator('del').innerText()).toContain('free');
  expect(await change.locator('ins').innerText()).toContain('pro');
  await expectAccessible(page);
});

describe('a fault', () => {
  test('leaves the rows under it, counts down, and is over by itself', async () => {
    const organization = await organizationOf('scim-platform');
    await organization.recordMany(5);
    const page = await newPage({ expectedErrors: failedByTest });
    let failing = false;
    await page.route('**/graphql', (route) => (failing ? route.abort('connectionrefused') : route.continue()));
    await openLog(page, organization.token);
    failing = true;
    await page.getByRole('combobox', { name: 'Search' }).fill('person');
    await page.getByRole('heading', { name: 'The server cannot be reached' }).waitFor();
    expect(await rows(page).count()).toBe(5);
    expect(await page.locator('.banner').innerText()).toContain('The list below is as it was before.');
    await page.locator('.countdown', { hasText: /^Trying again in \d+s$/ }).waitFor();
    await expectAccessible(page);
    await keepPicture(page, 'state-banner');
    failing = false;
    await page.locator('.banner').waitFor({ state: 'detached', timeout: 15_000 });
    expect(await rows(page).count()).toBe(5);
  });

  test('where there are no rows has no footer under it', async () => {
    const organization = await organizationOf('scim-platform');
    await organization.recordMany(30);
    const page = await newPage({ expectedErrors: failedByTest });
    await page.route('**/graphql', (route) => (asks(route, 'Page') ? route.abort() : route.continue()));
    await openLog(page, organization.token);
    await page.getByRole('heading', { name: 'The server cannot be reached' }).waitFor();
    expect(await page.locator('.pager').count()).toBe(0);
  });

  test.each([
    ['en', 'FORBIDDEN', 'You cannot read this log'],
    ['en', 'NOT_FOUND', 'There is no such log'],
    ['en', 'PLAN_REQUIRED', 'Not part of your plan'],
    ['de', 'FORBIDDEN', 'Sie können dieses Log nicht lesen'],
    ['de', 'NOT_FOUND', 'Dieses Log gibt es nicht'],
    ['de', 'PLAN_REQUIRED', 'Nicht in Ihrem Tarif enthalten'],
    ['de', 'QUERY_TOO_COMPLEX', 'Der Server konnte diesen Filter nicht verwenden'],
  ])('is said in %s: %s', async (locale, code, title) => {
    const organization = await organizationOf('scim-platform');
    await organization.recordMany(2);
    const page = await newPage({ locale });
    await page.route('**/graphql', (route) => (asks(route, 'Page') ? route.fulfill(refusal(code)) : route.continue()));
    await openLog(page, organization.token);
    await page.getByRole('heading', { name: title }).waitFor();
    expect(await page.locator('.message').innerText()).not.toContain('words for developers');
    await expectAccessible(page);
  });

  test('of a session that ended while the page stood there is told', async () => {
    const organization = await organizationOf('scim-platform');
    await organization.recordMany(2);
    const page = await newPage({ expectedErrors: /status of 401/ });
    await openLog(page, organization.token);
    await page.route('**/graphql', (route) => route.fulfill({ status: 401, ...refusal('UNAUTHENTICATED') }));
    await page.getByRole('heading', { name: 'Your session has ended' }).waitFor({ timeout: 20_000 });
  });

  const requests = [
    'Session',
    'Page',
    'Overview',
    'Newer',
    'Event',
    'Position',
    'Stretches',
    'Retention',
    'Total',
    'Actors',
  ];
  test.each(requests)(
    'of %s alone neither empties the page nor says something wrong',
    { timeout: 60_000 },
    async (name) => {
      const organization = await organizationOf('cloud-sessions');
      await organization.recordMany(60);
      const token = organization.tokenWith({ scopes: 'audit:read audit:manage' });
      const page = await newPage({ expectedErrors: failedByTest });
      let failing = false;
      await page.route('**/graphql', (route) => (failing && asks(route, name) ? route.abort() : route.continue()));
      await openLog(page, token);
      const walk = async () => {
        await page.getByRole('button', { name: 'Next', exact: true }).click();
        await settled(page);
        const link = new URL(page.url()).search;
        await openLog(page, token, `${link}&event=evt_00000000000000000000000`);
        await openLog(page, token, '?period=LAST_HOUR&tz=Europe%2FBerlin');
        await openLog(page, token, '?action=nothing-like-it&email=nobody');
        await openLog(page, token);
        await page.waitForTimeout(300);
      };
      failing = true;
      if (name !== 'Session' && name !== 'Page') await walk();
      else await page.reload();
      await page.locator('.total, .message').first().waitFor();
      const said = await page.locator('ledgerline-log').evaluate((log) => log.shadowRoot!.textContent ?? '');
      expect(said).not.toMatch(/undefined|NaN|\[object|null/);
      failing = false;
      await openLog(page, token);
      await page.locator('.position', { hasText: /^1 to 25 of 60$/ }).waitFor();
    },
  );
});

test('a part of the page that cannot be loaded says so, and comes when it can', async () => {
  const organization = await organizationOf('capydb');
  await organization.recordMany(2);
  const page = await newPage({ expectedErrors: failedByTest });
  let failing = true;
  await page.route('**/assets/{Details,NothingMatches}-*.js', (route) => (failing ? route.abort() : route.continue()));
  await openLog(page, organization.token);
  await rows(page).first().click();
  await page.getByText('This part of the page could not be loaded.').waitFor();
  await expectAccessible(page);
  failing = false;
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.locator('.details').waitFor();
});

test('a list of people that cannot be had is not an empty one', async () => {
  const organization = await organizationOf('workspace');
  await organization.recordMany(2);
  const page = await newPage({ expectedErrors: failedByTest });
  await page.route('**/graphql', (route) => (asks(route, 'Actors') ? route.abort() : route.continue()));
  await openLog(page, organization.token);
  await page.getByRole('button', { name: /^User / }).click();
  await page.getByRole('alert').filter({ hasText: 'The list could not be loaded.' }).waitFor();
  await expectAccessible(page);
});

describe('a browser that does not know its zone', () => {
  test('is shown UTC, and told so', async () => {
    const organization = await organizationOf('scim-platform');
    await organization.recordMany(2);
    const page = await newPage();
    await page.addInitScript(() => {
      const { resolvedOptions } = Intl.DateTimeFormat.prototype;
      Intl.DateTimeFormat.prototype.resolvedOptions = function () {
        return { ...resolvedOptions.call(this), timeZone: 'Etc/Unknown' };
      };
    });
    await openLog(page, organization.token);
    expect(await rows(page).count()).toBe(2);
    await page.getByText('Times in UTC').waitFor();
    await page.getByText('The browser does not say which time zone it is in.').waitFor();
    await expectAccessible(page);
  });
});

test('no time is wrapped, in any zone and language', { timeout: 120_000 }, async () => {
  const organization = await organizationOf('scim-platform');
  await organization.recordMany(3);
  const zones = [
    'UTC',
    'Europe/Berlin',
    'Europe/London',
    'Europe/Istanbul',
    'America/New_York',
    'America/Los_Angeles',
    'America/Sao_Paulo',
    'America/St_Johns',
    'Africa/Cairo',
    'Africa/Lagos',
    'Asia/Kolkata',
    'Asia/Kathmandu',
    'Asia/Tokyo',
    'Asia/Seoul',
    'Asia/Shanghai',
    'Asia/Tehran',
    'Australia/Lord_Howe',
    'Australia/Sydney',
    'Pacific/Chatham',
    'Pacific/Kiritimati',
    'Pacific/Niue',
  ];
  for (const locale of ['en-US', 'de-DE', 'ko-KR']) {
    const page = await newPage({ locale });
    for (const timeZone of zones) {
      await openLog(page, organization.token, `?tz=${encodeURIComponent(timeZone)}`);
      const cut = await page
        .locator('tr.row .column-time .line')
        .evaluateAll((all) =>
          all
            .filter((line) => line.scrollWidth > line.clientWidth + 1 || line.clientHeight > 30)
            .map((line) => line.textContent),
        );
      expect(cut, `${locale} ${timeZone}`).toEqual([]);
    }
  }
});

test('a token of staff for another organization gets a reason, and no loop', async () => {
  const organization = await organizationOf('capydb');
  const token = tokenFor({
    product: 'capydb',
    organization: null,
    scopes: 'audit:read audit:staff',
    logs: ['organization:other'],
  });
  const page: Page = await newPage();
  let asked = 0;
  page.on('request', (request) => (asked += request.method() === 'POST' ? 1 : 0));
  await openLog(page, token, `?organization=${organization.id}`);
  await page.getByText('Your sign-in is for another log').waitFor();
  await page.waitForTimeout(2_000);
  expect(asked).toBe(1);
  expect(inject('ledgerline').base).toBeTruthy();
});
