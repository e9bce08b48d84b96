import type { ActorKind, EventFilter, Outcome } from '../api/documents.ts';
import { dayAfter, startOfDay } from '../time/zone.ts';
import { asTypedSearch } from '../words/search.ts';
import { everyLog, type LogRef, type View } from './view.ts';

export interface Question {
  organization: string | null;
  log: LogRef | null;
  /** Null is what the product says of the log. */
  includeNested: boolean | null;
  filter: EventFilter | null;
  search: string | null;
}

const some = <Value extends string>(values: readonly string[]): Value[] | undefined =>
  values.length > 0 ? ([...values] as Value[]) : undefined;

/** A filter object without the fields that say nothing, or undefined if none says anything. */
function stated<Filter extends object>(filter: Filter): Filter | undefined {
  const entries = Object.entries(filter).filter(([, value]) => value !== undefined);
  return entries.length > 0 ? (Object.fromEntries(entries) as Filter) : undefined;
}

/** What the view asks of the server, without the page. */
export function questionFor(view: View, organization: string | null, readerZone: string): Question {
  const { lists } = view;
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
    period: view.period ? { preset: view.period, timeZone: zone } : undefined,
    // People mean the whole of the last day; the server's `to` is exclusive, so it gets the next midnight.
    occurredAt: stated({
      from: view.from ? new Date(startOfDay(view.from, zone)).toISOString() : undefined,
      to: view.to ? new Date(startOfDay(dayAfter(view.to), zone)).toISOString() : undefined,
    }),
  });
  const [log, includeNested] = view.log === everyLog ? [null, true] : [view.log, null];
  return { organization, log, includeNested, filter: filter ?? null, search: asTypedSearch(view.search) };
}
