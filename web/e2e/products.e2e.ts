import type { Page } from 'playwright-core';
import { describe, expect, inject, test } from 'vitest';
import { expectAccessible, keepPicture, newPage } from './browser.ts';
import { ask, demoProduct, openLog, Organization, rows, settled, tokenFor } from './ledgerline.ts';

/** What each filter is called where its product has no word of its own. */
const usualNames: Record<string, string> = {
  SEARCH: 'Search',
  CATEGORY: 'Category',
  ACTION: 'Action',
  EMAIL: 'E-mail',
  OUTCOME: 'Outcome',
  ACTOR_KIND: 'Kind of actor',
  ACTOR: 'Actor',
  RESOURCE_TYPE: 'Resource type',
  RESOURCE_ID: 'Resource ID',
  RESOURCE_NAME: 'Resource name',
  IP_ADDRESS: 'IP address',
  LOG: 'Log',
};

/** The names over all filters in sight. */
const filterNames = (page: Page) =>
  page.locator('.filters .field > span:first-child, .filters .value-field label > span').allTextContents();

const products = ['caputchin', 'cloud-sessions', 'workspace', 'scim-platform', 'capydb'];

describe.each(products)('%s', (name) => {
  test('shows its administrator the columns it asked for, in their order', async () => {
    const product = await demoProduct(name);
    const page = await newPage();
    await openLog(page, product.token);
    // A list of one log alone has no column that says which.
    const [top] = product.levels;
    const columns = product.columns.filter(({ kind }) => kind !== 'LOG' || top!.includeNested);
    expect((await page.locator('thead th').allInnerTexts()).slice(0, -1)).toEqual(columns.map(({ label }) => label));
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe(product.title);
    expect(await page.title()).toBe(product.title);
    expect(await rows(page).count()).toBeGreaterThan(5);
    expect(await page.locator('h1 + p').innerText()).toContain(product.label);
    if (product.dateFilter !== 'NONE') await expect.poll(() => page.locator('.bar').count()).toBeGreaterThan(10);
    await expectAccessible(page);
  });

  test('offers the filters that it asked for, by its own names, and dates', async () => {
    const product = await demoProduct(name);
    const page = await newPage();
    await openLog(page, product.token);
    const more = page.getByRole('button', { name: 'Filters', exact: true });
    if (await more.isVisible()) await more.click();
    const { logs } = (await ask(product.token, '{ viewer { logs { level } } }')).viewer;
    const offered = product.filters
      .filter(({ kind }) => kind !== 'LOG' || logs.length > 1)
      .map(({ kind, label }) => label ?? usualNames[kind]);
    expect((await filterNames(page)).sort()).toEqual([...offered].sort());

    // On a small screen they wait behind a button, every one of them but the text that is looked for.
    const narrow = await newPage({ viewport: { width: 360, height: 900 } });
    await openLog(narrow, product.token);
    const inSight = () => narrow.locator('.filters .field').filter({ visible: true }).count();
    const hasText = product.filters.some(({ kind }) => kind === 'SEARCH' || kind === 'EMAIL');
    expect(await inSight()).toBe(hasText ? 1 : 0);
    await narrow.getByRole('button', { name: 'Filters', exact: true }).click();
    await expect.poll(inSight).toBe(offered.length);
    await keepPicture(narrow, `${name}-filters-360`);
  });

  test('offers times to the minute, and the paging that it asked for', async () => {
    const product = await demoProduct(name);
    const page = await newPage();
    await openLog(page, product.token);
    await page.getByRole('button', { name: 'Time range: Any time' }).click();
    const range = page.getByRole('group', { name: 'Time range' });
    await expect.poll(() => range.locator('input[type=date]').count()).toBe(2);
    expect(await range.locator('input[type=time]').count()).toBe(2);
    expect(await range.getByRole('button').allInnerTexts()).toContain('Last 15 minutes');
    await expectAccessible(page);
    await page.keyboard.press('Escape');
    if (product.paging === 'PAGES') {
      await page.locator('.position', { hasText: /^1 to 25 of [\d,]+$/ }).waitFor();
      await page.getByRole('button', { name: 'Next', exact: true }).click();
      await page.locator('.position', { hasText: /^26 to 50 of/ }).waitFor();
    } else {
      const before = await rows(page).count();
      await page.getByRole('button', { name: 'Load more' }).click();
      await page.waitForFunction(
        (count) => document.querySelector('ledgerline-log')!.shadowRoot!.querySelectorAll('tr.row').length > count,
        before,
      );
    }
  });

  test.each(['light', 'dark'] as const)(
    'can be looked at in %s, narrow and wide',
    { timeout: 90_000 },
    async (colorScheme) => {
      const product = await demoProduct(name);
      const page = await newPage({ colorScheme });
      for (const width of [320, 360, 780, 1280, 2560]) {
        await page.setViewportSize({ width, height: width > 2000 ? 1440 : 900 });
        await openLog(page, product.token);
        const overflow = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        expect(overflow, `sideways scrolling at ${width} pixels`).toBeLessThanOrEqual(0);
        if (product.dateFilter !== 'NONE') await page.locator('.bar').first().waitFor();
        if (width !== 320) await keepPicture(page, `${name}-${colorScheme}-${width}`);
      }
      await expectAccessible(page);
    },
  );
});

