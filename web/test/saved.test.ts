import { describe, expect, test } from 'vitest';
import { isSameQuestion, savedQuery, savedView } from '../src/view/saved.ts';
import { emptyView, type View } from '../src/view/view.ts';

const zone = 'Europe/Berlin';

describe('a question that is saved', () => {
  test('is all that a link says, but for the page and the row', () => {
    const view: View = {
      ...emptyView,
      search: 'after:7d "two words" 東京',
      lists: { ...emptyView.lists, outcome: ['FAILURE'], action: ['user.*', 'a&b=c'] },
      not: { ...emptyView.not, actorKind: ['SYSTEM'] },
      log: { level: 'project', id: 'p:1' },
      after: 'cursor',
      event: 'evt_1',
    };
    const query = savedQuery(view, zone);
    expect(query).not.toMatch(/cursor|evt_1/);
    expect(query, 'relative times stay relative').toContain('after%3A7d');
    expect(savedView(query)).toEqual({ ...view, after: null, event: null, zone });
    const recent: View = { ...emptyView, period: 'LAST_15_MINUTES' };
    expect(savedView(savedQuery(recent, zone))).toEqual({ ...recent, zone });
  });

  test('of everything asks for nothing', () => {
    expect(savedQuery(emptyView, zone)).toBe('');
    expect(savedView('')).toEqual(emptyView);
  });

  test('is known again, however it is written', () => {
    const shown = { ...emptyView, search: 'a b', lists: { ...emptyView.lists, outcome: ['FAILURE'] }, event: 'evt_1' };
    expect(isSameQuestion('outcome=FAILURE&q=a%20b', shown, zone)).toBe(true);
    expect(isSameQuestion('outcome=FAILURE&q=a', shown, zone)).toBe(false);
  });

  test('leads to no page and no row, whoever wrote it', () => {
    expect(savedView('q=a&after=c&event=evt_1')).toEqual({ ...emptyView, search: 'a' });
  });
});
