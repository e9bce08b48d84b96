// A page with the viewer in it, opened in Chromium: that of the viewer's own browser tests.
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { root } from './pages.mjs';

const web = createRequire(join(root, 'web/package.json'));

/**
 * Serves the page at `origin` with `token` in the place of the word TOKEN, and waits until the list shows events.
 *
 * @param {string} html
 * @param {string} origin
 * @param {string} token
 */
export async function openPage(html, origin, token) {
  const page = html.replaceAll('TOKEN', token);
  const server = createServer((request, response) => {
    const found = request.url === '/';
    response.writeHead(found ? 200 : 404, { 'content-type': 'text/html; charset=utf-8' }).end(found ? page : '');
  });
  await new Promise((resolve) => server.listen(new URL(origin).port, '127.0.0.1', resolve));
  const { chromium } = web('playwright-core');
  const browser = await chromium.launch({
    executablePath: await executable(),
    args: ['--headless', '--no-sandbox', '--disable-gpu'],
  });
  try {
    const tab = await browser.newPage();
    const complaints = [];
    tab.on('console', (message) => complaints.push(message.text()));
    tab.on('pageerror', (error) => complaints.push(error.message));
    await tab.goto(origin);
    try {
      await tab.locator('ledgerline-log :is(tbody tr, .recent li)').first().waitFor({ timeout: 60_000 });
    } catch (error) {
      throw new Error(`no event was shown: ${error.message}\n${complaints.join('\n')}`);
    }
  } finally {
    await browser.close();
    await new Promise((resolve) => server.close(resolve));
  }
}

async function executable() {
  if (process.env.CHROMIUM_PATH) return process.env.CHROMIUM_PATH;
  if (existsSync('/usr/bin/chromium')) return '/usr/bin/chromium';
  const { default: packaged } = await import(web.resolve('@sparticuz/chromium'));
  return packaged.executablePath();
}
