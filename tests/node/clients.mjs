// Apollo Client, urql and Relay with the caches that they come with, against the service at BASE_URL as whoever TOKEN
// speaks for: what they show of every field is what the service sent.
//
// Their caches keep one object for a type and an id. Whoever acted, and what was acted on, is in an event as it was then,
// so it must not be such an object: actors are renamed here, and actors, resources and logs share an id.
import assert from 'node:assert/strict';
import { buildClientSchema, getIntrospectionQuery, printSchema } from 'graphql';
import * as apollo from './clients/apollo.mjs';
import { documents as all } from './clients/document.mjs';
import * as relay from './clients/relay.mjs';
import * as urql from './clients/urql.mjs';

const { BASE_URL, TOKEN } = process.env;
if (!BASE_URL || !TOKEN) throw new Error('BASE_URL and TOKEN say what to read: see scripts/with-demo');
const PAGE = 3;

/** The last answer to a question, as it came over the wire. */
let answered;
async function fetchAsTold(url, init = {}) {
  const headers = { ...init.headers, authorization: `Bearer ${TOKEN}`, accept: 'application/graphql-response+json' };
  const response = await fetch(url, { ...init, headers });
  answered = await response.clone().json();
  assert.equal(answered.errors, undefined, JSON.stringify(answered.errors));
  return response;
}

