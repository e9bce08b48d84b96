import { describe, expect, test } from 'vitest';
import { readView, writeView } from '../src/view/address.ts';
import { questionFor } from '../src/view/request.ts';
import {
  cleared,
  emptyView,
  everyLog,
  exactly,
  isFiltered,
  questionOf,
  refine,
  withDays,
  withList,
  withPeriod,
  type View,
} from '../src/view/view.ts';

const read = (query: string) => readView(new URLSearchParams(query));
const write = (view: View, query = '') => writeView(view, new URLSearchParams(query), 'Europe/Berlin').toString();

const full: View = {
  ...emptyView,
  search: 'ada "two words" grün',
  emailContains: 'a+b@example.com',
  lists: {
    category: ['AUTH', 'Roles & Permissions'],
    action: ['a,b', 'Ünïcode – dash', '100%'],
    outcome: ['FAILURE'],
    actorKind: ['API_KEY', 'SYSTEM'],
    actorId: ['id=1&2'],
    actorName: ['Ada "A." Lovelace'],
    email: ['x@y.z'],
    resourceType: ['project'],
    resourceId: ['a/b?c#d'],
    resourceName: ['The project'],
    ip: ['2001:db8::1'],
    correlationId: ['job:1'],
    source: ['api'],
    sourceEventId: ['7'],
  },
  not: { category: ['API'], action: ['a,b'], actorKind: ['SYSTEM'], actorId: ['id=3'] },
  log: { level: 'project', id: 'p:1' },
  from: '2026-03-01',
  to: '2026-03-31T23:05',
  period: 'LAST_90_DAYS',
  zone: 'America/New_York',
  after: 'cursor==',
  event: 'event_1',
};

describe('the address', () => {
  test('carries the whole view there and back', () => expect(read(write(full))).toEqual(full));

  test('says nothing about a view that asks for nothing', () => expect(write(emptyView)).toBe(''));

  test('keeps what is not the viewer’s own', () => {
    expect(write(withList(emptyView, 'ip', ['1.2.3.4']), 'lang=de&q=old&page=settings')).toBe(
      'lang=de&page=settings&ip=1.2.3.4',
    );
  });

  test('names the zone of its days, and only then', () => {
    expect(write(withDays(emptyView, '2026-03-01', null))).toBe('from=2026-03-01&tz=Europe%2FBerlin');
    expect(write(withPeriod(emptyView, 'TODAY'))).toBe('period=TODAY&tz=Europe%2FBerlin');
    expect(write({ ...emptyView, search: 'x' })).toBe('q=x');
  });

  test('leaves out what it does not understand', () => {
    const nonsense =
      'from=2026-02-30&to=2026-01-01T24:00&period=YESTERDAY&tz=Mars/Olympus&outcome=MAYBE&actor-kind=user&log=project&action=';
    expect(read(nonsense)).toEqual(emptyView);
  });

  test('tells every log from one and from the list as it is', () => {
    const logs = [emptyView.log, everyLog, { level: 'project', id: '*' }] as const;
    for (const log of logs) expect(read(write({ ...emptyView, log })).log).toEqual(log);
    expect(write({ ...emptyView, log: everyLog })).toBe('log=*');
    const asked = logs.map((log) => questionFor({ ...emptyView, log }, null, 'UTC', 0));
    expect(asked.map(({ log }) => log)).toEqual([null, null, { level: 'project', id: '*' }]);
    expect(asked.map(({ includeNested }) => includeNested)).toEqual([null, true, null]);
    expect(isFiltered({ ...emptyView, log: everyLog })).toBe(true);
  });

  test('takes a part of a period with it, and a page in one direction only', () => {
    const view = read('from=2026-01-01&period=TODAY&after=a&before=b');
    expect([view.period, view.from, view.after, view.before]).toEqual(['TODAY', '2026-01-01', 'a', null]);
  });

  test('takes a value once, and no more than the server does', () => {
    expect(read('ip=a&ip=a').lists.ip).toEqual(['a']);
    const many = Array.from({ length: 150 }, (_, index) => `action=a${index}`).join('&');
    expect(read(many).lists.action).toHaveLength(100);
  });
});

describe('a view', () => {
  test('begins at its first page when the question changes', () => {
    const view = refine(full, { search: 'other' });
    expect([view.after, view.before, view.event]).toEqual([null, null, null]);
  });

  test('orders a reversed range', () => {
    const { from, to } = withDays(emptyView, '2026-05-02', '2026-05-01');
    expect([from, to]).toEqual(['2026-05-01', '2026-05-02']);
    const morning = withDays(emptyView, '2026-05-02T10:00', '2026-05-02');
    expect([morning.from, morning.to], 'a whole day ends after its morning').toEqual([
      '2026-05-02T10:00',
      '2026-05-02',
    ]);
    const minutes = withDays(emptyView, '2026-05-02T10:00', '2026-05-02T09:00');
    expect([minutes.from, minutes.to]).toEqual(['2026-05-02T09:00', '2026-05-02T10:00']);
  });

  test('is cleared of every filter', () => {
    expect(isFiltered(full)).toBe(true);
    expect(isFiltered(cleared(full))).toBe(false);
  });

  test('is the same question on another page and with another row open', () => {
    expect(questionOf({ ...full, after: 'z', event: null })).toBe(questionOf(full));
    expect(questionOf({ ...full, search: 'z' })).not.toBe(questionOf(full));
  });

  test('means a name that ends in a star by that name, not by its beginning', () => {
    expect(['admin.*', 'a*b', 'plain'].map(exactly)).toEqual(['admin.\\*', 'a*b', 'plain']);
  });
});
