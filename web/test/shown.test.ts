import { describe, expect, test } from 'vitest';
import { ownLog, showsSeveralLogs } from '../src/view/shown.ts';
import { everyLog, type View } from '../src/view/view.ts';

const level = (name: string, parent: string | null, includeNested: boolean) => ({
  name,
  label: name,
  parent,
  includeNested,
});
const account = { level: 'account', externalId: 'a_1' };
const levels = (nested: boolean) => [
  level('account', null, nested),
  level('troop', 'account', false),
  level('widget', 'troop', false),
];
const reader = (nested: boolean, logs = [account], organization: string | null = 'a_1') => ({
  organization,
  logs,
  product: { levels: levels(nested) },
});

describe('a list', () => {
  test.each<[string, View['log'], boolean]>([
    ['its own, as the product has it', null, true],
    ['all that can be read', everyLog, true],
    ['one with others below', { level: 'troop', id: 't_1' }, false],
    ['one without', { level: 'widget', id: 'w_1' }, false],
  ])('of %s', (_which, log, several) => {
    expect(showsSeveralLogs(reader(true), log)).toBe(several);
  });

  test('of the organization’s own log alone is not of all', () => {
    expect(showsSeveralLogs(reader(false), null)).toBe(false);
    expect(showsSeveralLogs(reader(false), everyLog)).toBe(true);
  });

  test('of a narrowed token is that of its log', () => {
    const widget = reader(true, [{ level: 'widget', externalId: 'w_1' }]);
    expect(ownLog(widget)).toEqual({ level: 'widget', id: 'w_1' });
    expect([showsSeveralLogs(widget, null), showsSeveralLogs(widget, everyLog)]).toEqual([false, false]);
    const troop = reader(true, [{ level: 'troop', externalId: 't_1' }]);
    expect([showsSeveralLogs(troop, null), showsSeveralLogs(troop, everyLog)]).toEqual([false, true]);
  });

  test('of a product with one level has one log', () => {
    const flat = { ...reader(true), product: { levels: [level('account', null, true)] } };
    expect([showsSeveralLogs(flat, null), showsSeveralLogs(flat, everyLog)]).toEqual([false, false]);
  });

  test('belongs to the token’s organization before it has events', () => {
    expect(ownLog(reader(true, []))).toEqual({ level: 'account', id: 'a_1' });
    expect(ownLog(reader(true, [], null))).toBe(null);
  });
});
