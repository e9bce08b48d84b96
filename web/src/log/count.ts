import type { Client } from '../api/client.ts';
import { overviewQuery, type DayCount, type Overview } from '../api/documents.ts';
import { Fault } from '../api/fault.ts';
import { questionFor } from '../view/request.ts';
import type { View } from '../view/view.ts';
import { countStretches, stretchesOf, type Bar } from './buckets.ts';

/** What is known of the whole match. */
export interface Counted {
  /** Null while it is counted, and where it could not be. */
  total: number | null;
  facets: Overview['facets'];
  /** Of the span around what is chosen; of the former question while `isCounting`. */
  days: readonly DayCount[];
  failedDays: readonly DayCount[];
  /** Bars shorter than days, where the span is short. */
  buckets: readonly Bar[] | null;
  /** The number of the event that was recorded last. */
  recorded: string | null;
  isCounting: boolean;
  /** Why there is no number. */
  countFault: Fault | null;
}

export const uncounted: Counted = {
  total: null,
  facets: null,
  days: [],
  failedDays: [],
  buckets: null,
  recorded: null,
  isCounting: true,
  countFault: null,
};

/** Counts the matches of a view; null where nobody waits for it any more. */
export async function countMatches(
  client: Client,
  view: View,
  organization: string | null,
  readerZone: string,
  now: number,
  withDays: boolean,
  signal: AbortSignal,
): Promise<Counted | null> {
  const zone = view.zone ?? readerZone;
  const stretches = withDays ? stretchesOf(view, zone, now) : null;
  const span = questionFor({ ...view, from: null, to: null }, organization, readerZone, now).filter;
  // Where failures are left out of the list, none are drawn.
  const withFailures = withDays && (!span?.outcomes || span.outcomes.includes('FAILURE'));
  const variables = {
    ...questionFor(view, organization, readerZone, now),
    span,
    failedSpan: { ...span, outcomes: ['FAILURE' as const] },
    timeZone: zone,
    days: withDays && stretches === null,
    failures: withFailures && stretches === null,
  };
  try {
    const [answer, buckets] = await Promise.all([
      client.ask(overviewQuery, variables, signal),
      // Bars that cannot be counted are not drawn; the number beside them stands.
      stretches &&
        countStretches(client, view, organization, readerZone, now, stretches, withFailures, signal).catch(() => null),
    ]);
    if (!answer.auditEvents) throw new Fault('server', 'auditEvents is null');
    return {
      total: answer.auditEvents.totalCount,
      facets: answer.auditEvents.facets,
      days: answer.span?.facets?.days ?? [],
      failedDays: answer.failedSpan?.facets?.days ?? [],
      buckets,
      recorded: answer.recorded?.nodes[0]?.sequence ?? '-1',
      isCounting: false,
      countFault: null,
    };
  } catch (error) {
    if (signal.aborted) return null;
    const fault = error instanceof Fault ? error : new Fault('server', String(error));
    return { ...uncounted, isCounting: false, countFault: fault };
  }
}
