import { describe, expect, test } from 'vitest';
import { readView, saysView, writeView } from '../src/view/address.ts';
import { asked, within } from '../src/view/locked.ts';
import { emptyView } from '../src/view/view.ts';

const view = (query: string) => readView(new URLSearchParams(query));
const said = (of: ReturnType<typeof view>) =>
  decodeURIComponent(writeView(of, new URLSearchParams(), 'UTC').toString());
/** What the reader keeps of a view, and what is asked, as queries. */
const both = (reader: string, locked: string) => {
  const own = within(view(reader), view(locked));
  return [said(own), said(asked(own, view(locked)))];
};

describe('a view within what the host has fixed', () => {
  test('is the reader’s own where nothing is', () => {
    const own = view('q=a&action=x');
    expect(within(own, emptyView)).toBe(own);
    expect(asked(own, emptyView)).toBe(own);
  });

  test('keeps values that are allowed, and no others', () => {
    expect(both('', 'action=a&action=b')).toEqual(['', 'action=a&action=b']);
    expect(both('action=b', 'action=a&action=b')).toEqual(['action=b', 'action=b']);
    expect(both('action=c', 'action=a&action=b')).toEqual(['', 'action=a&action=b']);
    expect(both('action=b&action=c', 'action=a&action=b')).toEqual(['action=b', 'action=b']);
    expect(both('ip=1.1.1.1', 'outcome=FAILURE')).toEqual(['ip=1.1.1.1', 'outcome=FAILURE&ip=1.1.1.1']);
  });

  test('reads a star as every ending, of actions alone, and a star that is meant as one', () => {
    expect(both('action=user.login', 'action=user.*')).toEqual(['action=user.login', 'action=user.login']);
    expect(both('action=user.a*', 'action=user.*')).toEqual(['action=user.a*', 'action=user.a*']);
    expect(both('action=admin.x', 'action=user.*')).toEqual(['', 'action=user.*']);
    expect(both('action=*', 'action=user.*')).toEqual(['', 'action=user.*']);
    expect(both('action=user.x', 'action=user.\\*')).toEqual(['', 'action=user.\\*']);
    expect(both('ip=10.1', 'ip=10.*')).toEqual(['', 'ip=10.*']);
  });

  test('searches for the words of both', () => {
    expect(both('q=ada', 'q=role')).toEqual(['q=ada', 'q=role+ada']);
    expect(both('', 'q=role')).toEqual(['', 'q=role']);
  });

  test('has the host’s days, address and log, and their zone', () => {
    expect(both('from=2020-01-01&tz=UTC', 'period=LAST_7_DAYS&tz=Asia/Tokyo')[1]).toBe(
      'period=LAST_7_DAYS&tz=Asia/Tokyo',
    );
    expect(both('email-contains=b', 'email-contains=a')).toEqual(['', 'email-contains=a']);
    expect(both('log=*', 'log=project:p')).toEqual(['', 'log=project:p']);
    expect(both('from=2020-01-01&tz=UTC', 'outcome=FAILURE')[1]).toBe('outcome=FAILURE&from=2020-01-01&tz=UTC');
  });
});

describe('an address with a name before its parameters', () => {
  const host = 'q=shoes&from=home&action=edit&audit=1&other-q=x';

  test('is read and written beside whatever the host has', () => {
    const query = new URLSearchParams(`${host}&audit-q=ada&audit-action=a&audit-action=b`);
    const read = readView(query, 'audit-');
    expect([read.search, read.lists.action, read.from]).toEqual(['ada', ['a', 'b'], null]);
    expect(readView(new URLSearchParams(host), 'audit-')).toEqual(emptyView);
    expect(writeView(emptyView, query, 'UTC', 'audit-').toString()).toBe(host);
    expect(writeView(read, new URLSearchParams(host), 'UTC', 'audit-').toString()).toBe(query.toString());
  });

  test('says something of a view or nothing', () => {
    expect(saysView(new URLSearchParams(host), 'audit-')).toBe(false);
    expect(saysView(new URLSearchParams('audit-q='), 'audit-')).toBe(true);
  });
});