describe.each(products)('%s tells everybody what its server tells them:', (name) => {
  test.each([
    ['a member', { role: 'member' }],
    ['somebody on another plan', { plan: 'some-other-plan' }],
    ['somebody without the scope', { scopes: 'audit:record' }],
  ])('%s', async (_who, change) => {
    const { organization, role, plan } = await demoProduct(name);
    const token = tokenFor({ product: name, organization, role, plan, ...change });
    const { viewer } = await ask(
      token,
      '{ viewer { product { planTitle } canReadAuditLog { allowed reason hidden requiredPlanLabels requiredRoles } } }',
    );
    const { product } = viewer;
    const { allowed, reason, hidden, requiredPlanLabels, requiredRoles } = viewer.canReadAuditLog;
    const page = await newPage();
    await openLog(page, token);
    if (allowed) {
      await rows(page).first().waitFor();
      return;
    }
    const heading = await page.getByRole('heading', { level: 1 }).innerText();
    if (hidden) expect(heading).toBe('Nothing to see here');
    // Only a missing role makes it a page for administrators: a missing scope is not theirs to mend.
    else if (reason === 'FORBIDDEN')
      expect(heading).toBe(requiredRoles.length > 0 ? 'For administrators' : 'You cannot read this log');
    else expect(heading).toBe(product.planTitle ?? `Available on ${requiredPlanLabels.join(' or ')}`);
    expect(await rows(page).count()).toBe(0);
  });
});

describe('a member who is no administrator', () => {
  test.each(products)('of %s is told so, and with which role it would do', async (name) => {
    const { organization, plan } = await demoProduct(name);
    const page = await newPage();
    const token = tokenFor({ product: name, organization, plan, role: 'member' });
    await openLog(page, token);
    await page.getByRole('heading', { name: 'For administrators' }).waitFor();
    const { requiredRoleLabels } = (await ask(token, '{ viewer { canReadAuditLog { requiredRoleLabels } } }')).viewer
      .canReadAuditLog;
    await page.getByText(`with the role ${requiredRoleLabels.join(' or ')}.`).waitFor();
    expect(await rows(page).count()).toBe(0);
    await expectAccessible(page);
  });

  test('of workspace is led away from the page of its document, with no step back to it', async () => {
    const { organization } = await demoProduct('workspace');
    const page = await newPage();
    const { base } = inject('ledgerline');
    await page.goto(`${base}/playground`);
    await page.goto(
      `${base}/settings/audit-log#token=${tokenFor({ product: 'workspace', organization, role: 'member' })}`,
    );
    await page.waitForURL(`${base}/`);
    await page.getByRole('heading', { name: 'Ledgerline demo' }).waitFor();
    await page.goBack();
    await page.waitForURL(`${base}/playground`);
  });

  test.each([
    ['an admin of workspace', 'workspace', { role: 'admin' }],
    ['a member of a product that says nothing of it', 'scim-platform', { role: 'member' }],
    ['whoever lacks the scope, not the role,', 'workspace', { role: 'member', scopes: 'audit:record' }],
  ])('%s stays', async (_who, name, change) => {
    const { organization } = await demoProduct(name);
    const page = await newPage();
    const address = `${inject('ledgerline').base}/settings/audit-log`;
    await page.goto(`${address}#token=${tokenFor({ product: name, organization, ...change })}`);
    await settled(page);
    expect(page.url()).toBe(address);
  });
});

