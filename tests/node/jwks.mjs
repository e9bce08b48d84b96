// A token that the service made, checked by somebody who has nothing of the service but its public keys: the library
// `jose`, at BASE_URL, made as whoever TOKEN speaks for.
import assert from 'node:assert/strict';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';

const { BASE_URL, TOKEN } = process.env;
if (!BASE_URL || !TOKEN) throw new Error('BASE_URL and TOKEN say where to make a token: see scripts/with-demo');

async function ask(token, query, variables = {}) {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  const body = JSON.stringify({ query, variables });
  const response = await fetch(`${BASE_URL}/graphql`, { method: 'POST', headers, body });
  const { data, errors: faults } = await response.json();
  assert.equal(faults, undefined, JSON.stringify(faults));
  return data;
}

const create = `mutation ($input: CreateAuditTokenInput!) {
  createAuditToken(input: $input) { secret token { id expiresAt } }
}`;
const input = { label: 'Checked elsewhere', kind: 'JWT', scopes: ['audit:read'], expiresIn: 600 };
const { secret, token } = (await ask(TOKEN, create, { input })).createAuditToken;

const keys = createRemoteJWKSet(new URL(`${BASE_URL}/.well-known/jwks.json`));
const expected = { issuer: 'ledgerline', audience: 'ledgerline', algorithms: ['EdDSA'] };
const { payload, protectedHeader } = await jwtVerify(secret, keys, expected);
assert.equal(payload.jti, token.id);
assert.equal(payload.sub, token.id);
assert.equal(payload.exp, Date.parse(token.expiresAt) / 1000);
assert.equal(payload.scope, 'audit:read');
assert.ok(protectedHeader.kid);

// Another signature, and other claims under the same one, are refused by it as by the service.
const [header, claims, signature] = secret.split('.');
const turned = Buffer.from(signature, 'base64url');
turned[0] ^= 1;
const more = Buffer.from(JSON.stringify({ ...payload, scope: 'audit:read audit:manage' })).toString('base64url');
for (const forged of [`${header}.${claims}.${turned.toString('base64url')}`, `${header}.${more}.${signature}`]) {
  await assert.rejects(jwtVerify(forged, keys, expected), errors.JWSSignatureVerificationFailed);
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${forged}` };
  const response = await fetch(`${BASE_URL}/graphql`, {
    method: 'POST',
    headers,
    body: '{"query":"{ viewer { subject } }"}',
  });
  assert.equal(response.status, 401);
}
assert.equal((await ask(secret, '{ viewer { subject } }')).viewer.subject, token.id);
console.log(`jose accepted ${token.id} by the key ${protectedHeader.kid}, and nothing that was changed`);
