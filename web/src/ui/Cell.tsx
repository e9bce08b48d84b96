import { useMemo } from 'preact/hooks';
import type { Actor, AuditEvent, Column, Resource } from '../api/documents.ts';
import { summarise } from '../json/changes.ts';
import { readJson } from '../json/tree.ts';
import { seen, spelled } from '../words/visible.ts';
import { useLog } from './context.ts';
import { below, Erased } from './Erased.tsx';
import { Marked } from './Marked.tsx';
import { actorBadge, outcomeName } from './names.ts';

/** One column of one event, in one line. */
export function Cell({ kind, event }: { kind: Column['kind']; event: AuditEvent }) {
  switch (kind) {
    case 'TIME':
      return <Time iso={event.occurredAt} />;
    case 'ACTION':
      return <ActionCell event={event} />;
    case 'CATEGORY':
      return event.category ? <CategoryBadge category={event.category} /> : <Nothing />;
    case 'ACTOR':
      return <ActorCell actor={event.actor} erased={below(event.erased, 'actor')} />;
    case 'RESOURCE':
      return <ResourceCell resources={event.resources} erased={below(event.erased, 'resources')} />;
    case 'IP_ADDRESS':
      return event.ipAddress ? <Code text={event.ipAddress} /> : <ErasedOrNothing event={event} field="ipAddress" />;
    case 'OUTCOME':
      return event.outcome ? <OutcomeWord outcome={event.outcome} /> : <Nothing />;
    case 'DETAILS':
      return below(event.erased, 'metadata').length > 0 ? (
        <ErasedOrNothing event={event} field="metadata" />
      ) : (
        <Summary metadataText={event.metadataText} />
      );
    case 'LOG':
      return <LogCell log={event.log} />;
  }
}

/** A value that was not recorded: a dash to the eye, a word to a screen reader. */
function Nothing() {
  const { texts } = useLog();
  return (
    <span class="nothing">
      <span aria-hidden="true">–</span>
      <span class="unseen">{texts.noValue}</span>
    </span>
  );
}

function ErasedOrNothing({ event, field }: { event: AuditEvent; field: string }) {
  const paths = below(event.erased, field);
  return paths.length > 0 ? <Erased paths={paths} /> : <Nothing />;
}

function Code({ text }: { text: string }) {
  return (
    <code>
      <Marked text={text} />
    </code>
  );
}

/** The time of day: the date stands above, and everything else in the tooltip. */
function Time({ iso }: { iso: string }) {
  const { format, now } = useLog();
  const told = [format.instant(iso), format.utc(iso), format.relative(iso, now)].join('\n');
  return (
    <time dateTime={iso} title={told}>
      <bdi>{format.time(iso)}</bdi>
    </time>
  );
}

function ActionCell({ event }: { event: AuditEvent }) {
  const { session } = useLog();
  const byName = session.viewer.product.actionDisplay === 'NAME';
  return (
    <span class="main" title={spelled(event.action)}>
      {byName ? <Code text={event.action} /> : <Marked text={event.actionLabel} />}
    </span>
  );
}

export function CategoryBadge({ category }: { category: NonNullable<AuditEvent['category']> }) {
  return (
    <span class="badge" title={spelled(category.label)}>
      <Marked text={category.shortLabel} />
    </span>
  );
}

/** An outcome as a value of its own column. */
function OutcomeWord({ outcome }: { outcome: NonNullable<AuditEvent['outcome']> }) {
  return <span class={`outcome-${outcome.toLowerCase()}`}>{outcomeName(useLog(), outcome)}</span>;
}

/** What was not a success, said before what was tried: nobody reads "Logged in" of somebody who was turned away. */
export function OutcomeMark({ outcome }: { outcome: AuditEvent['outcome'] }) {
  const { texts } = useLog();
  if (outcome !== 'FAILURE' && outcome !== 'ACCEPTED') return null;
  return (
    <span class={`mark-${outcome.toLowerCase()}`}>
      <span class="dot" aria-hidden="true" />
      {outcome === 'FAILURE' ? texts.failed : texts.accepted}
    </span>
  );
}

/** Who it was: the name, else the address, else the id, else what the product calls such an actor. */
export function actorTitle(actor: Actor): string {
  return actor.name ?? actor.email ?? actor.externalId ?? actor.label;
}

function ActorCell({ actor, erased }: { actor: Actor; erased: readonly string[] }) {
  const log = useLog();
  const title = actorTitle(actor);
  const badge = actorBadge(log, actor, title);
  const told = [title, actor.email !== title && actor.email].filter(Boolean).join('\n');
  return (
    <span class="main" title={spelled(told)}>
      <Avatar actor={actor} title={title} />
      <Marked text={title} />
      {badge && (
        <span class="badge kind">
          <bdi>{badge}</bdi>
        </span>
      )}
      <Erased paths={erased} />
    </span>
  );
}

/** People are round, machines are not. */
function Avatar({ actor, title }: { actor: Actor; title: string }) {
  const { config } = useLog();
  const words = seen(title).match(/[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu) ?? [];
  const first = (word: string | undefined) => (word ? [...word][0]! : '');
  const initials =
    actor.kind === 'ANONYMOUS' ? '?' : (first(words[0]) + first(words[1])).toLocaleUpperCase(config.locale);
  const isPerson = actor.kind === 'USER' || actor.kind === 'STAFF' || actor.kind === 'ANONYMOUS';
  return (
    <span class={isPerson ? 'avatar' : 'avatar machine'} aria-hidden="true">
      {initials || '?'}
    </span>
  );
}

function ResourceCell({ resources, erased }: { resources: readonly Resource[]; erased: readonly string[] }) {
  const { texts, format } = useLog();
  const [first, ...others] = resources;
  if (!first) return <Nothing />;
  const title = resourceTitle(first);
  const told = resources.map(({ type, name, externalId }) => [name, type, externalId].filter(Boolean).join(' · '));
  return (
    <span class="main" title={spelled(told.join('\n'))}>
      {title ? <Marked text={title} /> : <Nothing />}
      {first.type && first.type !== title && (
        <span class="type">
          <Marked text={first.type} />
        </span>
      )}
      {others.length > 0 && (
        <span class="badge">
          <bdi>{texts.more(format.count(others.length))}</bdi>
        </span>
      )}
      <Erased paths={erased} />
    </span>
  );
}

export const resourceTitle = ({ name, externalId, type }: Resource): string => name ?? externalId ?? type ?? '';

/** The nested log. The organization's own, and one whose reference was cleared, need no word in every row. */
function LogCell({ log }: { log: AuditEvent['log'] }) {
  const { session, texts } = useLog();
  const [top, ...nested] = session.viewer.product.levels;
  if (!log || log.level === top!.name) return <Nothing />;
  const name = log.name ?? log.externalId;
  return (
    <span class="main">
      <Marked text={log.deletedAt ? texts.deletedLog(name) : name} />
      {nested.length > 1 && (
        <span class="type">{nested.find((level) => level.name === log.level)?.label ?? log.level}</span>
      )}
    </span>
  );
}

function Summary({ metadataText }: { metadataText: string }) {
  const summary = useMemo(() => summarise(readJson(metadataText)), [metadataText]);
  return summary ? (
    <span class="main summary" title={spelled(summary)}>
      <Marked text={summary} />
    </span>
  ) : (
    <Nothing />
  );
}
