// Following a log with the clients that others wrote, `graphql-ws` and `graphql-sse`: what was missed, then what is
// recorded, each once; a connection that is lost and made again; a token that expires and one that is never right.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { createClient as createSse } from 'graphql-sse';
import { createClient as createWs } from 'graphql-ws';
import WebSocket from 'ws';

const { BASE_URL, TOKEN } = process.env;
if (!BASE_URL || !TOKEN) throw new Error('BASE_URL and TOKEN say what to follow: see scripts/with-demo');

const FOLLOW = `subscription ($after: String) { auditEventRecorded(after: $after) { cursor node { sequence } } }`;

async function ask(query, variables = {}) {
  const response = await fetch(`${BASE_URL}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

async function record(count) {
  const events = Array.from({ length: count }, (_, n) => ({
    action: 'role.assigned',
    actor: { kind: 'USER', id: `usr_${n}` },
  }));
  const data = await ask(
    `mutation ($events: [RecordAuditEventInput!]!) {
       recordAuditEvents(input: { events: $events }) { recorded results { sequence } } }`,
    { events },
  );
  assert.equal(data.recordAuditEvents.recorded, count);
  return data.recordAuditEvents.results.map(({ sequence }) => Number(sequence));
}

/** The cursor of the newest event in the order of recording. */
async function newest() {
  const query = `{ auditEvents(last: 1, orderBy: { field: SEQUENCE, direction: ASC }) { pageInfo { endCursor } } }`;
  return (await ask(query)).auditEvents.pageInfo.endCursor;
}

/** The sequences of the next events of an iteration. */
async function take(iterator, count) {
  const taken = [];
  while (taken.length < count) {
    const { value, done } = await iterator.next();
    assert.equal(done, false, `it ended after ${taken.length} of ${count} events`);
    assert.equal(value.errors, undefined, JSON.stringify(value.errors));
    taken.push(value.data.auditEventRecorded);
  }
  return taken;
}

const sequences = (edges) => edges.map(({ node }) => Number(node.sequence));

/** A door to the service that can be shut on everybody who went through it. */
async function door() {
  const { hostname, port } = new URL(BASE_URL);
  const through = new Set();
  const server = createServer((client) => {
    const service = connect(Number(port), hostname);
    through.add(client).add(service);
    for (const socket of [client, service]) socket.on('error', () => {}).on('close', () => through.delete(socket));
    client.pipe(service).pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}/graphql`,
    shut: () => through.forEach((socket) => socket.destroy()),
    close: () => server.close(),
  };
}

const clients = {
  'graphql-ws': (url, token, options = {}) => {
    const client = createWs({
      url: url.replace('http', 'ws'),
      webSocketImpl: WebSocket,
      connectionParams: () => ({ authorization: `Bearer ${token()}` }),
      retryWait: () => new Promise((resolve) => setTimeout(resolve, 100)),
      ...options,
    });
    return { iterate: (payload) => client.iterate(payload), end: () => client.dispose() };
  },
  'graphql-sse': (url, token, options = {}) => {
    const client = createSse({
      url,
      headers: () => ({ authorization: `Bearer ${token()}` }),
      retry: () => new Promise((resolve) => setTimeout(resolve, 100)),
      ...options,
    });
    return { iterate: (payload) => client.iterate(payload), end: () => client.dispose() };
  },
};

for (const [name, create] of Object.entries(clients)) {
  await record(1);
  const after = await newest();
  const missed = await record(250);
  const client = create(`${BASE_URL}/graphql`, () => TOKEN);
  const iterator = client.iterate({ query: FOLLOW, variables: { after } });
  assert.deepEqual(sequences(await take(iterator, 250)), missed, `${name}: what was missed`);
  const live = [...(await record(1)), ...(await record(120))];
  const edges = await take(iterator, 121);
  assert.deepEqual(sequences(edges), live, `${name}: what is recorded`);
  await iterator.return?.();
  client.end();

  // A connection that is lost: the client connects again by itself, and asks from where the program says it was.
  const way = await door();
  let place = edges.at(-1).cursor;
  const variables = {
    get after() {
      return place;
    },
  };
  const again = create(way.url, () => TOKEN);
  const following = again.iterate({ query: FOLLOW, variables });
  const first = await record(3);
  const before = await take(following, 3);
  assert.deepEqual(sequences(before), first, `${name}: before the connection is lost`);
  place = before.at(-1).cursor;
  way.shut();
  const while_away = await record(5);
  assert.deepEqual(sequences(await take(following, 5)), while_away, `${name}: after the connection was lost`);
  again.end();
  way.close();

  // A question that is refused is an error to whoever asked it.
  const refused = create(`${BASE_URL}/graphql`, () => TOKEN);
  const foreign = `subscription { auditEventRecorded(organization: "org_savanna") { cursor } }`;
  const code = await refused
    .iterate({ query: foreign })
    .next()
    .then(
      ({ value }) => value.errors[0].extensions.code,
      (errors) => errors[0].extensions.code,
    );
  assert.equal(code, 'NOT_FOUND', name);
  refused.end();
  console.log(`${name}: 379 events, each once and in order, over two connections`);
}

// graphql-ws asks for a new token when the one that it has is not accepted, and goes on with it.
{
  let asked = 0;
  const token = () => (asked++ === 0 ? 'no.such.token' : TOKEN);
  const client = clients['graphql-ws'](`${BASE_URL}/graphql`, token);
  const after = await newest();
  const recorded = await record(2);
  const iterator = client.iterate({ query: FOLLOW, variables: { after } });
  assert.deepEqual(sequences(await take(iterator, 2)), recorded);
  assert.equal(asked, 2);
  client.end();
  const never = clients['graphql-ws'](`${BASE_URL}/graphql`, () => 'no.such.token', { retryAttempts: 2 });
  const closed = await never
    .iterate({ query: FOLLOW })
    .next()
    .catch((event) => event);
  assert.equal(closed.code, 4403);
  const sse = clients['graphql-sse'](`${BASE_URL}/graphql`, () => 'no.such.token', { retryAttempts: 0 });
  const refusal = await sse
    .iterate({ query: FOLLOW })
    .next()
    .catch((error) => error);
  assert.equal(refusal.response?.status, 401);
  console.log('a token that is not accepted: 4403 and 401');
}
