import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Actor, AuditEvent } from '../api/documents.ts';
import { readJson } from '../json/tree.ts';
import { exactly, refine, type ListKey } from '../view/view.ts';
import { actorTitle } from './Cell.tsx';
import { copyText } from './clipboard.ts';
import { useLog } from './context.ts';
import { below, Erased } from './Erased.tsx';
import { JsonTree } from './JsonTree.tsx';
import { Marked } from './Marked.tsx';
import { actorBadge, logName, outcomeName } from './names.ts';

const longText = 300;

/** Everything that is recorded about one event, each value a way into the list. */
export function Details({ event }: { event: AuditEvent }) {
  const log = useLog();
  const { texts, format, view, config, now } = log;
  const { fields } = texts;
  const metadata = useMemo(() => readJson(event.metadataText), [event.metadataText]);
  const empty = metadata.kind === 'object' && metadata.entries.length === 0;

  // Paths below a field's own count too: the mark stands beside the whole value.
  const cut = (field: string) => below(event.truncated, field);
  const masked = (field: string) => below(event.masked, field);
  const erased = (field: string) => below(event.erased, field);
  const isErased = (field: string) => erased(field).length > 0;

  const link = config.history.link({ ...view, after: null, before: null, event: event.id });

  return (
    <div class="details">
      <dl>
        <Field name={fields.action}>
          <Value text={event.actionLabel} filter="action" value={exactly(event.action)} />
          {event.actionLabel !== event.action && <code>{event.action}</code>}
        </Field>
        {event.category && (
          <Field name={fields.category}>
            <Value text={event.category.label} filter="category" value={event.category.code} />
          </Field>
        )}
        {event.outcome && (
          <Field name={fields.outcome}>
            <Value text={outcomeName(log, event.outcome)} filter="outcome" value={event.outcome} />
          </Field>
        )}
        <Field name={fields.actor} cut={cut('actor')} erased={erased('actor')}>
          <ActorValue actor={event.actor} filtered />
        </Field>
        {(event.onBehalfOf || isErased('onBehalfOf')) && (
          <Field name={fields.onBehalfOf} cut={cut('onBehalfOf')} erased={erased('onBehalfOf')}>
            {event.onBehalfOf && <ActorValue actor={event.onBehalfOf} />}
          </Field>
        )}
        {event.resources.length > 0 && (
          <Field name={fields.resources} cut={cut('resources')} erased={erased('resources')}>
            <ul>
              {event.resources.map((resource, index) => (
                <li key={index}>
                  {resource.name && <Value text={resource.name} filter="resourceName" />}
                  {resource.type && <Value text={resource.type} filter="resourceType" />}
                  {resource.externalId && <Value text={resource.externalId} filter="resourceId" code />}
                </li>
              ))}
            </ul>
          </Field>
        )}
        {event.log && (
          <Field name={fields.log} cut={cut('log')}>
            <LogValue of={event.log} />
          </Field>
        )}
        <Field name={fields.occurredAt}>
          <Moment iso={event.occurredAt} />
          <bdi class="aside">{format.relative(event.occurredAt, now)}</bdi>
        </Field>
        <Field name={fields.recordedAt}>
          <Moment iso={event.recordedAt} />
        </Field>
        {(event.ipAddress || masked('ipAddress').length > 0 || isErased('ipAddress')) && (
          <Field
            name={fields.ipAddress}
            cut={cut('ipAddress')}
            masked={masked('ipAddress')}
            erased={erased('ipAddress')}
          >
            {event.ipAddress && <Value text={event.ipAddress} filter="ip" code />}
          </Field>
        )}
        {(event.userAgent || isErased('userAgent')) && (
          <Field name={fields.userAgent} cut={cut('userAgent')} erased={erased('userAgent')}>
            {event.userAgent && <Marked text={event.userAgent} />}
          </Field>
        )}
        {(event.correlationId || isErased('correlationId')) && (
          <Field name={fields.correlationId} cut={cut('correlationId')} erased={erased('correlationId')}>
            {event.correlationId && <Value text={event.correlationId} filter="correlationId" code />}
          </Field>
        )}
        {(event.source || isErased('source')) && (
          <Field name={fields.source} cut={cut('source')} erased={erased('source')}>
            {event.source && <Value text={event.source} filter="source" />}
          </Field>
        )}
        {(event.sourceEventId || isErased('sourceEventId')) && (
          <Field name={fields.sourceEventId} cut={cut('sourceEventId')} erased={erased('sourceEventId')}>
            {event.sourceEventId && <Value text={event.sourceEventId} filter="sourceEventId" code />}
          </Field>
        )}
        <Field name={fields.recordedBy} erased={erased('recordedBy')}>
          <bdi>{event.recordedBy}</bdi>
        </Field>
        <Field name={fields.sequence}>
          <code>{event.sequence}</code>
        </Field>
        <Field name={fields.id}>
          <code>{event.id}</code>
        </Field>
      </dl>
      <section class="metadata" aria-label={texts.metadata}>
        <h2>
          {texts.metadata} <Cut paths={cut('metadata')} /> <Masked paths={masked('metadata')} />{' '}
          <Erased paths={erased('metadata')} />
        </h2>
        {empty ? <p class="nothing">{texts.noMetadata}</p> : <JsonTree node={metadata} label={texts.metadata} />}
        <div class="actions">
          <CopyButton label={texts.copyJson} text={() => event.metadataText} />
          {link !== null && <CopyButton label={texts.copyLink} text={() => link} />}
        </div>
      </section>
    </div>
  );
}

