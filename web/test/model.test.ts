import { describe, expect, test } from 'vitest';
import type { Client } from '../src/api/client.ts';
import { newerQuery, overviewQuery, pageQuery, positionQuery } from '../src/api/documents.ts';
import { Fault } from '../src/api/fault.ts';
import { LogModel, type ListState } from '../src/log/model.ts';
import { emptyView, refine, type View } from '../src/view/view.ts';

interface Asked {
  document: unknown;
  variables: Record<string, any>;
  answer: (data: unknown) => Promise<void>;
  refuse: (fault: Fault) => Promise<void>;
}

/** A model whose questions wait for the test to answer them. */
function newModel() {
  const asked: Asked[] = [];
  const settle = () => new Promise<void>((resolve) => setTimeout(resolve));
  const client = {
    ask: (document: unknown, variables: Record<string, unknown>, signal: AbortSignal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
        asked.push({
          document,
          variables,
          answer: (data) => (resolve(data), settle()),
          refuse: (fault) => (reject(fault), settle()),
        });
      }),
  } as unknown as Client;
  let stale = 0;
  const model = new LogModel({
    client,
    organization: null,
    zone: 'UTC',
    pageSize: 2,
    withDays: true,
    now: () => Date.parse('2026-03-01T12:00:00Z'),
    onChange: () => {},
    onStaleCursor: () => (stale += 1),
  });
  const last = (document: unknown) => asked.filter((one) => one.document === document).at(-1)!;
  return { model, asked, last, staleCount: () => stale };
}

const page = (ids: readonly string[], more: { next?: boolean; previous?: boolean } = {}) => ({
  auditEvents: {
    edges: ids.map((id) => ({ cursor: `c${id}`, node: { id } })),
    pageInfo: { hasNextPage: more.next ?? false, hasPreviousPage: more.previous ?? false },
  },
});
const ids = (state: ListState) => state.rows.map(({ node }) => node.id);
const at = (change: Partial<View>): View => ({ ...emptyView, ...change });

describe('the list', () => {
  test('shows the answer to the last question, whatever comes late', async () => {
    const { model, last } = newModel();
    model.show(at({ search: 'a' }));
    const first = last(pageQuery);
    model.show(at({ search: 'ab' }));
    await last(pageQuery).answer(page(['2']));
    await first.answer(page(['1']));
    expect(ids(model.current)).toEqual(['2']);
  });

  test('keeps the rows in sight while the next ones are on their way', async () => {
    const { model, last } = newModel();
    model.show(emptyView);
    expect(model.current.status).toBe('loading');
    await last(pageQuery).answer(page(['1']));
    model.show(at({ search: 'x' }));
    expect([model.current.status, ids(model.current)]).toEqual(['refreshing', ['1']]);
  });

  test('asks nothing when only a row was opened, and counts only when the question changed', async () => {
    const { model, last, asked } = newModel();
    model.show(emptyView);
    await last(pageQuery).answer(page(['1', '2'], { next: true }));
    model.show(at({ event: '1' }));
    expect(asked).toHaveLength(2);
    model.show(at({ after: 'c2' }));
    expect(asked.map(({ document }) => document)).toEqual([overviewQuery, pageQuery, pageQuery]);
    expect(last(pageQuery).variables).toMatchObject({ first: 2, after: 'c2' });
    model.show(at({ before: 'c3' }));
    expect(last(pageQuery).variables).toMatchObject({ last: 2, before: 'c3' });
  });

  test('goes back to its first page when a link’s cursor no longer fits', async () => {
    const { model, last, staleCount } = newModel();
    model.show(at({ after: 'foreign' }));
    await last(pageQuery).refuse(new Fault('input', 'malformed cursor', 'BAD_USER_INPUT', null, 'after'));
    expect([staleCount(), model.current.fault]).toEqual([1, null]);
  });

  test('says what went wrong, until it is asked again and answered', async () => {
    const { model, last } = newModel();
    model.show(emptyView);
    await last(pageQuery).refuse(new Fault('server', 'internal', 'INTERNAL', 'req_1'));
    expect(model.current.fault?.requestId).toBe('req_1');
    model.reload();
    expect(model.current).toMatchObject({ status: 'loading', fault: { requestId: 'req_1' } });
    await last(pageQuery).refuse(new Fault('server', 'internal', 'INTERNAL', 'req_2'));
    expect(model.current.fault?.requestId).toBe('req_2');
    model.show(at({ search: 'x' }));
    expect(model.current.fault, 'another question').toBeNull();
    await last(pageQuery).answer(page(['1']));
    expect(ids(model.current)).toEqual(['1']);
  });
});