describe('another plan', () => {
  test('of cloud-sessions is told which one it takes', async () => {
    const { organization, role } = await demoProduct('cloud-sessions');
    const page = await newPage();
    const token = tokenFor({ product: 'cloud-sessions', organization, role, plan: 'free' });
    await openLog(page, token);
    await page.getByRole('heading', { name: 'Paid Plan Required' }).waitFor();
    await page.getByText('The audit log is part of the plan Paid.').waitFor();
    expect(await page.title()).toBe('Audit Logs');
    const upgrade = page.getByRole('link', { name: 'See plans' });
    const { upgradeHref } = (await ask(token, '{ viewer { product { upgradeHref } } }')).viewer.product;
    expect(await upgrade.getAttribute('href')).toBe(upgradeHref);
    await expectAccessible(page);
    await keepPicture(page, 'state-plan');
  });

  test('of caputchin is shown nothing at all', async () => {
    const { organization, role } = await demoProduct('caputchin');
    const page = await newPage();
    await openLog(page, tokenFor({ product: 'caputchin', organization, role, plan: 'free' }));
    await page.getByRole('heading', { name: 'Nothing to see here' }).waitFor();
    expect(await page.getByText('apex').count()).toBe(0);
    await expectAccessible(page);
  });
});

describe('cloud-sessions', () => {
  test('has the filters of its document', async () => {
    const page = await newPage();
    await openLog(page, (await demoProduct('cloud-sessions')).token);
    expect(await filterNames(page)).toEqual(['User Email', 'Event Type']);
    expect(await page.getByRole('button', { name: 'Event Type All events' }).count()).toBe(1);
    await page.getByPlaceholder('Search email...').fill('KATYA');
    await page.getByRole('button', { name: 'Event Type All events' }).click();
    await page.getByRole('option', { name: 'USER_LOGIN' }).click();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Remove filter Event Type: USER_LOGIN' }).waitFor();
    await expect.poll(() => page.locator('tr.row .column-actor').allInnerTexts()).not.toContain('Haruki');
    expect(await page.getByRole('button', { name: 'Filters', exact: true }).isVisible()).toBe(false);
    expect(await page.getByRole('combobox', { name: 'Search', exact: true }).count()).toBe(0);
    await page.getByRole('button', { name: 'Clear filters' }).click();
    expect(new URL(page.url()).search).toBe('');
  });
});

describe('scim-platform', () => {
  test('tells what its categories are about where one is chosen', async () => {
    const { token } = await demoProduct('scim-platform');
    const { categories } = (await ask(token, '{ catalog { categories { label description } } }')).catalog;
    const page = await newPage();
    await openLog(page, token);
    await page.getByRole('button', { name: /^Category / }).click();
    const panel = page.getByRole('listbox', { name: 'Category' });
    for (const { label, description } of categories) {
      const option = panel.locator('.option', { has: page.getByText(label, { exact: true }) });
      expect(await option.innerText()).toContain(description);
    }
    await expectAccessible(page);
    await keepPicture(page, 'categories');
  });
});

describe('capydb', () => {
  test('says which project, except in a project’s own list', async () => {
    const { token, organization } = await demoProduct('capydb');
    const page = await newPage();
    await openLog(page, token);
    expect(await page.locator('thead th', { hasText: 'Project' }).count()).toBe(1);
    const { auditEvents } = await ask(token, '{ auditEvents(first: 25) { nodes { log { level name } } } }');
    const names = auditEvents.nodes.map(({ log }: any) => (log?.level === 'project' ? log.name : '–'));
    expect(await page.locator('tr.row .column-log').allInnerTexts()).toEqual(
      names.map((name: string) => expect.stringContaining(name)),
    );

    await openLog(page, token, '?log=project:prj_menu');
    expect(await rows(page).count()).toBe(25);
    expect(await page.locator('thead th', { hasText: 'Project' }).count()).toBe(0);
    expect(await page.locator('.column-log').count()).toBe(0);

    // Neither has the list of a token that is for one project.
    const one = tokenFor({ product: 'capydb', organization, role: 'admin', logs: ['project:prj_menu'] });
    await openLog(page, one);
    expect(await rows(page).count()).toBe(25);
    expect(await page.locator('.column-log').count()).toBe(0);
  });

  test('says of everybody what kind of actor they are, and offers its four kinds', async () => {
    const product = await demoProduct('capydb');
    const organization = new Organization(product);
    const actors = [
      { kind: 'USER', id: 'u_1', name: 'Ada Dashboard' },
      { kind: 'API_KEY', id: 'k_1', name: 'Deploy' },
      { kind: 'STAFF', id: 'o_1', name: 'Olga' },
      { kind: 'SYSTEM', name: 'Reaper' },
    ];
    await organization.recordMany(4, (index) => ({ action: 'api_key.created', actor: actors[index] }));
    const page = await newPage();
    await openLog(page, organization.token);
    const badges = () => page.locator('tr.row .column-actor .badge').allInnerTexts();
    await expect.poll(badges).toEqual(['System', 'Platform operator', 'API key', 'Dashboard user']);
    await rows(page).last().click();
    await expect.poll(() => page.locator('.details .badge.kind').allInnerTexts()).toEqual(['Dashboard user']);
    await page.getByRole('button', { name: 'Filters', exact: true }).click();
    await page.getByRole('button', { name: /^Kind of actor / }).click();
    const options = page.getByRole('listbox', { name: 'Kind of actor' }).locator('.option');
    const labels = ['All', ...product.actorKinds.map(({ label }) => label)];
    await expect.poll(() => options.allInnerTexts()).toEqual(labels);
    expect(labels).toHaveLength(5);
  });

  test('a person needs no word where the product has none of its own', async () => {
    const page = await newPage();
    await openLog(page, (await demoProduct('cloud-sessions')).token);
    expect(await page.locator('tr.row .column-actor .badge', { hasText: 'User' }).count()).toBe(0);
    expect(await page.locator('tr.row .column-actor .badge').count()).toBeGreaterThan(0);
  });
});

