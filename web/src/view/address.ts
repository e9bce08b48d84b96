// The view as the query of an address, and back. Reading forgives: what is not understood is left out.
import { isDay, isMinute, isZone } from '../time/zone.ts';
import { settled, timeless } from './query.ts';
import {
  emptyView,
  everyLog,
  listKeys,
  notKeys,
  periodPresets,
  recents,
  type ListKey,
  type NotKey,
  type View,
} from './view.ts';

const parameters: Record<ListKey, string> = {
  category: 'category',
  action: 'action',
  outcome: 'outcome',
  actorKind: 'actor-kind',
  actorId: 'actor',
  actorName: 'actor-name',
  email: 'email',
  resourceType: 'resource-type',
  resourceId: 'resource',
  resourceName: 'resource-name',
  ip: 'ip',
  correlationId: 'correlation',
  source: 'source',
  sourceEventId: 'source-event',
};

const notParameter = (key: NotKey) => `not-${parameters[key]}`;

const closedValues: Partial<Record<ListKey, readonly string[]>> = {
  outcome: ['SUCCESS', 'FAILURE', 'ACCEPTED'],
  actorKind: ['USER', 'API_KEY', 'SERVICE', 'STAFF', 'SYSTEM', 'ANONYMOUS'],
};

const single = ['q', 'email-contains', 'log', 'from', 'to', 'period', 'tz', 'after', 'before', 'event'] as const;

/** Reads a view out of the parameters whose names begin with `prefix`. */
export function readView(query: URLSearchParams, prefix = ''): View {
  const text = (name: (typeof single)[number]) => query.get(prefix + name) || null;
  const limit = (name: 'from' | 'to') => {
    const value = text(name);
    return value && (isDay(value) || isMinute(value)) ? value : null;
  };
  const values = (key: ListKey, parameter: string) => {
    const allowed = closedValues[key];
    const given = query.getAll(prefix + parameter).filter((value) => value && (!allowed || allowed.includes(value)));
    return [...new Set(given)].slice(0, 100);
  };
  const lists = Object.fromEntries(listKeys.map((key) => [key, values(key, parameters[key])]));
  const not = Object.fromEntries(notKeys.map((key) => [key, values(key, notParameter(key))]));

  const from = limit('from');
  const to = limit('to');
  const zone = text('tz');
  return settled({
    ...emptyView,
    search: text('q') ?? '',
    emailContains: text('email-contains') ?? '',
    lists: lists as unknown as View['lists'],
    not: not as unknown as View['not'],
    log: readLog(text('log')),
    from,
    to,
    period: [...periodPresets, ...recents].find((period) => period === text('period')) ?? null,
    zone: zone && isZone(zone) ? zone : null,
    after: text('after'),
    before: text('after') ? null : text('before'),
    event: text('event'),
  });
}

const names = [...single, ...Object.values(parameters), ...notKeys.map(notParameter)];

/** Whether an address says anything of a view, be it that nothing is asked for. */
export function saysView(query: URLSearchParams, prefix = ''): boolean {
  return names.some((name) => query.has(prefix + name));
}

/** Writes the view into a copy of `query`; parameters that are not the viewer's stay as they are. */
export function writeView(view: View, query: URLSearchParams, zone: string, prefix = ''): URLSearchParams {
  const result = new URLSearchParams(query);
  for (const name of names) result.delete(prefix + name);
  const put = (name: (typeof single)[number], value: string | null) => value && result.set(prefix + name, value);

  put('q', view.search);
  for (const key of listKeys) for (const value of view.lists[key]) result.append(prefix + parameters[key], value);
  for (const key of notKeys) for (const value of view.not[key]) result.append(prefix + notParameter(key), value);
  put('email-contains', view.emailContains);
  put('log', view.log === everyLog ? everyLog : view.log && `${view.log.level}:${view.log.id}`);
  put('from', view.from);
  put('to', view.to);
  put('period', view.period);
  // A day is another stretch of time elsewhere: a dated link says whose days it means.
  const isDated = view.from || view.to || view.period || timeless(view.search) !== view.search;
  if (view.zone ?? isDated) put('tz', view.zone ?? zone);
  put('after', view.after);
  put('before', view.before);
  put('event', view.event);
  return result;
}

/** A log as an address and the host name it: `project:p_1`, or a star for all of them. */
export function readLog(text: string | null): View['log'] {
  if (text === null || text === everyLog) return text;
  const colon = text.indexOf(':');
  return colon > 0 ? { level: text.slice(0, colon), id: text.slice(colon + 1) } : null;
}
