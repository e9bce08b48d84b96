import { beforeAll, describe, expect, test, vi } from 'vitest';
import { readSetting, writeSetting } from '../src/element/settings.ts';
import { readResourceLinks, resourceHref } from '../src/view/links.ts';

beforeAll(() =>
  vi.stubGlobal('location', { href: 'https://host.example/settings/audit', origin: 'https://host.example' }),
);

const links = {
  user: 'https://app.example/users/{id}',
  role: '/roles/{name}?type={type}',
  script: 'javascript:alert({id})',
  data: 'data:text/html,{id}',
  bare: '{id}',
  broken: 'https://[',
};
const of = (type: string | null, externalId: string | null, name: string | null = null) => ({ type, externalId, name });

describe('a resource of the host', () => {
  test.each([
    [of('user', 'u_1'), 'https://app.example/users/u_1'],
    [of('user', 'a/b?c#d e&"<'), 'https://app.example/users/a%2Fb%3Fc%23d%20e%26%22%3C'],
    [of('user', 'ünï\ud800'), 'https://app.example/users/%C3%BCn%C3%AF%EF%BF%BD'],
    [of('role', null, 'Owner & co'), 'https://host.example/roles/Owner%20%26%20co?type=role'],
    [of('bare', 'javascript:alert(1)'), 'https://host.example/settings/javascript%3Aalert(1)'],
    [of('bare', '//evil.example'), 'https://host.example/settings/%2F%2Fevil.example'],
  ])('%j has the page %s', (resource, href) => expect(resourceHref(links, resource)).toBe(href));

  test.each([
    of('user', null),
    of('user', ''),
    of('user', '..'),
    of('user', '.'),
    of('role', 'r_1'),
    of('script', 'u_1'),
    of('data', 'u_1'),
    of('broken', 'u_1'),
    of('unknown', 'u_1'),
    of('toString', 'u_1'),
    of(null, 'u_1'),
  ])('%j has none', (resource) => expect(resourceHref(links, resource)).toBe(null));
});

describe('what a host says', () => {
  test('is an object, or its JSON', () => {
    const written = writeSetting({ user: '/users/{id}' });
    expect(written).toBe('{"user":"/users/{id}"}');
    expect(readSetting('object', written)).toEqual({ user: '/users/{id}' });
    expect(readSetting('object', null)).toBe(null);
    expect(readSetting('object', '{')).toBe(null);
  });

  test.each(['no JSON', '[1', '7', 'null', '"text"', undefined, { user: 7 }])('and is nothing where it is %j', (said) =>
    expect(readResourceLinks(said)).toEqual({}),
  );
});
