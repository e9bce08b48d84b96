// The golden vectors of tests/vectors, made again from their inputs by the rules of tests/vectors/README.md alone.
import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { canonical, members, string } from './vectors/form.mjs';

const read = (name) => JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8'));
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
let compared = 0;
let failed = 0;

function compare(file, name, found, expected) {
  compared += 1;
  if (found === expected) return;
  failed += 1;
  console.error(`${file}, ${name}:\n  made here ${found}\n  written   ${expected}`);
}

const text = (value) => (value === undefined ? undefined : string(value));
const actor = (one) =>
  one && members({ email: text(one.email), id: text(one.id), kind: text(one.kind), name: text(one.name) });
const resources = (list) =>
  list?.length
    ? `[${list.map((one) => members({ id: text(one.id), name: text(one.name), type: text(one.type) })).join(',')}]`
    : undefined;
const log = (one) =>
  one && members({ id: text(one.id), level: text(one.level), name: text(one.name), parent: log(one.parent) });
const unlessEmpty = (object) => (object === '{}' ? undefined : object);

// UTC with as many digits of the fraction as needed; a Date has three of the nine.
function instant(at) {
  const [, whole, fraction = '', zone] = /^(.*?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(at);
  const seconds = new Date(whole + zone).toISOString().slice(0, 19);
  const digits = fraction.replace(/0+$/, '');
  return seconds + (digits && `.${digits}`) + 'Z';
}

function content(input) {
  return members({
    v: '1',
    actors: members({ actor: actor(input.actor), onBehalfOf: actor(input.onBehalfOf) }),
    client: unlessEmpty(members({ ipAddress: text(input.ipAddress), userAgent: text(input.userAgent) })),
    event: members({
      action: text(input.action),
      category: text(input.category),
      correlationId: text(input.correlationId),
      log: log(input.log),
      occurredAt: input.occurredAt && text(instant(input.occurredAt)),
      outcome: text(input.outcome),
      source: text(input.source),
      sourceEventId: text(input.sourceEventId),
    }),
    metadata: input.metadataText && unlessEmpty(canonical(input.metadataText)),
    resources: resources(input.resources),
  });
}

for (const { name, input, bytes, hash } of read('canonical')) {
  const made = Buffer.from(`ledgerline event content v1\n${content(input)}`);
  compare('canonical.json', name, made.toString('hex'), bytes);
  compare('canonical.json', `${name}, its hash`, sha256(made).slice(0, 32), hash);
}

const bytewise = (one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other));
const set = (values, write = text) => values && `[${[...new Set(values.map(write))].sort(bytewise).join(',')}]`;
const unlessNone = (values) => (values?.length ? values : undefined);

// A trailing star makes a name the beginning of names, unless it is escaped.
function pattern(sent) {
  const stem = sent.slice(0, -1);
  const plain = (part) => part.replaceAll('\\*', '*');
  return sent.endsWith('*') && !stem.endsWith('\\') ? members({ prefix: text(plain(stem)) }) : text(plain(sent));
}

function bound({ product, organization, arguments: asked, meant = asked }) {
  const {
    filter = {},
    search = '',
    log: of,
    includeNested,
    orderBy = { field: 'OCCURRED_AT', direction: 'DESC' },
  } = meant;
  const { actor: who = {}, resource = {}, not = {}, occurredAt = {}, period } = filter;
  const moving = (end) => members({ asked: text(end.asked), timeZone: text(end.timeZone) });
  const at = (end) => end && (end.asked ? moving(end) : text(instant(end)));
  return members({
    filter: unlessEmpty(
      members({
        actions: set(filter.actions, pattern),
        actor: unlessEmpty(
          members({
            anyContains: set(who.anyContains),
            emailContains: text(who.emailContains),
            emails: set(who.emails),
            ids: set(who.ids),
            kinds: set(who.kinds),
            nameContains: text(who.nameContains),
            names: set(who.names),
            present: who.present?.toString(),
          }),
        ),
        categories: set(filter.categories),
        correlationIds: set(filter.correlationIds),
        ipAddresses: set(filter.ipAddresses),
        not: unlessEmpty(
          members({
            actions: set(unlessNone(not.actions), pattern),
            actorIds: set(unlessNone(not.actorIds)),
            actorKinds: set(unlessNone(not.actorKinds)),
            actors: set(unlessNone(not.actors)),
            categories: set(unlessNone(not.categories)),
            ipAddresses: set(unlessNone(not.ipAddresses)),
            outcomes: set(unlessNone(not.outcomes)),
            resources: set(unlessNone(not.resources)),
            sources: set(unlessNone(not.sources)),
            words: set(unlessNone(not.words)),
          }),
        ),
        occurredAt: unlessEmpty(members({ from: at(occurredAt.from), to: at(occurredAt.to) })),
        outcomes: set(filter.outcomes),
        period: period && members({ preset: text(period.preset), timeZone: text(period.timeZone) }),
        resource: unlessEmpty(
          members({
            anyIs: set(resource.anyIs),
            ids: set(resource.ids),
            names: set(resource.names),
            types: set(resource.types),
          }),
        ),
        search: /[\p{L}\p{N}]/u.test(search) ? text(search) : undefined,
        sourceEventIds: set(filter.sourceEventIds),
        sources: set(filter.sources),
        truncated: filter.truncated?.toString(),
      }),
    ),
    includeNested: includeNested?.toString(),
    log: of && members({ id: text(of.id), level: text(of.level) }),
    order: members({ direction: text(orderBy.direction), field: text(orderBy.field) }),
    organization: text(organization),
    product: text(product),
    v: '1',
  });
}