async function ask(query, variables = {}) {
  const body = JSON.stringify({ query, variables });
  await fetchAsTold(`${BASE_URL}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  return answered.data;
}

const user = (name, email) => ({ kind: 'USER', id: 'u-77', name, email });
const log = (name) => ({ level: 'project', id: 'u-77', name });
const resources = [
  { type: 'user', id: 'u-77', name: 'Ada Old' },
  { type: 'project', id: 'u-77', name: 'The project' },
  { id: 'u-77' },
];

/** Events in their order; what a cache might take for one thing is told apart by its place alone. */
const story = [
  { action: 'project.import_started', actor: user('Ada Old', 'ada@old.example'), resources, log: log('First') },
  {
    action: 'project.import_started',
    actor: user('Ada New', 'ada@new.example'),
    resources: [{ ...resources[0], name: 'Ada New' }],
    log: log('Second'),
  },
  {
    action: 'api_key.created',
    actor: { kind: 'STAFF', id: 'u-77', name: 'Sam' },
    onBehalfOf: user('Ada New', null),
    resources: [resources[2]],
  },
  { action: 'api_key.created', actor: { kind: 'API_KEY', id: 'u-77' }, onBehalfOf: user(null, 'ada@old.example') },
  {
    action: 'api_key.revoked',
    actor: { kind: 'SYSTEM' },
    resources: [
      { type: 'user', name: 'no id' },
      { type: 'user', name: 'nor this one' },
    ],
  },
  // Words of the caches' own, in metadata and where ids stand. `__ref` stands deeper: at the top of a JSON value Relay
  // refuses to read it, whoever sends it.
  {
    action: 'api_key.revoked',
    actor: { kind: 'USER', id: 'client:root', name: 'ROOT_QUERY' },
    resources: [{ type: 'Actor', id: 'Query' }],
    metadata: {
      __typename: 'Actor',
      id: 'u-77',
      __id: 'client:root',
      nested: [{ id: 'u-77', __typename: 'AuditLog', __ref: 'ROOT_QUERY' }],
    },
  },
  { action: 'project.import_started', actor: user('Ada Newest', 'ada@new.example'), log: log('Third') },
];

/** Without what clients ask for on their own. */
function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  const fields = Object.entries(value).filter(([key]) => key !== '__typename');
  return Object.fromEntries(fields.map(([key, below]) => [key, key === 'metadata' ? below : plain(below)]));
}

/** urql's word for a type without an id: it is kept where it stands, as a value is. */
function isOfValue(words, schema) {
  const [, type] = /create a `keys` config for `(\w+)` that always returns null/.exec(words) ?? [];
  return type !== undefined && !schema.getType(type).getFields().id;
}

/** What a client says aloud while it works. */
const said = [];
for (const level of ['warn', 'error']) console[level] = (...words) => said.push(words.map(String).join(' '));

async function check(client, schema) {
  const documents = all(schema);
  const own = { url: `${BASE_URL}/graphql`, fetch: fetchAsTold, documents, sdl: printSchema(schema) };
  const { ask: read, change, cached, grown, close } = await client.open(own);
  const wire = [];
  /** One answer: as the client gives it, equal to what came; and remembered. */
  const same = async (name, variables, how = read) => {
    const got = await how(name, variables);
    assert.deepEqual(plain(got), plain(answered.data), `${client.name}: ${name} ${JSON.stringify(variables)}`);
    if (how === read) wire.push({ name, variables, data: structuredClone(answered.data) });
    return answered.data;
  };

  for (let after = null, more = true; more;) {
    const { auditEvents } = await same('Page', { first: PAGE, after });
    ({ endCursor: after, hasNextPage: more } = auditEvents.pageInfo);
  }
  await same('Session', {});
  const events = wire.flatMap(({ data }) => data.auditEvents?.nodes ?? []);
  assert.ok(events.length >= story.length && wire.length > 3, 'several pages');
  for (const { id } of events.slice(0, 5)) await same('Event', { id });
  const logs = new Set(events.flatMap((event) => (event.log ? [event.log.id] : [])));
  for (const id of logs) await same('Log', { id });

  // Now that everything is in the cache, each answer is still what it was.
  for (const { name, variables, data } of wire) {
    const kept = await cached(name, variables);
    assert.ok(kept, `${client.name} no longer knows ${name} ${JSON.stringify(variables)}`);
    assert.deepEqual(plain(kept), plain(data), `${client.name}: ${name} ${JSON.stringify(variables)} from the cache`);
  }

  // A list that a client grows by its pages is the list.
  const sent = [];
  for (let after = null; grown && (sent.length === 0 || after);) {
    const got = await grown({ first: PAGE, after });
    const { nodes, pageInfo } = answered.data.auditEvents;
    sent.push(...nodes);
    assert.deepEqual(plain(got), plain(sent), `${client.name}: ${sent.length} events of a growing list`);
    after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
  }

  // What is recorded is answered to the letter too, one event twice among them.
  const input = { ...story[0], actor: user('Ada Last', null), idempotencyKey: `${client.name} once` };
  await same('Record', { input }, change);
  await same('Record', { input }, change);
  const refused = { ...input, action: 'unheard.of' };
  await same(
    'Batch',
    { input: { events: [input, { ...input, idempotencyKey: `${client.name} two` }, input, refused, refused] } },
    change,
  );
  await same(
    'Delete',
    {
      input: {
        log: { level: 'project', id: 'u-77' },
        event: { action: 'project.deleted', actor: user('Ada Last', null) },
      },
    },
    change,
  );
  // The next log of that name is another object, and the events' actors are still who they were.
  await same('Record', { input: { ...story[1], log: log('Again') } }, change);
  for (const { name, variables, data } of wire.filter(({ name }) => name === 'Page' || name === 'Event')) {
    const now = plain(await cached(name, variables));
    const then = plain(data);
    const events = (answer) => answer.auditEvents?.nodes ?? [answer.auditEvent];
    const fixed = ({ log, ...event }) => ({ ...event, log: log && { ...log, deletedAt: null } });
    assert.deepEqual(events(now).map(fixed), events(then).map(fixed), `${client.name}: ${name} after a deletion`);
  }
  await close();
}

await ask(
  'mutation($input: RecordAuditEventsInput!) { recordAuditEvents(input: $input) { recorded results { error { message } } } }',
  { input: { events: story } },
);
assert.equal(answered.data.recordAuditEvents.recorded, story.length, JSON.stringify(answered));
const schema = buildClientSchema(await ask(getIntrospectionQuery({ inputValueDeprecation: false })));
const failed = [];
for (const client of [apollo, urql, relay]) {
  said.length = 0;
  try {
    await check(client, schema);
  } catch (error) {
    failed.push(error.message);
  }
  failed.push(...said.filter((words) => !isOfValue(words, schema)).map((words) => `${client.name} says: ${words}`));
}
if (failed.length > 0) {
  console.log(failed.join('\n\n'));
  process.exit(1);
}
console.log('Apollo Client, urql and Relay show what the service sent');
