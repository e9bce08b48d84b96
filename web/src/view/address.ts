// The view as the query of an address, and back. Reading forgives: what is not understood is left out.
import { isDay, isZone } from '../time/zone.ts';
import { emptyView, everyLog, listKeys, periodPresets, type ListKey, type View } from './view.ts';

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

const closedValues: Partial<Record<ListKey, readonly string[]>> = {
  outcome: ['SUCCESS', 'FAILURE', 'ACCEPTED'],
  actorKind: ['USER', 'API_KEY', 'SERVICE', 'STAFF', 'SYSTEM', 'ANONYMOUS'],
};

const single = ['q', 'email-contains', 'log', 'from', 'to', 'period', 'tz', 'after', 'before', 'event'] as const;

export function readView(query: URLSearchParams): View {
  const text = (name: (typeof single)[number]) => query.get(name) || null;
  const day = (name: 'from' | 'to') => {
    const value = text(name);
    return value && isDay(value) ? value : null;
  };
  const lists = Object.fromEntries(
    listKeys.map((key) => {
      const allowed = closedValues[key];
      const values = query.getAll(parameters[key]).filter((value) => value && (!allowed || allowed.includes(value)));
      return [key, [...new Set(values)].slice(0, 100)];
    }),
  ) as unknown as View['lists'];

  const from = day('from');
  const to = day('to');
  const zone = text('tz');
  const log = text('log');
  const colon = log?.indexOf(':') ?? -1;
  return {
    ...emptyView,
    search: query.get('q') ?? '',
    emailContains: query.get('email-contains') ?? '',
    lists,
    log:
      log === everyLog ? everyLog : log && colon > 0 ? { level: log.slice(0, colon), id: log.slice(colon + 1) } : null,
    from,
    to,
    period: from || to ? null : (periodPresets.find((preset) => preset === text('period')) ?? null),
    zone: zone && isZone(zone) ? zone : null,
    after: text('after'),
    before: text('after') ? null : text('before'),
    event: text('event'),
  };
}

/** Writes the view into a copy of `query`; parameters that are not the viewer's stay as they are. */
export function writeView(view: View, query: URLSearchParams, zone: string): URLSearchParams {
  const result = new URLSearchParams(query);
  for (const name of [...single, ...Object.values(parameters)]) result.delete(name);
  const put = (name: (typeof single)[number], value: string | null) => value && result.set(name, value);

  put('q', view.search);
  for (const key of listKeys) for (const value of view.lists[key]) result.append(parameters[key], value);
  put('email-contains', view.emailContains);
  put('log', view.log === everyLog ? everyLog : view.log && `${view.log.level}:${view.log.id}`);
  put('from', view.from);
  put('to', view.to);
  put('period', view.period);
  // A day is another stretch of time elsewhere: a dated link says whose days it means.
  if (view.zone ?? (view.from || view.to || view.period)) put('tz', view.zone ?? zone);
  put('after', view.after);
  put('before', view.before);
  put('event', view.event);
  return result;
}
