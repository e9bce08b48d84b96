import type { Client } from '../api/client.ts';
import { overviewQuery, type DayCount, type Overview } from '../api/documents.ts';
import { Fault } from '../api/fault.ts';
import { questionFor } from '../view/request.ts';
import { isRecent, type View } from '../view/view.ts';
import type { Bar } from './buckets.ts';

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

/** Whether its bars are shorter than a day; what counts those is loaded when it is needed. */
const isShort = ({ period }: View) =>
  period !== null && (isRecent(period) || period === 'TODAY' || period === 'LAST_7_DAYS');

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
  const short = withDays && isShort(view) ? await import('./buckets.ts').catch(() => null) : null;
  const stretches = short?.stretchesOf(view, zone, now) ?? null;
  const span = questionFor({ ...view, from: null, to: null }, organization, readerZone, now).filter;
  // Where failures are left out of the list, none are drawn.
  const withFailures = withDays && (!span?.outcomes || span.outcomes.includes('FAILURE'));
  const isPart = view.from !== null || view.to !== null;
  const drawsDays = withDays && stretches === null;
  const variables = {
    ...questionFor(view, organization, readerZone, now),
    span,
    failedSpan: { ...span, outcomes: ['FAILURE' as const] },
    timeZone: zone,
    days: drawsDays && !isPart,
    spanDays: drawsDays && isPart,
    failures: withFailures && drawsDays,
  };
  try {
    const [answer, buckets] = await Promise.all([
      client.ask(overviewQuery, variables, signal),
      // Bars that cannot be counted are not drawn; the number beside them stands.
      short &&
        stretches &&
        short
          .countStretches(client, view, organization, readerZone, now, stretches, withFailures, signal)
          .catch(() => null),
    ]);
    if (!answer.auditEvents) throw new Fault('server', 'auditEvents is null');
    return {
      total: answer.auditEvents.totalCount,
      facets: answer.auditEvents.facets,
      days: (isPart ? answer.span?.facets?.days : answer.auditEvents.facets?.days) ?? [],
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
