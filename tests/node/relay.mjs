// A Relay client's walk: forward, backward and filtered, in small pages, equal to the list in large ones.
import assert from 'node:assert/strict';
import { buildSchema, getIntrospectionQuery, parse, validate } from 'graphql';
import { readFile } from 'node:fs/promises';

const { BASE_URL, TOKEN } = process.env;
if (!BASE_URL || !TOKEN) throw new Error('BASE_URL and TOKEN say what to walk: see scripts/with-demo');

const QUERY = `query Page($first: Int, $after: String, $last: Int, $before: String, $filter: AuditEventFilter, $search: String, $orderBy: AuditEventOrder) {
  auditEvents(first: $first, after: $after, last: $last, before: $before, filter: $filter, search: $search, orderBy: $orderBy) {
    totalCount pageNumber pageCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node { id __typename } }
  }
}`;

const schema = buildSchema(await readFile(new URL('../../schema.graphql', import.meta.url), 'utf8'));
assert.deepEqual(validate(schema, parse(QUERY)), []);

async function ask(query, variables) {
  const response = await fetch(`${BASE_URL}/graphql`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${TOKEN}`,
      'content-type': 'application/json',
      accept: 'application/graphql-response+json',
    },
    body: JSON.stringify({ query, variables }),
  });
  const answer = await response.json();
  assert.equal(answer.errors, undefined, JSON.stringify(answer.errors));
  return answer.data;
}

async function walk(size, backward, rest) {
  const ids = [];
  let cursor = null;
  for (let page = 1; ; page += 1) {
    const paging = backward ? { last: size, before: cursor } : { first: size, after: cursor };
    const { auditEvents: list } = await ask(QUERY, { ...paging, ...rest });
    const found = list.edges.map((edge) => edge.node.id);
    backward ? ids.unshift(...found) : ids.push(...found);
    const { hasNextPage, hasPreviousPage, startCursor, endCursor } = list.pageInfo;
    if (list.edges.length > 0) {
      assert.equal(startCursor, list.edges[0].cursor);
      assert.equal(endCursor, list.edges.at(-1).cursor);
    }
    if (!backward) assert.equal(list.pageNumber, page);
    assert.equal(list.pageCount, Math.max(1, Math.ceil(list.totalCount / size)));
    if (!(backward ? hasPreviousPage : hasNextPage)) {
      assert.equal(ids.length, list.totalCount);
      assert.equal(new Set(ids).size, ids.length);
      return ids;
    }
    cursor = backward ? startCursor : endCursor;
  }
}

await ask(getIntrospectionQuery(), {});
let walks = 0;
for (const field of ['OCCURRED_AT', 'SEQUENCE']) {
  for (const direction of ['DESC', 'ASC']) {
    for (const rest of [{}, { search: 'log*' }, { filter: { actor: { kinds: ['USER'] } } }]) {
      const variables = { ...rest, orderBy: { field, direction } };
      const whole = await walk(100, false, variables);
      assert.ok(whole.length > 7, 'the demo has something to walk through');
      assert.deepEqual(await walk(7, false, variables), whole);
      assert.deepEqual(await walk(7, true, variables), whole);
      walks += 3;
    }
  }
}
console.log(`Relay paging: ${walks} walks without a gap or a double`);
