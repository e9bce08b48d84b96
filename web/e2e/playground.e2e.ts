import type { Page } from 'playwright-core';
import { describe, expect, inject, test } from 'vitest';
import { examples } from '../src/playground/examples.ts';
import { keepPicture, newPage } from './browser.ts';
import { demoProduct, openLog, Organization } from './ledgerline.ts';

async function openPlayground(page: Page, token: string): Promise<void> {
  await page.goto(`${inject('ledgerline').base}/playground#token=${token}`);
  await page.locator('.graphiql-execute-button').waitFor();
}

/** Runs one of the examples and gives the server's answer, once GraphiQL shows one. */
async function run(page: Page, name: string): Promise<any> {
  const operation = /(?:query|mutation) (\w+)/.exec(examples.find((example) => example.name === name)!.query)![1]!;
  await page.getByLabel('Example').selectOption(name);
  await page.locator('.graphiql-query-editor', { hasText: operation }).waitFor();
  const answered = page.waitForResponse(
    (response) => response.url().endsWith('/graphql') && response.request().postData()!.includes(` ${operation}`),
  );
  // The same button stops what still runs.
  await page.getByRole('button', { name: /^Execute/ }).click();
  const answer = await (await answered).json();
  await page.locator('.result-window', { hasText: '"data"' }).waitFor();
  return answer;
}

describe('the playground', () => {
  test('runs every example, and offers no other host anything', async () => {
    const organization = new Organization(await demoProduct('scim-platform'));
    await organization.recordMany(15);
    const page = await newPage();
    await openPlayground(page, organization.token);
    expect(page.url()).toBe(`${inject('ledgerline').base}/playground`);

    for (const example of [
      'Who am I, and may I read?',
      'The catalog of actions',
      'Newest events',
      'Filter',
      'Search',
    ]) {
      expect((await run(page, example)).errors, example).toBeUndefined();
    }
    await run(page, 'Newest events');
    const next = await run(page, 'Next page');
    expect(next.data.auditEvents.nodes).toHaveLength(5);
    expect(next.data.auditEvents.pageNumber).toBe(2);
    const recorded = await run(page, 'Record an event');
    expect(recorded.data.recordAuditEvent.status).toBe('RECORDED');
    await keepPicture(page, 'playground');
  });

  test('shares its token with the viewer of the same tab', async () => {
    const organization = new Organization(await demoProduct('scim-platform'));
    const page = await newPage();
    await openLog(page, organization.token);
    await page.goto(`${inject('ledgerline').base}/playground`);
    await page.locator('.graphiql-execute-button').waitFor();
    expect(await page.getByLabel('Token').inputValue()).toBe(organization.token);
    expect((await run(page, 'Who am I, and may I read?')).data.viewer.organization).toBe(organization.id);
  });
});
