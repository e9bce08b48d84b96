import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Actor, AuditEvent } from '../api/documents.ts';
import { eventQuery } from '../api/later.ts';
import { readChanges } from '../json/changes.ts';
import { eventJson } from '../json/event.ts';
import { readJson } from '../json/tree.ts';
import { dayOf } from '../time/zone.ts';
import { spelled } from '../words/visible.ts';
import { emptyView, exactly, refine, type ListKey } from '../view/view.ts';
import { actorTitle, CategoryBadge, OutcomeMark, resourceTitle } from './Cell.tsx';
import { Changes } from './Changes.tsx';
import { usePart } from './context.ts';
import { CopyButton } from './CopyButton.tsx';
import { below, Erased } from './Erased.tsx';
import { JsonTree } from './JsonTree.tsx';
import { Marked } from './Marked.tsx';
import { actorBadge, logName, outcomeName } from './names.ts';
import { asCurl, asGraphql } from './requests.ts';
import { readResourceLinks, resourceHref } from '../view/links.ts';
import { ActorCard, RelatedEvents } from './parts.ts';
import { Opening } from './Opening.tsx';
import { Value } from './Value.tsx';

/** Everything that is recorded about one event: what was changed first, the raw record last. */
export function Details({ event }: { event: AuditEvent }) {
  const log = usePart();
  const { texts, format, config, now, zone, view } = log;
  const { fields } = texts;
  const metadata = useMemo(() => readJson(event.metadataText), [event.metadataText]);
  const { changes, rest } = useMemo(() => readChanges(metadata), [metadata]);
  const isEmpty = metadata.kind === 'object' && metadata.entries.length === 0;

  // Paths below a field's own count too: the mark stands beside the whole value.
  const marksOf = (field: string): Marks => ({
    cut: below(event.truncated, field),
    masked: below(event.masked, field),
    erased: below(event.erased, field),
  });
  const isToldOf = (field: keyof AuditEvent & string) => {
    const { masked, erased } = marksOf(field);
    return Boolean(event[field]) || masked.length > 0 || erased.length > 0;
  };
  const text = (field: 'source' | 'sourceEventId' | 'correlationId' | 'ipAddress', filter: ListKey, code = true) =>
    isToldOf(field) && (
      <Field name={fields[field]} marks={marksOf(field)}>
        {event[field] && <Value text={event[field]} filter={filter} code={code} />}
      </Field>
    );

  const day = dayOf(Date.parse(event.occurredAt), zone);
  const today = dayOf(now, zone);
  const resource = event.resources[0] ? resourceTitle(event.resources[0]) : null;
  const permalink = config.history.link({ ...emptyView, log: view.log, event: event.id });
  const asked = { id: event.id };
  const [Title, Part] = config.standalone ? (['h2', 'h3'] as const) : (['h3', 'h4'] as const);

  return (
    <div class="details" part="details">
      <header>
        <Title>
          <OutcomeMark outcome={event.outcome} />{' '}
          <Marked text={texts.sentence(actorTitle(event.actor), event.actionLabel, resource)} />
        </Title>
        <p class="when">
          <bdi>{format.dayWord(day, today) ?? format.day(day)}</bdi>, <bdi>{format.exactTime(event.occurredAt)}</bdi> ·{' '}
          <bdi>{zone}</bdi> · <bdi>{format.relative(event.occurredAt, now)}</bdi>
          {event.category && <CategoryBadge category={event.category} />}
          {event.held && (
            <span class="badge" title={texts.heldMeans}>
              <bdi>{texts.held}</bdi>
            </span>
          )}
        </p>
      </header>

      {changes.length > 0 && (
        <section>
          <Part>
            {texts.changes} <MarksOf {...marksOf('metadata')} />
          </Part>
          <Changes changes={changes} />
        </section>
      )}

      <section>
        <Part>{texts.whoAndWhere}</Part>
        <dl>
          <Field name={fields.action}>
            <Value text={event.actionLabel} filter="action" value={exactly(event.action)} />
            {event.actionLabel !== event.action && (
              <code>
                <Marked text={event.action} />
              </code>
            )}
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
          <Field name={fields.actor} marks={marksOf('actor')}>
            <ActorValue actor={event.actor} filtered />
          </Field>
          {isToldOf('onBehalfOf') && (
            <Field name={fields.onBehalfOf} marks={marksOf('onBehalfOf')}>
              {event.onBehalfOf && <ActorValue actor={event.onBehalfOf} />}
            </Field>
          )}
          {event.resources.length > 0 && (
            <Field name={fields.resources} marks={marksOf('resources')}>
              <ul>
                {event.resources.map((one, index) => (
                  <li key={index}>
                    {one.name && <Value text={one.name} filter="resourceName" />}
                    {one.type && <Value text={one.type} filter="resourceType" />}
                    {one.externalId && <Value text={one.externalId} filter="resourceId" code />}
                    <HostPage of={one} />
                  </li>
                ))}
              </ul>
            </Field>
          )}
          {event.log && (
            <Field name={fields.log} marks={marksOf('log')}>
              <LogValue of={event.log} />
            </Field>
          )}
          {text('ipAddress', 'ip')}
          {isToldOf('userAgent') && (
            <Field name={fields.userAgent} marks={marksOf('userAgent')}>
              {event.userAgent && <Marked text={event.userAgent} />}
            </Field>
          )}
          {text('correlationId', 'correlationId')}
          {text('source', 'source', false)}
          {text('sourceEventId', 'sourceEventId')}
        </dl>
        {isSomebody(event.actor) && (
          <Opening key={event.id} class="about" label={texts.aboutActor}>
            {() => <ActorCard actor={event.actor} />}
          </Opening>
        )}
      </section>

      <section class="metadata" aria-label={texts.metadata}>
        {(changes.length === 0 || rest.length > 0) && (
          <>
            <Part>
              {texts.metadata} <MarksOf {...marksOf('metadata')} />
            </Part>
            {isEmpty ? <p class="nothing">{texts.noMetadata}</p> : <JsonTree node={metadata} label={texts.metadata} />}
          </>
        )}
      </section>

      {event.correlationId && (
        <section>
          <Opening key={event.id} class="related" label={texts.relatedEvents}>
            {() => <RelatedEvents event={event} />}
          </Opening>
        </section>
      )}

      <section>
        <Part>{texts.record}</Part>
        <dl>
          <Field name={fields.id}>
            <Value text={event.id} code />
          </Field>
          <Field name={fields.sequence}>
            <Value text={event.sequence} code />
          </Field>
          <Field name={fields.occurredAt}>
            <Moment iso={event.occurredAt} />
          </Field>
          <Field name={fields.recordedAt}>
            <Moment iso={event.recordedAt} />
            <Lateness event={event} />
          </Field>
          <Field name={fields.recordedBy} marks={marksOf('recordedBy')}>
            <Marked text={event.recordedBy} />
          </Field>
        </dl>
      </section>

      <div class="actions">
        {permalink !== null && <CopyButton label={texts.copyLink} text={() => permalink} />}
        <CopyButton label={texts.copyJson} text={() => eventJson(event)} />
        <CopyButton label={texts.copyCurl} text={() => asCurl(config.client.address, String(eventQuery), asked)} />
        <CopyButton label={texts.copyGraphql} text={() => asGraphql(String(eventQuery), asked)} />
      </div>
      <details class="raw">
        <summary>{texts.raw}</summary>
        <pre tabIndex={0}>
          <Marked text={eventJson(event)} />
        </pre>
      </details>
    </div>
  );
}