describe('news', () => {
  test('are the events before the first cursor of the first page', async () => {
    const { model, last, asked } = newModel();
    model.show(emptyView);
    await last(pageQuery).answer(page(['5', '4'], { next: true }));
    model.show(at({ after: 'c4' }));
    await last(pageQuery).answer(page(['3', '2']));
    void model.checkForNew();
    expect(last(newerQuery).variables).toMatchObject({ last: 100, before: 'c5' });
    await last(newerQuery).answer({ auditEvents: { nodes: [{ id: '7' }, { id: '6' }] } });
    expect(model.current.newer).toBe(2);
    expect(ids(model.current), 'the page stands still').toEqual(['3', '2']);
    model.show(emptyView);
    await last(pageQuery).answer(page(['7', '6']));
    expect(model.current.newer).toBe(0);
    expect(
      asked.filter(({ document }) => document === overviewQuery),
      'they are counted',
    ).toHaveLength(2);
  });

  test('of an empty list are all there are', async () => {
    const { model, last } = newModel();
    model.show(emptyView);
    await last(pageQuery).answer(page([]));
    void model.checkForNew();
    expect(last(newerQuery).variables).toMatchObject({ first: 100 });
  });

  test('are not asked for another question than the one in sight', async () => {
    const { model, last, asked } = newModel();
    model.show(emptyView);
    await last(pageQuery).answer(page(['1']));
    void model.checkForNew();
    const check = last(newerQuery);
    model.show(refine(emptyView, { search: 'x' }));
    await last(pageQuery).answer(page(['1']));
    await check.answer({ auditEvents: { nodes: [{ id: '2' }] } });
    expect(model.current.newer).toBe(0);
    expect(asked.filter(({ document }) => document === newerQuery)).toHaveLength(1);
  });
});

describe('loading more', () => {
  test('adds below, and drops nothing above', async () => {
    const { model, last } = newModel();
    model.show(emptyView);
    await last(pageQuery).answer(page(['0'], { next: true }));
    for (let index = 1; index <= 1000; index++) {
      void model.loadMore('older');
      expect(last(pageQuery).variables).toMatchObject({ first: 2, after: `c${index - 1}` });
      await last(pageQuery).answer(page([String(index)], { next: index < 1000 }));
    }
    const { rows, hasNext, hasPrevious, offset } = model.current;
    expect([new Set(ids(model.current)).size, rows[0]?.node.id, hasNext, hasPrevious, offset]).toEqual([
      1001,
      '0',
      false,
      false,
      0,
    ]);
  });

  test('adds above where a link began further down', async () => {
    const { model, last } = newModel();
    model.show(at({ after: 'c49' }));
    await last(pageQuery).answer(page(['50', '51'], { previous: true }));
    void model.loadMore('newer');
    expect(last(pageQuery).variables).toMatchObject({ last: 2, before: 'c50' });
    await last(pageQuery).answer(page(['48', '49'], { previous: true }));
    expect(ids(model.current)).toEqual(['48', '49', '50', '51']);
  });
});

const overview = (totalCount: number, recorded = '9') => ({
  auditEvents: {
    totalCount,
    facets: { outcomes: { buckets: [] }, days: [{ day: '2026-03-01', count: totalCount }] },
  },
  recorded: { nodes: [{ sequence: recorded }] },
  failedSpan: { facets: { days: [] } },
});

describe('a number belongs to its question', () => {
  test('and is unknown from the moment that the question changes', async () => {
    const { model, last } = newModel();
    model.show(emptyView);
    await last(pageQuery).answer(page(['1'], { next: true }));
    await last(overviewQuery).answer(overview(49_911));
    expect(model.current).toMatchObject({ total: 49_911, isCounting: false });
    model.show(at({ search: 'whole team' }));
    expect(model.current).toMatchObject({ total: null, facets: null, isCounting: true, isFormer: true });
    await last(pageQuery).answer(page(['2'], { next: true }));
    expect(model.current).toMatchObject({ total: null, isFormer: false });
  });

  test('where it cannot be counted, it stays unknown and says why', async () => {
    const { model, last } = newModel();
    model.show(emptyView);
    await last(pageQuery).answer(page(['1'], { next: true }));
    await last(overviewQuery).answer(overview(49_911));
    model.show(at({ search: 'whole team' }));
    await last(pageQuery).answer(page(['2'], { next: true }));
    await last(overviewQuery).refuse(new Fault('input', 'too much', 'QUERY_TOO_COMPLEX'));
    expect(model.current).toMatchObject({ total: null, isCounting: false, countFault: { kind: 'input' }, days: [] });
    expect(ids(model.current), 'the rows stand').toEqual(['2']);
    model.recount();
    expect(model.current).toMatchObject({ total: null, isCounting: true, countFault: null });
    await last(overviewQuery).answer(overview(12));
    expect(model.current.total).toBe(12);
  });

  test('and an answer that comes late is thrown away', async () => {
    const { model, last } = newModel();
    model.show(emptyView);
    await last(pageQuery).answer(page(['1']));
    const former = last(overviewQuery);
    model.show(at({ search: 'x' }));
    await former.answer(overview(49_911));
    expect(model.current.total).toBeNull();
  });
});

