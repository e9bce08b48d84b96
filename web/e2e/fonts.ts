// Fonts of the tests' own: a machine may have none for a script, and another one than the next machine, which makes other widths.
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';

interface Font {
  sheet: string;
  family: string;
}

const latin: Font = { sheet: 'noto-sans', family: 'Noto Sans Variable' };
const others: Record<string, Font> = {
  ar: { sheet: 'noto-sans-arabic', family: 'Noto Sans Arabic Variable' },
  hi: { sheet: 'noto-sans-devanagari', family: 'Noto Sans Devanagari Variable' },
  ja: { sheet: 'noto-sans-jp', family: 'Noto Sans JP Variable' },
  ko: { sheet: 'noto-sans-kr', family: 'Noto Sans KR Variable' },
  zh: { sheet: 'noto-sans-sc', family: 'Noto Sans SC Variable' },
};

/** Shows the log in Noto's letters, those of the language first. The page needs `bypassCSP`. */
export async function useFonts(page: Page, language: string): Promise<void> {
  await page.route('**/e2e-fonts/**', (route) => {
    const path = new URL(route.request().url()).pathname.replace('/e2e-fonts/', '');
    const file = new URL(`../node_modules/@fontsource-variable/${path}`, import.meta.url);
    const contentType = path.endsWith('.css') ? 'text/css' : 'font/woff2';
    return route.fulfill({ contentType, body: readFileSync(file) });
  });
  const fonts = [latin, others[language]].filter((font) => font !== undefined);
  await page.addInitScript(
    ({ sheets, family }) => {
      document.addEventListener('DOMContentLoaded', () => {
        for (const sheet of sheets) {
          const link = document.createElement('link');
          Object.assign(link, { rel: 'stylesheet', href: `/e2e-fonts/${sheet}/index.css` });
          document.head.append(link);
        }
        for (const name of ['font', 'code-font']) {
          document.documentElement.style.setProperty(`--ledgerline-${name}`, family);
        }
      });
    },
    {
      sheets: fonts.map(({ sheet }) => sheet),
      family: [...fonts.map(({ family }) => `'${family}'`), 'sans-serif'].join(', '),
    },
  );
}

/** Waits until what is on the page is in its letters. */
export async function lettersAreThere(page: Page): Promise<void> {
  await page.waitForFunction(() => [...document.fonts].some(({ status }) => status === 'loaded'));
  // What is drawn next asks for the files that it needs.
  await page.evaluate(async () => {
    await new Promise((drawn) => requestAnimationFrame(drawn));
    await document.fonts.ready;
    await new Promise((drawn) => requestAnimationFrame(drawn));
  });
}