const isSomebody = ({ externalId, email, name }: Actor): boolean => Boolean(externalId ?? email ?? name);

/** The host's own page of a resource, where it says that there is one. */
function HostPage({ of }: { of: AuditEvent['resources'][number] }) {
  const { texts, config } = usePart();
  const href = resourceHref(readResourceLinks(config.resourceLinks), of);
  if (href === null) return null;
  return (
    <a
      class="host-page"
      href={href}
      rel="noopener"
      target="_blank"
      aria-label={texts.openResource(spelled(resourceTitle(of)))}
    >
      <span aria-hidden="true">↗</span>
    </a>
  );
}

interface Marks {
  cut: string[];
  masked: string[];
  erased: string[];
}

function Field({ name, marks, children }: { name: string; marks?: Marks; children: ComponentChildren }) {
  return (
    <div class="field-row">
      <dt>{name}</dt>
      <dd>
        {children}
        {marks && <MarksOf {...marks} />}
      </dd>
    </div>
  );
}

/** Says that a value is not as it was sent, that the product does not want it stored, or that it was erased. */
function MarksOf({ cut, masked, erased }: Marks) {
  const { texts } = usePart();
  return (
    <>
      {cut.length > 0 && (
        <span class="cut" title={texts.cutMeans(cut.join(', '))}>
          {texts.cut}
        </span>
      )}
      {masked.length > 0 && (
        <span class="cut" title={texts.maskedMeans(masked.join(', '))}>
          {texts.masked}
        </span>
      )}
      <Erased paths={erased} />
    </>
  );
}

function Moment({ iso }: { iso: string }) {
  const { format } = usePart();
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

/** How long after it happened it was recorded, where that can be told. */
function Lateness({ event }: { event: AuditEvent }) {
  const { texts, format } = usePart();
  const ms = Date.parse(event.recordedAt) - Date.parse(event.occurredAt);
  if (ms <= 0) return null;
  const time = ms < 60_000 ? format.seconds(ms) : format.duration(ms);
  return (
    <span class="aside">
      <bdi>{texts.later(time)}</bdi>
    </span>
  );
}

function LogValue({ of }: { of: NonNullable<AuditEvent['log']> }) {
  const log = usePart();
  const ref = { level: of.level, id: of.externalId };
  const name = logName(log, { ...of, ...ref });
  return (
    <button
      type="button"
      class="value"
      title={log.texts.filterByThis}
      onClick={() => log.change(refine(log.view, { log: ref }))}
    >
      <Marked text={name} />
    </button>
  );
}

function ActorValue({ actor, filtered }: { actor: Actor; filtered?: boolean }) {
  const log = usePart();
  const title = actorTitle(actor);
  const badge = actorBadge(log, actor, title);
  const by = (key: ListKey) => (filtered ? { filter: key } : {});
  return (
    <>
      {title !== actor.email && title !== actor.externalId && (
        <Value text={title} {...(actor.name === null ? {} : by('actorName'))} />
      )}
      {actor.email && <Value text={actor.email} {...by('email')} />}
      {actor.externalId && <Value text={actor.externalId} {...by('actorId')} code />}
      {badge && <span class="badge kind">{badge}</span>}
    </>
  );
}
