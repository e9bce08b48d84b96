import { useMemo } from 'preact/hooks';
import type { Actor, AuditEvent, Column, Resource } from '../api/documents.ts';
import { readJson, summarise } from '../json/tree.ts';
import { useLog } from './context.ts';
import { below, Erased } from './Erased.tsx';
import { Marked } from './Marked.tsx';
import { actorBadge, outcomeName } from './names.ts';

/** One column of one event. */
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
      return event.outcome ? <OutcomeBadge outcome={event.outcome} /> : <Nothing />;
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

function Time({ iso }: { iso: string }) {
  const { format, now } = useLog();
  return (
    <time dateTime={iso} title={format.utc(iso)}>
      <span class="main">
        <bdi>{format.instant(iso)}</bdi>
      </span>
      <span class="aside">
        <bdi>{format.relative(iso, now)}</bdi>
      </span>
    </time>
  );
}

function ActionCell({ event }: { event: AuditEvent }) {
  const { session } = useLog();
  if (session.viewer.product.actionDisplay === 'NAME') return <Code text={event.action} />;
  const labelled = event.actionLabel !== event.action;
  return (
    <span title={event.action}>
      <span class="main">
        <Marked text={event.actionLabel} />
      </span>
      {labelled && (
        <code class="aside">
          <Marked text={event.action} />
        </code>
      )}
    </span>
  );
}

export function CategoryBadge({ category }: { category: NonNullable<AuditEvent['category']> }) {
  return (
    <span class="badge" title={category.label}>
      <Marked text={category.shortLabel} />
    </span>
  );
}

export function OutcomeBadge({ outcome }: { outcome: NonNullable<AuditEvent['outcome']> }) {
  return <span class={`badge outcome-${outcome.toLowerCase()}`}>{outcomeName(useLog(), outcome)}</span>;
}

/** Who it was: the name, else the address, else the id, else what the product calls such an actor. */
export function actorTitle(actor: Actor): string {
  return actor.name ?? actor.email ?? actor.externalId ?? actor.label;
}

function ActorCell({ actor, erased }: { actor: Actor; erased: readonly string[] }) {
  const log = useLog();
  const title = actorTitle(actor);
  const badge = actorBadge(log, actor, title);
  const second = actor.email && actor.email !== title ? actor.email : null;
  return (
    <span>
      <span class="main">
        <Marked text={title} />
        {badge && <span class="badge kind">{badge}</span>}
        <Erased paths={erased} />
      </span>
      {second && (
        <span class="aside">
          <Marked text={second} />
        </span>
      )}
    </span>
  );
}

function ResourceCell({ resources, erased }: { resources: readonly Resource[]; erased: readonly string[] }) {
  const { texts } = useLog();
  const [first, ...others] = resources;
  if (!first) return <Nothing />;
  const title = first.name ?? first.externalId ?? first.type ?? '';
  const rest = [first.type, first.externalId].filter((part): part is string => part !== null && part !== title);
  return (
    <span>
      <span class="main">
        {title ? <Marked text={title} /> : <Nothing />}
        {others.length > 0 && <bdi class="badge">{texts.more(others.length)}</bdi>}
        <Erased paths={erased} />
      </span>
      {rest.length > 0 && (
        <span class="aside">
          <Marked text={rest.join(' · ')} />
        </span>
      )}
    </span>
  );
}

/** The nested log. The organization's own, and one whose reference was cleared, need no word in every row. */
function LogCell({ log }: { log: AuditEvent['log'] }) {
  const { session, texts } = useLog();
  const [top, ...nested] = session.viewer.product.levels;
  if (!log || log.level === top!.name) return <Nothing />;
  const name = log.name ?? log.externalId;
  return (
    <span>
      <span class="main">
        <Marked text={log.deletedAt ? texts.deletedLog(name) : name} />
      </span>
      {nested.length > 1 && (
        <span class="aside">{nested.find((level) => level.name === log.level)?.label ?? log.level}</span>
      )}
    </span>
  );
}

function Summary({ metadataText }: { metadataText: string }) {
  const summary = useMemo(() => summarise(readJson(metadataText)), [metadataText]);
  return summary ? (
    <span class="summary">
      <Marked text={summary} />
    </span>
  ) : (
    <Nothing />
  );
}
