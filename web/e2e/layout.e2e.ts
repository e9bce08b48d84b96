// The pictures of each product, compared as what they are made of: where its parts stand, at four widths, and their colours in
// a light and a dark page. Not by pixels: another Chromium draws the same letter otherwise, and a reference that breaks by that is
// soon updated unseen. The letters are the tests' own, so that widths are the same on every machine.
//
// `UPDATE_LAYOUT=1 npm run e2e -- layout` writes the references, for a change that is meant.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { keepPicture, newPage } from './browser.ts';
import { lettersAreThere, useFonts } from './fonts.ts';
import { demoProduct, openLog, Organization } from './ledgerline.ts';

const products = ['capydb', 'caputchin', 'cloud-sessions', 'scim-platform', 'workspace'];
const widths = [360, 780, 1280, 2560];
const tolerance = 3;

type Box = [x: number, y: number, width: number, height: number];
interface Picture {
  boxes: Record<string, Record<string, Box>>;
  colours: Record<string, Record<string, string>>;
}

/** What depends on nothing but the product, the width and the styles. */
const parts: Record<string, string> = {
  heading: '.heading',
  title: '.heading h1',
  actions: '.heading-actions',
  toolbar: '.toolbar',
  box: '.toolbar .box',
  range: '.toolbar .button.range',
  failures: '.toolbar .button.failures',
  filters: '.toolbar .button.more',
  picker: '.toolbar .picker',
  histogram: '.histogram',
  bars: '.bars',
  list: '.list',
  head: 'thead',
  column: 'th',
  day: '.day',
  row: 'tr.row',
  cell: 'tr.row td',
  opener: '.opener',
  mark: '.mark-failure',
  pager: '.pager',
};
/** Of these, the first of its kind is not all there is to see. */
const several = new Set(['column', 'picker', 'row']);

const measure = (page: Page): Promise<Record<string, Box>> =>
  page.evaluate(
    ([selectors, all]) => {
      const root = document.querySelector('ledgerline-log')!.shadowRoot!;
      const found: Record<string, Box> = {};
      for (const [name, selector] of Object.entries(selectors)) {
        const shown = [...root.querySelectorAll(selector)].filter((part) => part.checkVisibility());
        for (const [index, part] of shown.slice(0, all.includes(name) ? 8 : 1).entries()) {
          const { x, y, width, height } = part.getBoundingClientRect();
          found[index === 0 ? name : `${name} ${index + 1}`] = [x, y, width, height].map(Math.round) as Box;
        }
      }
      return found;
    },
    [parts, [...several]] as const,
  );

const coloursOf = (page: Page): Promise<Record<string, string>> =>
  page.evaluate((selectors) => {
    const root = document.querySelector('ledgerline-log')!.shadowRoot!;
    const found: Record<string, string> = {};
    for (const [name, selector] of Object.entries(selectors)) {
      const part = root.querySelector(selector);
      if (!part?.checkVisibility()) continue;
      const { color, backgroundColor, borderTopColor } = getComputedStyle(part);
      found[name] = `${color} on ${backgroundColor}, ${borderTopColor}`;
    }
    return found;
  }, parts);

/** Where two pictures differ by more than a rounding. */
function differences(wanted: Picture, seen: Picture): string[] {
  const found: string[] = [];
  const compare = <Value>(path: string, one: Record<string, Value>, other: Record<string, Value>) => {
    for (const name of new Set([...Object.keys(one), ...Object.keys(other)])) {
      const [before, after] = [one[name], other[name]];
      const isNear =
        Array.isArray(before) && Array.isArray(after)
          ? before.every((value, index) => Math.abs(value - after[index]) <= tolerance)
          : before === after;
      if (!isNear) found.push(`${path} ${name}: ${String(before)} became ${String(after)}`);
    }
  };
  for (const width of widths) compare(`${width} px`, wanted.boxes[width] ?? {}, seen.boxes[width] ?? {});
  for (const scheme of ['light', 'dark']) {
    compare(scheme, wanted.colours[scheme] ?? {}, seen.colours[scheme] ?? {});
  }
  return found;
}

const referenceOf = (name: string) => new URL(`layout/${name}.json`, import.meta.url);

test.each(products)('%s looks as it did', { timeout: 180_000 }, async (name) => {
  // Its name stands in the heading, and has a width.
  const organization = new Organization(await demoProduct(name), 'org_layout');
  await organization.recordMany(12, (index) => ({
    actor: { kind: 'USER', id: `u_${index % 3}`, name: `Person ${index % 3}` },
    // Each of a day of its own, at every time of day at which the test may run.
    occurredAt: new Date(Date.now() - (12 - index) * 86_400_000).toISOString(),
    ...(index % 4 === 3 ? { outcome: 'FAILURE' } : {}),
  }));
  const page = await newPage({ bypassCSP: true });
  await useFonts(page, 'en');
  await openLog(page, organization.token);
  await page.locator('.toolbar').waitFor();
  await page.locator('.failures .badge').waitFor();
  const seen: Picture = { boxes: {}, colours: {} };
  for (const width of widths) {
    await page.setViewportSize({ width, height: 900 });
    for (const scheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: scheme });
      await lettersAreThere(page);
      await keepPicture(page, `layout-${name}-${width}-${scheme}`);
      if (width === 1280) seen.colours[scheme] = await coloursOf(page);
    }
    seen.boxes[width] = await measure(page);
  }
  const reference = referenceOf(name);
  if (process.env.UPDATE_LAYOUT) {
    writeFileSync(reference, `${JSON.stringify(seen)}\n`);
    return;
  }
  expect(existsSync(reference), `${reference.pathname} is missing: see the head of this file`).toBe(true);
  const wanted = JSON.parse(readFileSync(reference, 'utf8')) as Picture;
  expect(differences(wanted, seen)).toEqual([]);

  // A change that nobody meant is seen: more room in the bar, another colour.
  await page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync('.toolbar { padding-block-end: 5px } .heading h1 { color: rgb(1 2 3) }');
    document.querySelector('ledgerline-log')!.shadowRoot!.adoptedStyleSheets.push(sheet);
  });
  const other: Picture = {
    boxes: { ...seen.boxes, 2560: await measure(page) },
    colours: { ...seen.colours, dark: await coloursOf(page) },
  };
  const found = differences(wanted, other).join('\n');
  expect(found).toContain('2560 px toolbar');
  expect(found).toContain('2560 px histogram');
  expect(found).toContain('dark title');
});
