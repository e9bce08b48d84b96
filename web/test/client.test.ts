import { describe, expect, test } from 'vitest';
import { Client } from '../src/api/client.ts';
import { sessionQuery } from '../src/api/documents.ts';
import { Fault } from '../src/api/fault.ts';

interface Sent {
  token: string | null;
  accept: string | null;
  language: string | null;
}

/** A server that accepts one token and answers `body` to it. */
function serverFor(
  accepted: string,
  body: unknown = { data: { viewer: null, catalog: null } },
  init: ResponseInit = {},
) {
  const sent: Sent[] = [];
  const answer = (async (_address: string, request: RequestInit) => {
    const headers = new Headers(request.headers);
    const token = headers.get('authorization')?.replace('Bearer ', '') ?? null;
    sent.push({ token, accept: headers.get('accept'), language: headers.get('accept-language') });
    if (token === accepted) return new Response(typeof body === 'string' ? body : JSON.stringify(body), init);
    const errors = [{ message: 'the token has expired', extensions: { code: 'UNAUTHENTICATED' } }];
    return new Response(JSON.stringify({ errors }), { status: 401 });
  }) as unknown as typeof fetch;
  return { sent, fetch: answer };
}

const faultOf = (asked: Promise<unknown>): Promise<Fault> =>
  asked.then(
    () => Promise.reject(new Error('expected a fault')),
    (fault) => fault as Fault,
  );

describe('the endpoint', () => {
  const endpoint = 'https://audit.example.com/graphql';
  const elsewhere = (body: string, status: number) =>
    faultOf(
      new Client({ endpoint, token: 't', fetch: async () => new Response(body, { status }) }).ask(sessionQuery, {}),
    );

  test('is a wrong one where something else answers', async () => {
    for (const [body, status] of [
      ['<h1>Hello</h1>', 200],
      ['Not Found', 404],
      ['{"title":"not found"}', 404],
      ['{}', 200],
      ['null', 200],
      ['<h1>Forbidden</h1>', 403],
    ] as const) {
      expect(await elsewhere(body, status), `${status} ${body}`).toMatchObject({
        kind: 'setup',
        reason: 'endpoint',
        endpoint,
      });
    }
  });

  test('is not blamed for a proxy without its server', async () => {
    expect((await elsewhere('<h1>Bad Gateway</h1>', 502)).kind).toBe('busy');
    expect((await elsewhere('<h1>Error</h1>', 500)).kind).toBe('server');
    expect((await elsewhere('', 401)).kind).toBe('unauthenticated');
  });

  test('is not blamed once it has answered', async () => {
    const answers = [new Response('{"data":{"viewer":null,"catalog":null}}'), new Response('gone', { status: 404 })];
    const client = new Client({ endpoint, token: 't', fetch: async () => answers.shift()! });
    await client.ask(sessionQuery, {});
    expect((await faultOf(client.ask(sessionQuery, {}))).kind).toBe('server');
  });
});

describe('a token', () => {
  test('goes in the header, with the answer’s type and language asked for', async () => {
    const { fetch, sent } = serverFor('good');
    const client = new Client({ endpoint: '/graphql', token: 'good', fetch });
    client.language = 'de-CH';
    await client.ask(sessionQuery, {});
    const accept = 'application/graphql-response+json, application/json;q=0.9';
    expect(sent).toEqual([{ token: 'good', accept, language: 'de-CH' }]);
  });

  test('is renewed once for all the questions refused together, and kept', async () => {
    const { fetch, sent } = serverFor('fresh');
    let renewals = 0;
    const renewToken = async () => {
      renewals += 1;
      return 'fresh';
    };
    const client = new Client({ endpoint: '/graphql', token: 'old', renewToken, fetch });
    await Promise.all([client.ask(sessionQuery, {}), client.ask(sessionQuery, {})]);
    await client.ask(sessionQuery, {});
    expect(renewals).toBe(1);
    expect(sent.map(({ token }) => token)).toEqual(['old', 'old', 'fresh', 'fresh', 'fresh']);
  });

  test('that the host sets anew is used from then on, also by what is refused meanwhile', async () => {
    const { fetch, sent } = serverFor('fresh');
    const client = new Client({ endpoint: '/graphql', token: 'old', fetch });
    const asked = client.ask(sessionQuery, {});
    client.useToken('fresh');
    await asked;
    await client.ask(sessionQuery, {});
    expect(sent.map(({ token }) => token)).toEqual(['old', 'fresh', 'fresh']);
  });

  test('that the host sets while another is being renewed is not lost', async () => {
    const { fetch, sent } = serverFor('set');
    const client = new Client({ endpoint: '/graphql', token: 'old', fetch });
    client.renewToken = async () => {
      client.useToken('set');
      return 'renewed';
    };
    await client.ask(sessionQuery, {});
    expect(sent.map(({ token }) => token)).toEqual(['old', 'set']);
  });

  test('is fetched first where the host gave none', async () => {
    const { fetch, sent } = serverFor('fresh');
    await new Client({ endpoint: '/graphql', token: null, renewToken: async () => 'fresh', fetch }).ask(
      sessionQuery,
      {},
    );
    expect(sent).toHaveLength(1);
  });

  test.each([
    ['nobody renews it', undefined],
    ['there is no other', async () => null],
    ['the renewal fails', async () => Promise.reject(new Error('no network'))],
    ['the renewal gives the same', async () => 'old'],
  ])('ends the session when %s', async (_case, renewToken) => {
    const { fetch } = serverFor('fresh');
    const fault = await faultOf(
      new Client({ endpoint: '/graphql', token: 'old', renewToken, fetch }).ask(sessionQuery, {}),
    );
    expect(fault.kind).toBe('unauthenticated');
  });
});