function cursor(list, { key, pinned, rank, began }) {
  const head = Buffer.alloc(began ? 41 : 33);
  head[0] = began ? 2 : 1;
  createHash('sha256').update(list).digest().copy(head, 1, 0, 8);
  head.writeBigInt64BE(BigInt(key), 9);
  head.writeBigInt64BE(BigInt(pinned), 17);
  head.writeBigInt64BE(rank === undefined ? -(2n ** 63n) : BigInt(rank), 25);
  if (began) head.writeBigInt64BE(BigInt(Date.parse(began)) * 1_000_000n, 33);
  return Buffer.concat([head, createHash('sha256').update(head).digest().subarray(0, 4)]).toString('base64url');
}

for (const vector of read('cursors')) {
  const list = Buffer.from(`ledgerline list v1\n${bound(vector)}`);
  compare('cursors.json', `${vector.name}, its list`, list.toString('hex'), vector.bytes);
  compare('cursors.json', vector.name, cursor(list, vector.place), vector.cursor);
}

const stored = read('stored');
const inHex = (form) => Buffer.from(form).toString('hex');
for (const { value, bytes } of stored.actors) compare('stored.json', 'an actor', inHex(actor(value)), bytes);
for (const { value, bytes } of stored.resources) compare('stored.json', 'resources', inHex(resources(value)), bytes);
for (const { value, bytes } of stored.truncated)
  compare('stored.json', 'paths', inHex(`[${value.map(text).join(',')}]`), bytes);

const hmac = (key, bytes) => createHmac('sha256', key).update(bytes).digest();
const names = 'password passwd passphrase passcode secret token authorization cookie apikey privatekey secretkey'.split(
  ' ',
);
const short = ['pwd', 'jwt'];

function namesSecret(key) {
  const whole = key.replace(/[^\p{Alphabetic}\p{N}]/gu, '').toLowerCase();
  const trimmed = key.replace(/[^\p{Alphabetic}\p{N}]+$/u, '');
  const last = trimmed
    .split(/[^\p{Alphabetic}\p{N}]|(?<=\p{Ll})(?=\p{Lu})/u)
    .at(-1)
    .toLowerCase();
  const ends = (text) => [...names, 'secretaccesskey'].some((name) => text.endsWith(name));
  return ends(whole) || short.includes(last) || (whole.endsWith('s') && ends(whole.slice(0, -1)));
}

const masking = read('masking');
for (const { key, secret } of masking.keys) compare('masking.json', key, namesSecret(key), secret);
for (const { key, product, organization, secret, masked } of masking.digests) {
  const own = hmac(Buffer.from(key, 'hex'), `ledgerline masking v1\n${product}\n${organization}`);
  const digest = hmac(own, Buffer.from(secret, 'hex')).toString('hex').slice(0, 32);
  compare('masking.json', `${product} ${organization}`, `masked:v1:${digest}`, masked);
}

console.log(`vectors: ${compared - failed} of ${compared} values made again`);
if (compared === 0 || failed > 0) process.exit(1);