/** Says on itself what came of it, for as long as one needs to read that. */
function CopyButton({ label, text }: { label: string; text: () => string }) {
  const { texts, announce } = useLog();
  const [outcome, setOutcome] = useState<string | null>(null);
  useEffect(() => {
    if (outcome === null) return;
    const timer = setTimeout(() => setOutcome(null), 2500);
    return () => clearTimeout(timer);
  }, [outcome]);
  const copy = async () => {
    const said = (await copyText(text())) ? texts.copied : texts.notCopied;
    setOutcome(said);
    announce(said);
  };
  return (
    <button type="button" class="button" onClick={() => void copy()}>
      {outcome ?? label}
    </button>
  );
}

interface FieldProps {
  name: string;
  cut?: string[];
  masked?: string[];
  erased?: string[];
  children: ComponentChildren;
}

function Field({ name, cut, masked, erased, children }: FieldProps) {
  return (
    <div class="field-row">
      <dt>{name}</dt>
      <dd>
        {children}
        {cut && <Cut paths={cut} />}
        {masked && <Masked paths={masked} />}
        {erased && <Erased paths={erased} />}
      </dd>
    </div>
  );
}

/** Says that a value is not as it was sent. */
function Cut({ paths }: { paths: string[] }) {
  const { texts } = useLog();
  if (paths.length === 0) return null;
  return (
    <span class="cut" title={texts.cutMeans(paths.join(', '))}>
      {texts.cut}
    </span>
  );
}

/** Says that the product does not want a value to be stored. */
function Masked({ paths }: { paths: string[] }) {
  const { texts } = useLog();
  if (paths.length === 0) return null;
  return (
    <span class="cut" title={texts.maskedMeans(paths.join(', '))}>
      {texts.masked}
    </span>
  );
}

function Moment({ iso }: { iso: string }) {
  const { format } = useLog();
  return (
    <>
      <time dateTime={iso}>
        <bdi>{format.instant(iso)}</bdi>
      </time>
      <code>
        <bdi>{format.utc(iso)}</bdi>
      </code>
    </>
  );
}

function LogValue({ of }: { of: NonNullable<AuditEvent['log']> }) {
  const log = useLog();
  const ref = { level: of.level, id: of.externalId };
  const name = logName(log, { ...of, ...ref });
  return (
    <span class="value">
      <bdi>{name}</bdi>
      <FilterButton name={name} onClick={() => log.change(refine(log.view, { log: ref }))} />
    </span>
  );
}

function ActorValue({ actor, filtered }: { actor: Actor; filtered?: boolean }) {
  const log = useLog();
  const title = actorTitle(actor);
  const badge = actorBadge(log, actor, title);
  return (
    <>
      {title !== actor.email && title !== actor.externalId && <Marked text={title} />}
      {actor.email && (filtered ? <Value text={actor.email} filter="email" /> : <Marked text={actor.email} />)}
      {actor.externalId &&
        (filtered ? <Value text={actor.externalId} filter="actorId" code /> : <code>{actor.externalId}</code>)}
      {badge && <span class="badge kind">{badge}</span>}
    </>
  );
}

interface ValueProps {
  text: string;
  filter: ListKey;
  /** What is filtered by, where it differs from what is shown. */
  value?: string;
  code?: boolean;
}

function Value({ text, filter, value = text, code }: ValueProps) {
  const { view, toggleFilter } = useLog();
  return (
    <span class="value">
      {code ? (
        // A very long id scrolls in its place, and then the keyboard must be able to reach it.
        <code {...(text.length > longText ? { class: 'long', tabIndex: 0 } : {})}>
          <Marked text={text} />
        </code>
      ) : (
        <Marked text={text} />
      )}
      {!view.lists[filter].includes(value) && <FilterButton name={text} onClick={() => toggleFilter(filter, value)} />}
    </span>
  );
}

function FilterButton({ name, onClick }: { name: string; onClick: () => void }) {
  const { texts } = useLog();
  // A 2,000-character id would be read out whole.
  const shortName = name.length > 60 ? `${name.slice(0, 60)}…` : name;
  return (
    <button
      type="button"
      class="filter-by"
      title={texts.filterByThis}
      aria-label={texts.filterBy(shortName)}
      onClick={onClick}
    >
      <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
        <path
          d="M2 3h12l-4.5 5.5V13l-3-1.5v-3z"
          fill="none"
          stroke="currentColor"
          stroke-width="1.4"
          stroke-linejoin="round"
        />
      </svg>
    </button>
  );
}
