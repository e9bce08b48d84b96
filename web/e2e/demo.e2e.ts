// The first five minutes: the page of the demo, and the service below a path of somebody else's proxy.
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { expectAccessible, keepPicture, newPage } from './browser.ts';
import { demoProduct, openLog, rows, settled } from './ledgerline.ts';

describe('the page of the demo', () => {
  test('leads to a filled log in one click', async () => {
    const page = await newPage();
    await page.goto(`${inject('ledgerline').base}/`);
    expect(await page.locator('h2').count()).toBe(5);
    await expectAccessible(page);
    await keepPicture(page, 'demo');
    await page.getByRole('region', { name: 'CapyDB' }).getByRole('link').first().click();
    await settled(page);
    expect(await rows(page).count()).toBeGreaterThan(10);
    expect(page.url()).toBe(`${inject('ledgerline').base}/log`);
  });

  test('leads whoever may not read to the reason, and staff to an organization', async () => {
    const page = await newPage();
    const people = page.getByRole('region', { name: 'Cloud Sessions' });
    await page.goto(`${inject('ledgerline').base}/`);
    const [admin, member, staff] = await Promise.all(
      [0, 1, 2].map((row) => people.getByRole('row').nth(row).getByRole('link').first().getAttribute('href')),
    );
    for (const [address, sees] of [
      [admin, rows(page).first()],
      [member, page.locator('.message')],
      [staff, rows(page).first()],
    ] as const) {
      await page.goto('about:blank');
      await page.goto(`${inject('ledgerline').base}/${address}`);
      await sees.waitFor();
    }
  });

  test('has an event recorded, and the playground, beside each of them', async () => {
    const page = await newPage();
    await page.goto(`${inject('ledgerline').base}/`);
    const first = page.getByRole('region', { name: 'CapyDB' }).getByRole('row').first();
    await first.getByText('Token', { exact: true }).click();
    const token = await first.getByRole('textbox').inputValue();
    await first.getByRole('link', { name: 'Record an event' }).click();
    await page.locator('.graphiql-query-editor', { hasText: 'recordAuditEvent' }).waitFor();
    await page.locator('.graphiql-editor-tool', { hasText: '"action"' }).waitFor();
    const answered = page.waitForResponse((response) => response.request().postData()?.includes('Record(') ?? false);
    await page.getByRole('button', { name: /^Execute/ }).click();
    expect((await (await answered).json()).data.recordAuditEvent.status).toBe('RECORDED');
    await page.goBack();
    await first.getByRole('link', { name: 'Playground' }).click();
    await page.locator('.graphiql-execute-button').waitFor();
    expect(await page.getByLabel('Token').inputValue()).toBe(token);
  });
});

describe('below a path of a proxy that takes the path off', () => {
  let proxy: Server;
  let outside: string;

  beforeAll(async () => {
    const { base } = inject('ledgerline');
    proxy = createServer((asked, answer) => {
      if (!asked.url!.startsWith('/tools/audit/')) return void answer.writeHead(404).end();
      const url = new URL(asked.url!.slice('/tools/audit'.length), base);
      const passed = request(url, { method: asked.method!, headers: asked.headers }, (found) => {
        answer.writeHead(found.statusCode!, found.headers);
        found.pipe(answer);
      });
      asked.pipe(passed);
    });
    await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening));
    outside = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/tools/audit`;
  });
  afterAll(() => new Promise((closed) => proxy.close(closed)));

  test.each(['/log', '/settings/audit-log', '/settings/audit-log/'])('the log stands at %s', async (path) => {
    const { token } = await demoProduct('capydb');
    const page = await newPage({ origins: [new URL(outside).origin] });
    await page.goto(`${outside}${path}#token=${token}`);
    await settled(page);
    expect(await rows(page).count()).toBeGreaterThan(10);
  });

  test.each(['/playground', '/playground/'])('and the playground at %s', async (path) => {
    const { token } = await demoProduct('capydb');
    const page = await newPage({ origins: [new URL(outside).origin] });
    await page.goto(`${outside}${path}#token=${token}`);
    await page.locator('.graphiql-execute-button').waitFor();
    await page.getByRole('link', { name: 'Audit log' }).click();
    await settled(page);
    expect(page.url()).toBe(`${outside}/log`);
  });

  test('and people come in by the page of the demo', async () => {
    const page = await newPage({ origins: [new URL(outside).origin] });
    await page.goto(`${outside}/`);
    await page.getByRole('region', { name: 'CapyDB' }).getByRole('link').first().click();
    await settled(page);
    expect(await rows(page).count()).toBeGreaterThan(10);
    await openLog(page, (await demoProduct('workspace')).token);
  });
});
