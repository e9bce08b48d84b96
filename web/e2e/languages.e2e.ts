// Every language, on a telephone, a tablet and a desk: nothing is cut, nothing lies over anything else.
import type { Page } from 'playwright-core';
import { beforeAll, expect, inject, test } from 'vitest';
import { languages, loadSpoken, loadWhole } from '../src/texts.ts';
import { expectAccessible, keepPicture, newPage } from './browser.ts';
import { lettersAreThere, useFonts } from './fonts.ts';
import { demoProduct, openLog, Organization, rows } from './ledgerline.ts';

const widths = [390, 780, 1280];
/** A region of each, as browsers report it. */
const locales = languages.map(
  (language) => ({ ar: 'ar-EG', en: 'en-GB', pt: 'pt-BR', zh: 'zh-CN' })[language] ?? language,
);

let token: string;

beforeAll(async () => {
  const organization = new Organization(await demoProduct('scim-platform'));
  await organization.recordMany(60, (index) => ({
    actor: { kind: index % 4 === 0 ? 'API_KEY' : 'USER', id: `u_${index % 3}`, name: `Person ${index % 3}` },
    occurredAt: new Date(Date.now() - index * 7 * 3_600_000).toISOString(),
    ...(index % 5 === 0 ? { outcome: 'FAILURE' } : {}),
    resources: [
      { type: 'project', id: 'p_1', name: 'Apollo' },
      { type: 'group', id: 'g_1' },
    ],
    metadata: { before: { plan: 'free' }, after: { plan: 'pro' }, labels: ['red', 'green', { deep: 1 }] },
    ipAddress: '203.0.113.9',
  }));
  token = organization.tokenWith({ scopes: 'audit:read audit:manage' });
});

/** What cannot be read: text that its box cuts off, that lies over another text, or that sticks out of the page. */
const unreadable = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const root = document.querySelector('ledgerline-log')!.shadowRoot!;
    const found: string[] = [];
    const shown: { text: string; layer: Element | null; box: DOMRect }[] = [];
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const text = node.textContent!.trim();
      const own = node.parentElement!;
      if (!text || !own.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
      if (own.closest('.unseen, style, option') || getComputedStyle(own).clipPath !== 'none') continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      let boxes = [...range.getClientRects()].filter(({ width, height }) => width > 0.5 && height > 0.5);
      let scrolls = false;
      // What a caller or a product wrote may end in dots: the whole stands in the tooltip.
      let isData = false;
      for (let up: Element | null = own; up; up = up.parentElement) {
        const style = getComputedStyle(up);
        if (style.clipPath !== 'none') boxes = [];
        isData ||= up.matches('td .main, td .main *, .details *, .day *') && style.textOverflow === 'ellipsis';
        if (/auto|scroll/.test(style.overflowX + style.overflowY)) scrolls = true;
        if (style.overflowX === 'visible' || scrolls || isData) continue;
        const { left, right } = up.getBoundingClientRect();
        const cut = boxes.find((box) => box.left < left - 1 || box.right > right + 1);
        if (cut) found.push(`cut: ${text} in .${up.className}`);
      }
      if (boxes.length === 0) continue;
      const layer = own.closest('.panel, dialog, .tip, .news, .toolbar, th, .day');
      if (!scrolls) {
        for (const box of boxes) {
          if (box.left < -1 || box.right > innerWidth + 1) found.push(`outside: ${text}`);
          if (!isData) shown.push({ text, layer, box });
        }
      }
      if (own.closest('time') && boxes.length > 1) {
        const lines = new Set(boxes.map(({ top }) => Math.round(top / 4)));
        if (lines.size > 1 && !own.closest('.details')) found.push(`wrapped time: ${text}`);
      }
    }
    for (const [index, one] of shown.entries()) {
      for (const other of shown.slice(index + 1)) {
        if (one.layer !== other.layer) continue;
        const across = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
        const down = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
        if (across > 2 && down > 4) found.push(`over each other: ${one.text} | ${other.text}`);
      }
    }
    for (const part of root.querySelectorAll('button, .button, .choice, th, .badge, legend, label')) {
      if (!part.checkVisibility() || part.closest('td .main') || part.matches('.unseen')) continue;
      if (part.scrollWidth > part.clientWidth + 1 && part.clientWidth > 0)
        found.push(`too narrow: ${part.textContent}`);
    }
    if (document.documentElement.scrollWidth > innerWidth) found.push('the page scrolls sideways');
    return [...new Set(found)];
  });

