import { describe, expect, test } from 'vitest';
import type { Client } from '../src/api/client.ts';
import { newerQuery, overviewQuery, pageQuery } from '../src/api/documents.ts';
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
function newModel(paged = true) {
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
    paged,
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
    totalCount: ids.length,
    pageNumber: 1,
    pageCount: 1,
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
    expect(last(pageQuery).variables).toMatchObject({ first: 2, after: 'c2', counts: true });
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
  test('adds below, and keeps a window that can be scrolled back', async () => {
    const { model, last } = newModel(false);
    model.show(emptyView);
    await last(pageQuery).answer(page(['0'], { next: true }));
    for (let index = 1; index <= 450; index++) {
      void model.loadMore('older');
      expect(last(pageQuery).variables).toMatchObject({ first: 2, after: `c${index - 1}`, counts: false });
      await last(pageQuery).answer(page([String(index)], { next: index < 450 }));
    }
    const { rows, hasNext, hasPrevious } = model.current;
    expect([rows.length, rows[0]?.node.id, hasNext, hasPrevious]).toEqual([400, '51', false, true]);

    void model.loadMore('newer');
    expect(last(pageQuery).variables).toMatchObject({ last: 2, before: 'c51' });
    await last(pageQuery).answer(page(['49', '50'], { previous: true }));
    expect(ids(model.current).slice(0, 3)).toEqual(['49', '50', '51']);
    expect([model.current.rows.length, model.current.hasNext]).toEqual([400, true]);
  });
});
