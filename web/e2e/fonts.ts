// Fonts of the tests' own: a machine may have none for a script, and another one than the next machine, which makes other widths.
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';

const packages = ['', '-arabic', '-devanagari', '-jp', '-kr', '-sc'].map((script) => `noto-sans${script}`);
const families: Record<string, string> = {
  ar: 'Noto Sans Arabic Variable',
  hi: 'Noto Sans Devanagari Variable',
  ja: 'Noto Sans JP Variable',
  ko: 'Noto Sans KR Variable',
  zh: 'Noto Sans SC Variable',
};

/** Shows the log in Noto's letters, those of the language first. The page needs `bypassCSP`. */
export async function useFonts(page: Page, language: string): Promise<void> {
  await page.route('**/e2e-fonts/**', (route) => {
    const path = new URL(route.request().url()).pathname.replace('/e2e-fonts/', '');
    const file = new URL(`../node_modules/@fontsource-variable/${path}`, import.meta.url);
    const contentType = path.endsWith('.css') ? 'text/css' : 'font/woff2';
    return route.fulfill({ contentType, body: readFileSync(file) });
  });
  const font = ['Noto Sans Variable', families[language], 'sans-serif'].filter(Boolean);
  await page.addInitScript(
    ([sheets, family]) => {
      document.addEventListener('DOMContentLoaded', () => {
        for (const sheet of sheets!.split(' ')) {
          const link = document.createElement('link');
          Object.assign(link, { rel: 'stylesheet', href: `/e2e-fonts/${sheet}/index.css` });
          document.head.append(link);
        }
        for (const name of ['font', 'code-font']) {
          document.documentElement.style.setProperty(`--ledgerline-${name}`, family!);
        }
      });
    },
    [packages.join(' '), font.map((name) => (name === 'sans-serif' ? name : `'${name}'`)).join(', ')] as const,
  );
}

/** Waits until what is on the page is in its letters. */
export async function lettersAreThere(page: Page): Promise<void> {
  await page.evaluate(async () => {
    // Once the styles are there, what is drawn next asks for the fonts that it needs.
    await Promise.all([...document.styleSheets].map(() => new Promise((drawn) => requestAnimationFrame(drawn))));
    document.body.getBoundingClientRect();
    await document.fonts.ready;
    await new Promise((drawn) => requestAnimationFrame(drawn));
  });
}