test.each(locales)('%s', { timeout: 240_000 }, async (locale) => {
  const texts = await loadWhole((await loadSpoken(locale)).texts);
  const page = await newPage({ locale, bypassCSP: true });
  await useFonts(page, locale.slice(0, 2));
  const look = async (name: string) => {
    await lettersAreThere(page);
    expect(await unreadable(page), name).toEqual([]);
    await keepPicture(page, `language-${locale}-${name}`);
  };
  const panel = page.locator('.panel');
  for (const width of widths) {
    await page.setViewportSize({ width, height: 900 });
    await openLog(page, token);
    expect(await page.locator('html').getAttribute('lang')).toBe(locale.split('-')[0]);
    await page.locator('.drawing:not(.stale) .bar').first().waitFor();
    await page.locator('.failures .badge').waitFor();
    await look(`${width}-list`);
    for (const button of [texts.range, texts.export, texts.moreActions]) {
      const opener = page.getByRole('button', { name: new RegExp(`^${button}`) }).first();
      await opener.click();
      await panel.locator('button, input, label').first().waitFor();
      expect(await unreadable(page), `${width} ${button}`).toEqual([]);
      await page.keyboard.press('Escape');
      await panel.waitFor({ state: 'detached' });
    }
    await page.getByRole('button', { name: texts.moreActions }).first().click();
    await page.getByRole('button', { name: texts.alertMe }).click();
    const alert = page.getByRole('dialog', { name: texts.alertTitle });
    await alert.getByLabel(texts.alertThreshold).fill('5');
    await look(`${width}-alert`);
    await alert.getByRole('button', { name: texts.cancel }).click();
    await alert.waitFor({ state: 'detached' });
    await rows(page).nth(1).locator('.opener').click();
    await page.locator('.details').waitFor();
    await look(`${width}-details`);
    await expectAccessible(page);
    // Filters at work, and nothing found.
    await openLog(page, token, `?lang=${locale}&q=nowhere&outcome=FAILURE&actor-kind=USER&period=LAST_30_DAYS`);
    await page.getByRole('heading', { name: texts.nothingTitle }).waitFor();
    await look(`${width}-nothing`);
  }
});

test('what cannot be read would be found', async () => {
  const page = await newPage({ viewport: { width: 780, height: 900 } });
  await openLog(page, token);
  await page.locator('.failures .badge').waitFor();
  const withStyle = async (css: string) => {
    await page.evaluate((text) => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(text);
      const root = document.querySelector('ledgerline-log')!.shadowRoot!;
      root.adoptedStyleSheets = [...root.adoptedStyleSheets.slice(0, 10), sheet];
    }, css);
    return (await unreadable(page)).join('\n');
  };
  expect(await withStyle('')).toBe('');
  expect(await withStyle('.failures { width: 3rem; overflow: hidden }')).toMatch(
    /cut: Failures[^]*too narrow: Failures/,
  );
  expect(await withStyle('.summary-line .total { margin-inline-end: -6rem }')).toContain('over each other: 60 events');
  expect(await withStyle('.day td { inline-size: 60rem } .list { inline-size: 60rem }')).toContain('sideways');
});

test('from right to left, the language alone decides', async () => {
  const { texts } = await loadSpoken('ar');
  const page = await newPage({ locale: 'en-GB' });
  await openLog(page, token, '?lang=ar');
  await page.locator('.failures', { hasText: texts.failures }).waitFor();
  const log = page.locator('ledgerline-log');
  expect([await log.getAttribute('dir'), await page.locator('html').getAttribute('dir')]).toEqual(['rtl', 'rtl']);
  const [opener, table] = await Promise.all([
    page.locator('.opener').first().boundingBox(),
    page.locator('table').boundingBox(),
  ]);
  expect(opener!.x, 'the way in stands at the left').toBeLessThan(table!.x + table!.width / 2);
  await log.evaluate((element) => element.setAttribute('locale', 'ja'));
  await page.locator('.failures', { hasText: (await loadSpoken('ja')).texts.failures }).waitFor();
  expect(await log.getAttribute('dir')).toBe('ltr');
  expect(await page.locator('.spoken').getAttribute('lang')).toBe('ja');
  await log.evaluate((element) => element.setAttribute('dir', 'rtl'));
  await log.evaluate((element) => element.setAttribute('locale', 'en'));
  await page.locator('.failures', { hasText: 'Failures' }).waitFor();
  expect(await log.getAttribute('dir'), 'what the host says stays').toBe('rtl');
});

test('of the reader’s languages, the first that is there is spoken; else English, whole', async () => {
  const page = await newPage();
  await page.addInitScript(() => {
    Object.defineProperty(navigator, 'languages', { value: ['fi-FI', 'ko-KR', 'de'] });
  });
  await openLog(page, token);
  await page.locator('.failures', { hasText: '실패' }).waitFor();
  await openLog(page, token, '?lang=fi');
  await page.locator('.failures', { hasText: 'Failures' }).waitFor();
  expect(await page.locator('html').getAttribute('lang')).toBe('en');
  expect(await page.locator('.spoken').getAttribute('lang')).toBe('en');
  const { texts } = await loadSpoken('en');
  expect(await page.locator('.day strong').first().innerText(), 'dates too').toMatch(/^(Today|Yesterday|\w+day, )/);
  expect(texts.title).toBe('Audit log');
});

test('a language that cannot be loaded is English, whole', async () => {
  const page = await newPage({ expectedErrors: /Failed to load resource|ERR_FAILED/ });
  await page.route(/\/assets\/ar-/, (route) => route.abort());
  await openLog(page, token, '?lang=ar-EG');
  await page.locator('.failures', { hasText: 'Failures' }).waitFor();
  expect(await page.locator('ledgerline-log').getAttribute('dir')).toBe('ltr');
  expect(await page.locator('.total').innerText()).toBe('60 events');
});

test('one language is two files, of the list and of its parts, and no other is asked for', async () => {
  const { base } = inject('ledgerline');
  const asked: string[] = [];
  const page = await newPage({ locale: 'tr-TR' });
  page.on('request', (request) => asked.push(request.url().replace(base, '')));
  await openLog(page, token);
  const files = () =>
    asked.filter((path) => /\/assets\/(ar|de|en|es|fr|hi|ja|ko|pt|tr|zh)-/.test(path)).map((path) => path.slice(8, 10));
  await page.locator('.bars').waitFor();
  expect(files()).toEqual(['tr', 'tr']);
});