describe('all logs', () => {
  test('are all logs, where the list by itself is of one', async () => {
    const { token, organization } = await demoProduct('caputchin');
    const count = async (nested: boolean) =>
      (await ask(token, 'query ($nested: Boolean) { auditEvents(includeNested: $nested) { totalCount } }', { nested }))
        .auditEvents.totalCount as number;
    const [own, all] = [await count(false), await count(true)];
    expect(all).toBeGreaterThan(own);
    const page = await newPage();
    const total = (number: number) => page.locator('.position', { hasText: `1 to 25 of ${number}` }).waitFor();
    await openLog(page, token);
    await total(own);
    expect(await page.locator('.column-log').count()).toBe(0);
    await page.getByRole('button', { name: 'Filters', exact: true }).click();
    const choice = page.getByRole('combobox', { name: 'Log', exact: true });
    const options = await choice.locator('option').allInnerTexts();
    expect(options.slice(0, 2)).toEqual([`Account ${organization}`, 'All logs']);
    expect(options).toContain('Troop Shop');
    expect(new Set(options).size).toBe(options.length);
    expect(await choice.inputValue()).toBe('');
    await choice.selectOption('All logs');
    await total(all);
    expect(new URL(page.url()).searchParams.get('log')).toBe('*');
    expect(await page.locator('thead th', { hasText: 'Log' }).count()).toBe(1);
    await page.getByRole('combobox', { name: 'Search' }).fill('difficulty');
    await expect.poll(() => page.locator('tr.row .column-log .main > bdi').allInnerTexts()).toContain('Checkout form');
    await keepPicture(page, 'all-logs');
    await page.getByRole('combobox', { name: 'Search' }).fill('');

    // A link means the same, and Clear filters leads back to the product's own list.
    await openLog(page, token, '?log=*');
    await total(all);
    await page.getByRole('button', { name: 'Remove filter Log: All logs' }).waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await total(own);
  });

  test('are what the list is by itself, where it shows the nested ones', async () => {
    const { token } = await demoProduct('capydb');
    const page = await newPage();
    await openLog(page, token);
    await page.getByRole('button', { name: 'Filters', exact: true }).click();
    const options = await page.getByRole('combobox', { name: 'Log', exact: true }).locator('option').allInnerTexts();
    expect(options[0]).toBe('All logs');
    expect(options.slice(1).every((option) => option.startsWith('Project '))).toBe(true);
    const { totalCount } = (await ask(token, '{ auditEvents(includeNested: true) { totalCount } }')).auditEvents;
    await page.locator('.position', { hasText: `1 to 25 of ${totalCount}` }).waitFor();
  });
});

test('the platform’s own people say whose log they mean, and the address keeps it', async () => {
  const { name, organization } = await demoProduct('capydb');
  const page = await newPage();
  await openLog(page, tokenFor({ product: name, organization: null, scopes: 'audit:read audit:staff' }));
  await page.getByRole('heading', { name: 'Whose audit log?' }).waitFor();
  await expectAccessible(page);
  await page.getByLabel('Organization ID').fill(organization);
  await page.keyboard.press('Enter');
  await rows(page).first().waitFor();
  await page.reload();
  await rows(page).first().waitFor();
});
