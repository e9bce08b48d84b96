// A browser's own EventSource follows a log, and goes on by itself after its connection was lost.
import { createServer, request, type Server } from 'node:http';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { newPage } from './browser.ts';
import { demoProduct, Organization } from './ledgerline.ts';

const FOLLOW = 'subscription { auditEventRecorded { cursor node { sequence } } }';

let host: Server;
let organization: Organization;
const origin = () => `http://127.0.0.1:${inject('ledgerline').hostPort}`;
/** Connections of the browser to the stream, and what they said of where they were. */
const streams: { resume: string | undefined; drop: () => void }[] = [];

// The host page's server: an EventSource sends no Authorization header, so the token is added on the way.
beforeAll(async () => {
  organization = new Organization(await demoProduct('scim-platform'));
  host = createServer((asked, answer) => {
    if (!asked.url?.startsWith('/log')) {
      answer.setHeader('Content-Type', 'text/html');
      answer.end(
        '<!doctype html><html lang="en"><head><title>Host</title><link rel="icon" href="data:,"></head></html>',
      );
      return;
    }
    const headers = { ...asked.headers, host: new URL(inject('ledgerline').base).host };
    const url = `${inject('ledgerline').base}/graphql?query=${encodeURIComponent(FOLLOW)}`;
    const upstream = request(
      url,
      { headers: { ...headers, authorization: `Bearer ${organization.token}` } },
      (stream) => {
        answer.writeHead(stream.statusCode ?? 502, stream.headers);
        stream.pipe(answer);
      },
    );
    upstream.on('error', () => answer.destroy());
    answer.on('close', () => upstream.destroy());
    upstream.end();
    streams.push({ resume: asked.headers['last-event-id'] as string | undefined, drop: () => answer.destroy() });
  });
  await new Promise<void>((resolve) => host.listen(inject('ledgerline').hostPort, '127.0.0.1', resolve));
});

afterAll(() => {
  host.closeAllConnections();
  host.close();
});

test('EventSource gets each event once, over a lost connection too', async () => {
  // The browser notes the connection that is lost.
  const page = await newPage({ origins: [origin()], expectedErrors: /ERR_INCOMPLETE_CHUNKED_ENCODING/ });
  await page.goto(`${origin()}/`);
  await page.evaluate(() => {
    const heard: string[] = [];
    Object.assign(window, { heard });
    const source = new EventSource('/log');
    source.addEventListener('next', ({ data }) => heard.push(JSON.parse(data).data.auditEventRecorded.node.sequence));
  });
  const heard = () => page.evaluate(() => (window as unknown as { heard: string[] }).heard);
  await expect.poll(() => streams.length).toBe(1);
  await page.waitForTimeout(500);

  await organization.recordMany(3);
  await expect.poll(async () => (await heard()).length).toBe(3);
  streams[0]?.drop();
  await organization.recordMany(4);
  await expect.poll(async () => (await heard()).length, { timeout: 20_000 }).toBe(7);
  const sequences = (await heard()).map(Number);
  expect(sequences).toEqual(sequences.map((_, n) => (sequences[0] ?? 0) + n));
  expect(streams.length).toBe(2);
  expect(streams[1]?.resume, 'the browser says where it was').toBeTruthy();
});