describe('the place of a page', () => {
  test('is known from those before it, there and back', async () => {
    const { model, last, asked } = newModel();
    model.show(emptyView);
    await last(pageQuery).answer(page(['1', '2'], { next: true }));
    model.show(at({ after: 'c2' }));
    await last(pageQuery).answer(page(['3', '4'], { next: true, previous: true }));
    expect(model.current.offset).toBe(2);
    model.show(at({ after: 'c4' }));
    await last(pageQuery).answer(page(['5'], { previous: true }));
    expect(model.current.offset).toBe(4);
    model.show(at({ before: 'c5' }));
    await last(pageQuery).answer(page(['3', '4'], { next: true, previous: true }));
    expect(model.current.offset).toBe(2);
    model.show(at({ after: 'c4' }));
    await last(pageQuery).answer(page(['5'], { previous: true }));
    expect(model.current.offset, 'by the browser’s Back').toBe(4);
    expect(asked.filter(({ document }) => document === positionQuery)).toEqual([]);
  });

  test('of a link is asked for, and left out where nobody knows', async () => {
    const { model, last } = newModel();
    model.show(at({ after: 'c9' }));
    await last(pageQuery).answer(page(['10', '11'], { previous: true }));
    expect(model.current.offset).toBeNull();
    await last(positionQuery).refuse(new Fault('input', 'too much'));
    expect(model.current).toMatchObject({ offset: null, fault: null });
    model.show(at({ after: 'c19' }));
    await last(pageQuery).answer(page(['20', '21'], { previous: true }));
    await last(positionQuery).answer({ auditEvents: { pageNumber: 11 } });
    expect(model.current.offset).toBe(20);
  });
});

describe('rows of the former question', () => {
  test('stay where the next one fails, and are known as such', async () => {
    const { model, last } = newModel();
    model.show(emptyView);
    await last(pageQuery).answer(page(['1']));
    model.show(at({ search: 'x' }));
    await last(pageQuery).refuse(new Fault('offline', 'no'));
    expect(model.current).toMatchObject({ isFormer: true, fault: { kind: 'offline' } });
    expect(ids(model.current)).toEqual(['1']);
    model.reload();
    await last(pageQuery).refuse(new Fault('offline', 'no'));
    expect(model.current.isFormer).toBe(true);
    model.reload();
    await last(pageQuery).answer(page(['2']));
    expect(model.current).toMatchObject({ isFormer: false, fault: null });
  });
});

describe('live', () => {
  const newer = (above: string[], recorded: [string, string][] = []) => ({
    auditEvents: { nodes: above.map((id) => ({ id })) },
    recorded: { nodes: recorded.map(([id, sequence]) => ({ id, sequence })) },
  });

  test('puts what is new above, and says which rows those are', async () => {
    const { model, last } = newModel();
    model.show(emptyView);
    await last(pageQuery).answer(page(['1']));
    await last(overviewQuery).answer(overview(1));
    void model.checkForNew(true);
    await last(newerQuery).answer(newer(['2']));
    expect(last(pageQuery).variables).toMatchObject({ last: 100, before: 'c1' });
    await last(pageQuery).answer(page(['2']));
    expect([ids(model.current), [...model.current.fresh], model.current.newer]).toEqual([['2', '1'], ['2'], 0]);
    void model.checkForNew(true);
    expect(last(newerQuery).variables, 'from the new first row on').toMatchObject({ before: 'c2' });
  });

  test('tells of events that came late and stand further down, once', async () => {
    const { model, last } = newModel();
    model.show(emptyView);
    await last(pageQuery).answer(page(['5', '4'], { next: true }));
    await last(overviewQuery).answer(overview(5, '5'));
    void model.checkForNew();
    await last(newerQuery).answer(
      newer(
        ['6'],
        [
          ['6', '7'],
          ['late', '6'],
          ['5', '5'],
          ['4', '4'],
        ],
      ),
    );
    expect([model.current.newer, model.current.late]).toEqual([1, 1]);
    model.reload();
    await last(pageQuery).answer(page(['6', '5'], { next: true }));
    await last(overviewQuery).answer(overview(7, '7'));
    void model.checkForNew();
    await last(newerQuery).answer(
      newer(
        [],
        [
          ['6', '7'],
          ['late', '6'],
        ],
      ),
    );
    expect(model.current.late).toBe(0);
  });

  test('tells that a session has ended, and not that the network paused', async () => {
    const { model, last } = newModel();
    model.show(emptyView);
    await last(pageQuery).answer(page(['1']));
    const looked = model.checkForNew();
    await last(newerQuery).refuse(new Fault('offline', 'no'));
    expect(await looked).toBe(false);
    expect(model.current).toMatchObject({ fault: null, isLive: false });
    void model.checkForNew();
    await last(newerQuery).answer(newer([]));
    expect(model.current.isLive).toBe(true);
    void model.checkForNew();
    await last(newerQuery).refuse(new Fault('unauthenticated', 'no'));
    expect(model.current.fault?.kind).toBe('unauthenticated');
  });
});
