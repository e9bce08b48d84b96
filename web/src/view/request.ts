import type { ActorKind, EventFilter, Outcome } from '../api/documents.ts';
import { endOf, startOf } from '../time/zone.ts';
import { asTypedQuery } from '../words/query.ts';
import { settled } from './query.ts';
import { everyLog, isRecent, recentMinutes, type LogRef, type View } from './view.ts';

export interface Question {
  organization: string | null;
  log: LogRef | null;
  /** Null is what the product says of the log. */
  includeNested: boolean | null;
  filter: EventFilter | null;
  /** What the query box asks for besides, and the zone of its days. */
  query: string | null;
  queryTimeZone: string | null;
}

const some = <Value extends string>(values: readonly string[]): Value[] | undefined =>
  values.length > 0 ? ([...values] as Value[]) : undefined;

/** A filter object without the fields that say nothing, or undefined if none says anything. */
function stated<Filter extends object>(filter: Filter): Filter | undefined {
  const entries = Object.entries(filter).filter(([, value]) => value !== undefined);
  return entries.length > 0 ? (Object.fromEntries(entries) as Filter) : undefined;
}

/** What the view asks of the server, without the page. `now` is where stretches end that end now. */
export function questionFor(asked: View, organization: string | null, readerZone: string, now: number): Question {
  // A part that is still being typed may ask for what a filter asks for too, and the service takes it from one of them.
  const view = settled(asked);
  const { lists, not } = view;
  const zone = view.zone ?? readerZone;
  const filter = stated<EventFilter>({
    categories: some(lists.category),
    actions: some(lists.action),
    outcomes: some<Outcome>(lists.outcome),
    actor: stated({
      kinds: some<ActorKind>(lists.actorKind),
      ids: some(lists.actorId),
      names: some(lists.actorName),
      emails: some(lists.email),
      emailContains: view.emailContains.trim() || undefined,
    }),
    resource: stated({
      types: some(lists.resourceType),
      ids: some(lists.resourceId),
      names: some(lists.resourceName),
    }),
    ipAddresses: some(lists.ip),
    correlationIds: some(lists.correlationId),
    sources: some(lists.source),
    sourceEventIds: some(lists.sourceEventId),
    not: stated({
      categories: some(not.category),
      actions: some(not.action),
      actorKinds: some<ActorKind>(not.actorKind),
      actorIds: some(not.actorId),
    }),
    ...whenOf(view, zone, now),
  });
  const [log, includeNested] = view.log === everyLog ? [null, true] : [view.log, null];
  const query = asTypedQuery(view.search);
  return { organization, log, includeNested, filter: filter ?? null, query, queryTimeZone: query && zone };
}

function whenOf({ from, to, period }: View, zone: string, now: number): Pick<EventFilter, 'period' | 'occurredAt'> {
  const at = (instant: number) => new Date(instant).toISOString();
  // A part of a period is a range like another.
  if (from || to || !period) {
    // People mean the whole of the last day, or minute; the server's `to` is exclusive, so it gets what comes after.
    const range = { from: from ? at(startOf(from, zone)) : undefined, to: to ? at(endOf(to, zone)) : undefined };
    return { occurredAt: stated(range) };
  }
  if (isRecent(period)) return { occurredAt: { from: at(now - recentMinutes[period] * 60_000) } };
  return { period: { preset: period, timeZone: zone } };
}
