// What stands around an event, for those who open it: events of the same correlation id, and what its actor does otherwise.
import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Actor, AuditEvent } from '../api/documents.ts';
import { Fault } from '../api/fault.ts';
import { actorQuery, relatedQuery } from '../api/related.ts';
import { asked } from '../view/locked.ts';
import { questionFor } from '../view/request.ts';
import { emptyView, exactly, withList, type View } from '../view/view.ts';
import { actorTitle, OutcomeMark } from './Cell.tsx';
import { usePart, type LogContext } from './context.ts';
import { Marked } from './Marked.tsx';
import { useAnswer } from './useAnswer.ts';
import { Value } from './Value.tsx';

/** More than these are no overview. */
const mostShown = 5;

/** What is asked for within what the host has fixed: of a log, or of one customer, nothing else is shown. */
function within(log: LogContext, view: View) {
  const { config } = log;
  return questionFor(asked({ ...view, log: log.view.log }, config.locked), config.organization, config.zone, 0);
}

/** All events that have the same correlation id, in the order in which they happened. */
export function RelatedEvents({ event }: { event: AuditEvent }) {
  const log = usePart();
  const { texts, format, view, change } = log;
  const question = within(log, withList(emptyView, 'correlationId', [event.correlationId!]));
  const { answer, retry } = useAnswer(relatedQuery, question);
  const found = answer === null || answer instanceof Fault ? null : answer.auditEvents;
  if (found === null) return <Unanswered isFailed={answer !== null} onRetry={retry} />;
  const { nodes, totalCount } = found;
  return (
    <>
      <ol class="related-events">
        {nodes.map(({ id, actionLabel, outcome, occurredAt, actor }) => (
          <li key={id}>
            <button
              type="button"
              class="related-event"
              aria-current={id === event.id ? 'true' : undefined}
              disabled={id === event.id}
              onClick={() => change({ ...view, event: id })}
            >
              <time dateTime={occurredAt} title={format.utc(occurredAt)}>
                <bdi>{format.instant(occurredAt)}</bdi>
              </time>
              <span>
                <OutcomeMark outcome={outcome} /> <Marked text={actionLabel} />
              </span>
              <span class="aside">
                <Marked text={actorTitle(actor)} />
              </span>
            </button>
          </li>
        ))}
      </ol>
      {totalCount > nodes.length && (
        <button
          type="button"
          class="link"
          onClick={() =>
            change(withList({ ...emptyView, log: view.log, zone: view.zone }, 'correlationId', [event.correlationId!]))
          }
        >
          {texts.results(format.count(totalCount))}
        </button>
      )}
    </>
  );
}

/** By what an actor is found again: the id, else the address, else the name; by none of them, nobody is meant. */
export function viewOf(actor: Actor): View | null {
  const kept = withList(emptyView, 'actorKind', [actor.kind]);
  if (actor.externalId !== null) return withList(kept, 'actorId', [actor.externalId]);
  if (actor.email !== null) return withList(kept, 'email', [actor.email]);
  return actor.name === null ? null : withList(kept, 'actorName', [actor.name]);
}

/** When somebody was first and last seen, what they do most, and from where. */
export function ActorCard({ actor }: { actor: Actor }) {
  const log = usePart();
  const { texts, format, zone, now } = log;
  const view = useMemo(() => viewOf(actor)!, [actor]);
  const { answer, retry } = useAnswer(actorQuery, { ...within(log, view), timeZone: zone });
  const found = answer === null || answer instanceof Fault ? null : answer;
  const seen = found?.auditEvents;
  if (!seen?.facets) return <Unanswered isFailed={answer !== null} onRetry={retry} />;
  const { actions, ipAddresses, outcomes } = seen.facets;
  const failures = outcomes.buckets.find(({ value }) => value === 'FAILURE')?.count ?? 0;
  const [last, first] = [seen.nodes[0]?.occurredAt, found?.first?.nodes[0]?.occurredAt];
  const count = (number: number, exact: boolean) =>
    exact ? format.number(number) : texts.atLeast(format.number(number));
  return (
    <div class="actor-card">
      <p>
        <strong>
          <bdi>{texts.results(format.count(seen.totalCount))}</bdi>
        </strong>
        {failures > 0 && (
          <span class="badge bad">
            {texts.failures} <bdi>{count(failures, outcomes.exact)}</bdi>
          </span>
        )}
      </p>
      <dl>
        {first && <Seen name={texts.firstSeen} iso={first} now={now} />}
        {last && <Seen name={texts.lastSeen} iso={last} now={now} />}
      </dl>
      <Ranking name={texts.frequentActions} most={actions.buckets[0]?.count ?? 0}>
        {actions.buckets.slice(0, mostShown).map(({ value, label, count: number }) => ({
          key: value,
          value: <Value text={label ?? value} filter="action" value={exactly(value)} />,
          number,
          count: count(number, actions.exact),
        }))}
      </Ranking>
      <Ranking name={texts.addresses} most={ipAddresses.buckets[0]?.count ?? 0}>
        {ipAddresses.buckets.slice(0, mostShown).map(({ value, count: number }) => ({
          key: value,
          value: <Value text={value} filter="ip" code />,
          number,
          count: count(number, ipAddresses.exact),
        }))}
      </Ranking>
    </div>
  );
}

function Seen({ name, iso, now }: { name: string; iso: string; now: number }) {
  const { format } = usePart();
  return (
    <div class="field-row">
      <dt>{name}</dt>
      <dd>
        <time dateTime={iso} title={format.utc(iso)}>
          <bdi>{format.instant(iso)}</bdi>
        </time>{' '}
        <bdi class="aside">{format.relative(iso, now)}</bdi>
      </dd>
    </div>
  );
}

interface Ranked {
  key: string;
  value: ComponentChildren;
  number: number;
  count: string;
}

function Ranking({ name, most, children }: { name: string; most: number; children: readonly Ranked[] }) {
  if (children.length === 0) return null;
  return (
    <>
      <p class="aside">{name}</p>
      <ul class="ranking">
        {children.map(({ key, value, number, count }) => (
          <li key={key}>
            <span class="share" style={{ inlineSize: `${(100 * number) / most}%` }} aria-hidden="true" />
            <span class="ranked">{value}</span>
            <bdi>{count}</bdi>
          </li>
        ))}
      </ul>
    </>
  );
}

/** On its way, or to be asked for again. */
function Unanswered({ isFailed, onRetry }: { isFailed: boolean; onRetry: () => void }) {
  const { texts } = usePart();
  if (!isFailed) return <p class="aside">{texts.loading}</p>;
  return (
    <div class="part-failed" role="alert">
      <p>{texts.partFailed}</p>
      <button type="button" class="button" onClick={onRetry}>
        {texts.retry}
      </button>
    </div>
  );
}
