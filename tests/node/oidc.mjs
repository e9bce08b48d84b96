// A product whose people come by a real OpenID provider, npm `oidc-provider`: discovery, access tokens for a resource
// (RFC 8707), keys that change while it serves, an outage of the provider, and a backend beside it by a secret. The service is
// the program that LEDGERLINE_BIN names, else target/debug/ledgerline.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Provider } from 'oidc-provider';

const program = process.env.LEDGERLINE_BIN ?? new URL('../../target/debug/ledgerline', import.meta.url).pathname;
const AUDIENCE = 'https://audit.acme.example';
const SECRET = 'a secret of the backend, thirty-two bytes and more';

/** A private key as the provider takes it. */
function key(kid, type, options, alg) {
  const { privateKey } = generateKeyPairSync(type, options);
  return { ...privateKey.export({ format: 'jwk' }), kid, alg, use: 'sig' };
}

/** The provider at an address, with one key. */
function provider(issuer, jwk) {
  return new Provider(issuer, {
    clients: [
      {
        client_id: 'portal',
        client_secret: 'a secret of the portal',
        grant_types: ['client_credentials'],
        response_types: [],
        redirect_uris: [],
        id_token_signed_response_alg: jwk.alg,
      },
    ],
    jwks: { keys: [jwk] },
    cookies: { keys: ['a secret of the provider'] },
    ttl: { ClientCredentials: 600 },
    scopes: ['audit:read', 'audit:manage'],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_ctx, resource) => ({
          audience: resource,
          scope: 'audit:read audit:manage',
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: jwk.alg } },
        }),
      },
    },
    extraTokenClaims: () => ({ 'https://acme.example/org': 'acme', groups: ['Audit Admins'] }),
  });
}

const server = createServer();
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;
let handle;
let asked = 0;
server.on('request', (request, response) => {
  if (request.url.includes('jwks')) asked += 1;
  return handle ? handle(request, response) : response.writeHead(503).end();
});
const serve = (jwk) => (handle = provider(issuer, jwk).callback());
serve(key('first', 'rsa', { modulusLength: 2048 }, 'PS256'));

const folder = mkdtempSync(join(tmpdir(), 'ledgerline-oidc-'));
writeFileSync(join(folder, 'backend.key'), SECRET);
writeFileSync(
  join(folder, 'tickets.toml'),
  `name = "tickets"
label = "Ticket Desk"
retention = "forever"

[[issuers]]
issuer = "${issuer}"
audience = "${AUDIENCE}"
discovery = true
allowed_scopes = ["audit:read"]

[issuers.claims]
organization = "https://acme.example/org"
roles = { at = "groups", words = { "Audit Admins" = "admin" } }

[[issuers]]
issuer = "backend"
audience = "ledgerline"
keys = [{ secret_file = "backend.key" }]

[access]
roles = ["admin"]
[[levels]]
name = "organization"
label = "Organization"
[catalog]
open = true
[viewer]
paging = "MORE"
date_filter = "NONE"
action_display = "NAME"
[[viewer.columns]]
kind = "TIME"
label = "Time"
`,
);

const settings = ['--products', folder, '--database-url', `sqlite://${join(folder, 'audit.db')}`];
const service = spawn(program, ['serve', ...settings, '--listen', '127.0.0.1:0'], {
  stdio: ['ignore', 'ignore', 'pipe'],
});
const lines = createInterface({ input: service.stderr });
const base = await new Promise((resolve, reject) => {
  lines.on('line', (line) => {
    const listening = line.match(/listening on (\S+)/);
    if (listening) resolve(listening[1]);
  });
  service.on('exit', () => reject(new Error('the service has ended')));
});

async function token(scope = 'audit:read audit:manage', resource = AUDIENCE) {
  const body = new URLSearchParams({ grant_type: 'client_credentials', scope, resource });
  const authorization = `Basic ${Buffer.from('portal:a%20secret%20of%20the%20portal').toString('base64')}`;
  const response = await fetch(`${issuer}/token`, { method: 'POST', body, headers: { authorization } });
  const answer = await response.json();
  assert.ok(answer.access_token, JSON.stringify(answer));
  return answer.access_token;
}

async function ask(bearer, query) {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${bearer}` };
  const response = await fetch(`${base}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query }) });
  return { status: response.status, ...(await response.json()) };
}

function checked(bearer) {
  return new Promise((resolve) => {
    const check = spawn(program, ['check-token', '-', ...settings], { stdio: ['pipe', 'pipe', 'ignore'] });
    let said = '';
    check.stdout.on('data', (part) => (said += part));
    check.on('close', (code) => resolve({ code, said }));
    check.stdin.end(bearer);
  });
}

try {
  const encode = (part) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const claims = { iss: 'backend', aud: 'ledgerline', sub: 'api', scope: 'audit:record', exp: Date.now() / 1000 + 600 };
  const text = `${encode({ alg: 'HS256' })}.${encode(claims)}`;
  const backend = `${text}.${createHmac('sha256', SECRET).update(text).digest('base64url')}`;
  const record =
    'mutation { recordAuditEvent(input: { organization: "acme", action: "ticket.closed", actor: { kind: USER, id: "u1" } }) { status } }';
  assert.equal((await ask(backend, record)).data.recordAuditEvent.status, 'RECORDED');

  const read = '{ viewer { subject organization role scopes } auditEvents { totalCount } }';
  const first = await token();
  const seen = await ask(first, read);
  assert.deepEqual(seen.data, {
    viewer: { subject: 'portal', organization: 'acme', role: 'admin', scopes: ['audit:read'] },
    auditEvents: { totalCount: 1 },
  });
  assert.equal((await ask(await token('audit:read', 'https://other.example'), read)).status, 401);

  const explained = await checked(first);
  assert.equal(explained.code, 0, explained.said);
  assert.match(explained.said, /not "audit:manage", because allowed_scopes does not have it/);
  assert.ok(!explained.said.includes(first.split('.')[2]));

  // Another key, while both serve. The one before is withdrawn.
  serve(key('second', 'ec', { namedCurve: 'P-256' }, 'ES256'));
  const second = await token();
  await sleep(1_100);
  assert.equal((await ask(second, read)).data.auditEvents.totalCount, 1);
  assert.equal((await ask(first, read)).status, 401);

  // The provider is away: what is known goes on, what is not known is put off, the backend does not notice.
  serve(key('third', 'ed25519', {}, 'EdDSA'));
  const third = await token();
  const serving = handle;
  handle = undefined;
  await sleep(2_100);
  assert.equal((await ask(second, read)).status, 200);
  assert.equal((await ask(third, read)).status, 503);
  assert.equal((await ask(backend, record)).data.recordAuditEvent.status, 'RECORDED');
  handle = serving;
  await sleep(2_100);
  assert.equal((await ask(third, read)).data.auditEvents.totalCount, 2);
  assert.ok(asked <= 10, `keys were asked for ${asked} times`);
  console.log(`oidc-provider's tokens read a log by PS256, ES256 and EdDSA; its keys were asked for ${asked} times`);
} finally {
  service.kill();
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true });
}