describe('a fault', () => {
  const faultFor = (body: unknown, init?: ResponseInit) => {
    const { fetch } = serverFor('good', body, init);
    return faultOf(new Client({ endpoint: '/graphql', token: 'good', fetch }).ask(sessionQuery, {}));
  };
  const error = (extensions: object) => ({ data: null, errors: [{ message: 'said so', extensions }] });

  test.each([
    [
      { code: 'PLAN_REQUIRED', requiredPlans: ['pro'] },
      { kind: 'plan', requiredPlans: ['pro'] },
    ],
    [{ code: 'FORBIDDEN' }, { kind: 'forbidden' }],
    [
      { code: 'BAD_USER_INPUT', field: 'after' },
      { kind: 'input', isStaleCursor: true },
    ],
    [
      { code: 'BAD_USER_INPUT', field: 'search' },
      { kind: 'input', isStaleCursor: false },
    ],
    [
      { code: 'RATE_LIMITED', retryAfterMs: 1500 },
      { kind: 'busy', mayPass: true, retryAfterMs: 1500 },
    ],
    [{ code: 'UNAVAILABLE' }, { kind: 'busy', mayPass: true, retryAfterMs: null }],
    [
      { code: 'UNAVAILABLE', issuer: 'https://login.example' },
      { kind: 'unchecked', mayPass: true, isRefusal: false },
    ],
    [{ code: 'NOT_FOUND' }, { kind: 'missing', isRefusal: true, mayPass: false }],
    [
      { code: 'INTERNAL', requestId: 'req_1' },
      { kind: 'server', requestId: 'req_1' },
    ],
    [{ code: 'SOMETHING_NEW' }, { kind: 'server', message: 'said so' }],
  ])('%o', async (extensions, expected) => expect(await faultFor(error(extensions))).toMatchObject(expected));

  test('carries the request id of the header when the body has none', async () => {
    const fault = await faultFor('<html>bad gateway</html>', { status: 500, headers: { 'x-request-id': 'req_2' } });
    expect(fault).toMatchObject({ kind: 'server', requestId: 'req_2', mayPass: false });
  });

  test.each([429, 502, 503, 504])(
    'of a proxy that answers %i may pass, after the time that it names',
    async (status) => {
      const fault = await faultFor('<html>try later</html>', { status, headers: { 'retry-after': '7' } });
      expect(fault).toMatchObject({ kind: 'busy', mayPass: true, retryAfterMs: 7_000 });
      expect((await faultFor('', { status, headers: { 'retry-after': 'tomorrow' } })).retryAfterMs).toBeNull();
    },
  );

  test('is told from being offline', async () => {
    const fetch = (async () => Promise.reject(new TypeError('Failed to fetch'))) as unknown as typeof globalThis.fetch;
    const fault = await faultOf(new Client({ endpoint: '/graphql', token: 'good', fetch }).ask(sessionQuery, {}));
    expect(fault.kind).toBe('offline');
  });
});
