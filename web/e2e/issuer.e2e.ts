// An issuer of tokens that is down, comes up and goes down again, beside a server of the test's own.
import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { expectAccessible, keepPicture, newPage } from './browser.ts';
import { settled } from './ledgerline.ts';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const folder = mkdtempSync(join(tmpdir(), 'ledgerline-issuer-'));
let up = false;
let issuer: Server;
let server: ChildProcess;
let base: string;

function token(): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const head = part({ alg: 'EdDSA', kid: 'one', typ: 'JWT' });
  const claims = part({
    iss: 'https://login.tickets.example',
    aud: 'ledgerline',
    sub: 'ada',
    org: 'acme',
    scope: 'audit:read',
    exp: Math.floor(Date.now() / 1000) + 3600,
  });
  return `${head}.${claims}.${sign(null, Buffer.from(`${head}.${claims}`), privateKey).toString('base64url')}`;
}

const product = (jwksUrl: string) => `
name = "tickets"
label = "Ticket Desk"
retention = "forever"
[[issuers]]
issuer = "https://login.tickets.example"
audience = "ledgerline"
[[issuers.keys]]
jwks_url = "${jwksUrl}"
[access]
[[levels]]
name = "organization"
label = "Organization"
[catalog]
open = true
[viewer]
paging = "PAGES"
date_filter = "NONE"
action_display = "NAME"
[[viewer.columns]]
kind = "TIME"
label = "Time"
`;

beforeAll(async () => {
  issuer = createServer((_request, response) => {
    const keys = [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig' }];
    response.writeHead(up ? 200 : 503).end(up ? JSON.stringify({ keys }) : 'try later');
  });
  await new Promise<void>((listening) => issuer.listen(0, '127.0.0.1', listening));
  const products = join(folder, 'products');
  mkdirSync(products);
  writeFileSync(
    join(products, 'tickets.toml'),
    product(`http://127.0.0.1:${(issuer.address() as AddressInfo).port}/jwks`),
  );
  const { binary, env } = inject('ledgerline');
  const database = `sqlite://${join(folder, 'ledgerline.db')}`;
  server = spawn(binary, ['serve', '--listen', '127.0.0.1:0', '--database-url', database, '--products', products], {
    env,
  });
  base = await new Promise<string>((found, failed) => {
    let said = '';
    server.stderr!.on('data', (chunk) => {
      said += chunk;
      const address = /listening on (http:\/\/[\d.:]+)/.exec(said);
      if (address) found(address[1]!);
    });
    server.on('exit', () => failed(new Error(said)));
  });
});

afterAll(async () => {
  server.kill('SIGTERM');
  await new Promise((closed) => issuer.close(closed));
  rmSync(folder, { recursive: true, force: true });
});

describe('a page whose issuer is down', () => {
  test('says so, and goes on by itself when it is up again', async () => {
    const page = await newPage({ origins: [base], expectedErrors: /status of 503/ });
    let asked = 0;
    page.on('request', (request) => {
      if (request.method() === 'POST') asked += 1;
    });
    await page.goto(`${base}/#token=${token()}`);
    await page.getByRole('heading', { name: 'Your sign-in cannot be checked at the moment' }).waitFor();
    await expectAccessible(page);
    await keepPicture(page, 'state-issuer-down');
    await page.waitForTimeout(5_000);
    expect(asked, 'with pauses').toBeLessThanOrEqual(4);
    await page.getByRole('heading', { name: 'Your sign-in cannot be checked at the moment' }).waitFor();
    up = true;
    await page.getByRole('heading', { name: 'No events yet' }).waitFor({ timeout: 20_000 });
    // Down once more: the keys at hand go on to serve.
    up = false;
    await page.reload();
    await settled(page);
    await page.getByRole('heading', { name: 'No events yet' }).waitFor();
  });
});
