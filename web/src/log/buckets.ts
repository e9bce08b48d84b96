// Bars that are shorter than a day: the service counts days, so these are counted one by one, many in a request.
import type { Client } from '../api/client.ts';
import type { TadaDocumentNode } from '../api/graphql.ts';
import { addDays, dayOf, minuteOf, startOfDay } from '../time/zone.ts';
import { questionFor, type Question } from '../view/request.ts';
import { recentMinutes, type View } from '../view/view.ts';

export interface Bar {
  /** A day, or a minute as YYYY-MM-DDTHH:MM; both inclusive. */
  from: string;
  to: string;
  count: number;
  failed: number;
}

interface Stretch {
  start: number;
  /** The first instant after it. */
  end: number;
}

const minute = 60_000;
const hour = 60 * minute;

/** How a short time is cut: by minutes, quarters of an hour, hours or three hours. Null where days will do. */
export function stretchesOf({ period }: View, zone: string, now: number): Stretch[] | null {
  const today = dayOf(now, zone);
  switch (period) {
    case 'LAST_15_MINUTES':
      return cut(now - 15 * minute, now, minute);
    case 'LAST_HOUR':
      return cut(now - recentMinutes[period] * minute, now, 5 * minute);
    case 'LAST_4_HOURS':
      return cut(now - recentMinutes[period] * minute, now, 15 * minute);
    case 'LAST_24_HOURS':
      return cut(now - recentMinutes[period] * minute, now, hour);
    case 'TODAY':
      return cut(startOfDay(today, zone), startOfDay(addDays(today, 1), zone), hour);
    case 'LAST_7_DAYS':
      return cut(startOfDay(addDays(today, -6), zone), startOfDay(addDays(today, 1), zone), 3 * hour);
    default:
      return null;
  }
}

/** Whole minutes, so that a bar can be chosen by what a clock shows. */
function cut(from: number, to: number, size: number): Stretch[] {
  const start = Math.floor(from / minute) * minute;
  const count = Math.ceil((to - start) / size);
  return Array.from({ length: count }, (_, index) => ({
    start: start + index * size,
    end: start + (index + 1) * size,
  }));
}

/** What the service takes in one request. */
const mostFields = 50;

/** Counts each stretch, and its failures. */
export async function countStretches(
  client: Client,
  view: View,
  organization: string | null,
  readerZone: string,
  now: number,
  stretches: readonly Stretch[],
  withFailures: boolean,
  signal: AbortSignal,
): Promise<Bar[]> {
  const question = questionFor({ ...view, from: null, to: null }, organization, readerZone, now);
  const zone = view.zone ?? readerZone;
  const size = mostFields / (withFailures ? 2 : 1);
  const parts = Array.from({ length: Math.ceil(stretches.length / size) }, (_, part) =>
    stretches.slice(part * size, (part + 1) * size),
  );
  const bars = parts.map(async (part) => {
    const { document, variables } = stretchQuery(question, part, withFailures);
    const answer = await client.ask(document, variables, signal);
    return part.map(({ start, end }, index) => ({
      from: minuteOf(start, zone),
      to: minuteOf(end - minute, zone),
      count: answer[`all${index}`]?.totalCount ?? 0,
      failed: answer[`failed${index}`]?.totalCount ?? 0,
    }));
  });
  return (await Promise.all(bars)).flat();
}

type Answer = Record<string, { totalCount: number } | null>;
type Document = TadaDocumentNode<Answer, Record<string, unknown>, any>;

/** One count a stretch: a field each, under a name of its own. */
export function stretchQuery(question: Question, stretches: readonly Stretch[], withFailures: boolean) {
  const { filter, ...common } = question;
  const variables: Record<string, unknown> = common;
  const names: string[] = [];
  const { period: _period, ...rest } = filter ?? {};
  stretches.forEach(({ start, end }, index) => {
    const occurredAt = { from: new Date(start).toISOString(), to: new Date(end).toISOString() };
    variables[`all${index}`] = { ...rest, occurredAt };
    names.push(`all${index}`);
    if (!withFailures) return;
    variables[`failed${index}`] = { ...rest, occurredAt, outcomes: ['FAILURE'] };
    names.push(`failed${index}`);
  });
  const declared = names.map((name) => `$${name}: AuditEventFilter`).join(', ');
  const asked = names.map(
    (name) => `${name}: auditEvents(organization: $organization, log: $log, includeNested: $includeNested,
      filter: $${name}, query: $query, queryTimeZone: $queryTimeZone, first: 0) { totalCount }`,
  );
  const document = `query Stretches($organization: ID, $log: AuditLogInput, $includeNested: Boolean, $query: String, $queryTimeZone: String,
    ${declared}) {\n${asked.join('\n')}\n}`;
  return { document: document as unknown as Document, variables };
}
