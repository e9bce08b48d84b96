import { describe, expect, test } from 'vitest';
import { expectAccessible, keepPicture, newPage } from './browser.ts';
import { ask, demoProduct, openLog, rows, tokenFor } from './ledgerline.ts';

const products = ['caputchin', 'cloud-sessions', 'workspace', 'scim-platform', 'capydb'];

describe.each(products)('%s', (name) => {
  test('shows its administrator the columns it asked for, in their order', async () => {
    const product = await demoProduct(name);
    const page = await newPage();
    await openLog(page, product.token);
    expect((await page.locator('thead th').allInnerTexts()).slice(1)).toEqual(product.columns.map(({ label }) => label));
    expect(await rows(page).count()).toBeGreaterThan(5);
    expect(await page.locator('h1 + p').innerText()).toContain(product.label);
    if (product.dateFilter !== 'NONE') await expect.poll(() => page.locator('.bar').count()).toBeGreaterThan(10);
    await expectAccessible(page);
  });

  test('offers the date filter and the paging that it asked for', async () => {
    const product = await demoProduct(name);
    const page = await newPage();
    await openLog(page, product.token);
    const presets = ['PRESETS', 'BOTH'].includes(product.dateFilter);
    const range = ['RANGE', 'BOTH'].includes(product.dateFilter);
    expect(await page.getByRole('combobox', { name: 'Date range' }).count()).toBe(presets ? 1 : 0);
    expect(await page.locator('input[type=date]').count()).toBe(range ? 2 : 0);
    if (product.paging === 'PAGES') {
      await page.locator('.position', { hasText: /^Page 1 of \d+ \([\d,]+ total\)$/ }).waitFor();
      await page.getByRole('button', { name: 'Next', exact: true }).click();
      await page.locator('.position', { hasText: /^Page 2 of/ }).waitFor();
    } else {
      const before = await rows(page).count();
      await page.getByRole('button', { name: 'Load more' }).click();
      await page.waitForFunction(
        (count) => document.querySelector('ledgerline-log')!.shadowRoot!.querySelectorAll('tr.row').length > count,
        before,
      );
    }
  });

  test.each(['light', 'dark'] as const)('can be looked at in %s, narrow and wide', async (colorScheme) => {
    const product = await demoProduct(name);
    const page = await newPage({ colorScheme });
    for (const width of [320, 360, 1280, 2560]) {
      await page.setViewportSize({ width, height: width > 2000 ? 1440 : 900 });
      await openLog(page, product.token);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(overflow, `sideways scrolling at ${width} pixels`).toBeLessThanOrEqual(0);
      if (product.dateFilter !== 'NONE') await page.locator('.bar').first().waitFor();
      if (width !== 320) await keepPicture(page, `${name}-${colorScheme}-${width}`);
    }
    await expectAccessible(page);
  });
});

describe.each(products)('%s tells everybody what its server tells them:', (name) => {
  test.each([
    ['a member', { role: 'member' }],
    ['somebody on another plan', { plan: 'some-other-plan' }],
    ['somebody without the scope', { scopes: 'audit:record' }],
  ])('%s', async (_who, change) => {
    const { organization, role, plan } = await demoProduct(name);
    const token = tokenFor({ product: name, organization, role, plan, ...change });
    const { viewer } = await ask(token, '{ viewer { canReadAuditLog { allowed reason hidden requiredPlans } } }');
    const { allowed, reason, hidden, requiredPlans } = viewer.canReadAuditLog;
    const page = await newPage();
    await openLog(page, token);
    if (allowed) {
      await rows(page).first().waitFor();
      return;
    }
    const heading = await page.getByRole('heading', { level: 1 }).innerText();
    if (hidden) expect(heading).toBe('Nothing to see here');
    else if (reason === 'FORBIDDEN') expect(heading).toBe('For administrators');
    else expect(heading).toBe(`Available on ${requiredPlans.join(' or ')}`);
    expect(await rows(page).count()).toBe(0);
  });
});

describe('a member who is no administrator', () => {
  test.each(['cloud-sessions', 'workspace', 'scim-platform'])('of %s is told so', async (name) => {
    const { organization, plan } = await demoProduct(name);
    const page = await newPage();
    await openLog(page, tokenFor({ product: name, organization, plan, role: 'member' }));
    await page.getByRole('heading', { name: 'For administrators' }).waitFor();
    expect(await rows(page).count()).toBe(0);
    await expectAccessible(page);
  });
});

describe('another plan', () => {
  test('of cloud-sessions is told which one it takes', async () => {
    const { organization, role } = await demoProduct('cloud-sessions');
    const page = await newPage();
    await openLog(page, tokenFor({ product: 'cloud-sessions', organization, role, plan: 'free' }));
    await page.getByRole('heading', { name: /paid/i }).waitFor();
    await expectAccessible(page);
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
