import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { pageQuery, type AuditEvent } from '../api/documents.ts';
import { Fault } from '../api/fault.ts';
import { pollDelay } from '../api/retry.ts';
import type { Session } from '../log/session.ts';
import type { Texts } from '../texts.ts';
import { createFormat } from '../time/format.ts';
import { asked } from '../view/locked.ts';
import { questionFor } from '../view/request.ts';
import { emptyView } from '../view/view.ts';
import { actorTitle, OutcomeMark } from './Cell.tsx';
import { Log, type Config, type LogContext } from './context.ts';
import { Marked } from './Marked.tsx';
import { useNow } from './now.ts';
import { useRetry } from './retry.ts';
import { FaultState, Message } from './states.tsx';
import { RecentPlace } from './places.tsx';

interface Props {
  config: Config;
  session: Session;
  texts: Texts;
  /** The list was refused: asks what the token may do, and answers whether the log is still open. */
  askGate: () => Promise<boolean>;
}

/** The newest events as a short list, for a dashboard: who did what to what, and when. */
export function Recent({ config, session, texts, askGate }: Props) {
  const { events, fault, reload } = useNewest(config, askGate);
  const now = useNow(30_000);
  const format = useMemo(() => createFormat(config.locale, config.zone), [config]);
  const title = session.viewer.product.title ?? texts.title;
  const context: LogContext = {
    config,
    session,
    texts,
    title,
    format,
    view: emptyView,
    asked: emptyView,
    zone: config.zone,
    marker: null,
    now,
    // There are no controls that could change anything.
    change: () => {},
    toggleFilter: () => {},
    exclude: () => {},
    clear: () => {},
    announce: () => {},
  };
  if (fault && !events) return <FaultState texts={texts} fault={fault} onRetry={reload} />;
  if (!events) return <RecentPlace texts={texts} rows={config.pageSize} />;
  if (events.length === 0) return <Message title={texts.emptyTitle} text={texts.emptyText} />;
  return (
    <Log.Provider value={context}>
      <ul class="recent" aria-label={title}>
        {events.map((event) => (
          <li key={event.id}>
            <Entry config={config} event={event} />
            <time
              dateTime={event.occurredAt}
              title={`${format.instant(event.occurredAt)}\n${format.utc(event.occurredAt)}`}
            >
              <bdi>{format.relative(event.occurredAt, now)}</bdi>
            </time>
          </li>
        ))}
      </ul>
    </Log.Provider>
  );
}

function Entry({ config, event }: { config: Config; event: AuditEvent }) {
  const href = config.history.link({ ...emptyView, event: event.id });
  const [resource] = event.resources;
  const name = resource?.name ?? resource?.externalId;
  const what = (
    <>
      <strong>
        <Marked text={actorTitle(event.actor)} />
      </strong>{' '}
      <Marked text={event.actionLabel} />
      {name && (
        <>
          {' '}
          <span class="aside">
            <Marked text={name} />
          </span>
        </>
      )}
      {event.outcome && event.outcome !== 'SUCCESS' && (
        <>
          {' '}
          <OutcomeMark outcome={event.outcome} />
        </>
      )}
    </>
  );
  if (href === null) return <span class="entry">{what}</span>;
  return (
    <a
      class="entry"
      href={href}
      onClick={(click) => {
        const isPlain = click.button === 0 && !click.ctrlKey && !click.metaKey && !click.shiftKey && !click.altKey;
        // A host that routes by itself keeps the page.
        if (isPlain && !config.emit('ledgerline-open', { id: event.id, href })) click.preventDefault();
      }}
    >
      {what}
    </a>
  );
}

/** The newest events, asked for again and again while the page is in sight. */
function useNewest(config: Config, askGate: Props['askGate']) {
  const [events, setEvents] = useState<readonly AuditEvent[] | null>(null);
  const [fault, setFault] = useState<Fault | null>(null);
  const [attempt, setAttempt] = useState(0);
  const failures = useRef(0);
  useEffect(() => setEvents(null), [config]);
  useEffect(() => {
    const stopped = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    const view = asked(config.history.read(), config.locked);
    const look = async () => {
      if (document.visibilityState === 'visible') {
        try {
          // Asked anew each time: a range that ends now moves along.
          const question = questionFor(view, config.organization, config.zone, Date.now());
          const variables = { ...question, first: config.pageSize, counts: false };
          const { auditEvents } = await config.client.ask(pageQuery, variables, stopped.signal);
          if (stopped.signal.aborted) return;
          if (!auditEvents) throw new Fault('server', 'auditEvents is null');
          setEvents(auditEvents.edges.map(({ node }) => node));
          setFault(null);
          failures.current = 0;
        } catch (error) {
          if (stopped.signal.aborted) return;
          const found = error instanceof Fault ? error : new Fault('server', String(error));
          setFault(found);
          failures.current += 1;
          // Nothing is shown of a log that can no longer be read; the gate knows why it cannot.
          if (found.isRefusal) {
            setEvents(null);
            if (!(await askGate())) return;
          }
        }
      }
      timer = setTimeout(() => void look(), pollDelay(config.pollSeconds, failures.current));
    };
    void look();
    return () => {
      stopped.abort();
      clearTimeout(timer);
    };
  }, [config, attempt]);
  const reload = () => setAttempt((count) => count + 1);
  useRetry(events ? null : fault, reload);
  return { events, fault, reload };
}
