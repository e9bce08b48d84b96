import { useEffect, useState } from 'preact/hooks';
import type { AuditEvent } from '../api/documents.ts';
import { eventQuery } from '../api/later.ts';
import { Fault } from '../api/fault.ts';
import { usePart } from './context.ts';
import { Details } from './Details.tsx';
import { useRetry } from './retry.ts';
import { FaultState } from './states.tsx';

/** The event of a link when it does not stand on the page in sight. */
export function LinkedEvent({ id }: { id: string }) {
  const { config, texts, format, view, change } = usePart();
  const [event, setEvent] = useState<AuditEvent | Fault | 'missing' | 'expired' | null>(null);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => setEvent(null), [config, id]);
  useEffect(() => {
    const asked = new AbortController();
    config.client.ask(eventQuery, { id }, asked.signal).then(
      (answer) => setEvent(answer.auditEvent ?? 'missing'),
      (error) => {
        if (asked.signal.aborted) return;
        const fault = error instanceof Fault ? error : new Fault('server', String(error));
        if (fault.code === 'EXPIRED') return setEvent('expired');
        // Only the server's no says that it is not there.
        const isNo = ['forbidden', 'plan', 'missing', 'input'].includes(fault.kind);
        setEvent(isNo ? 'missing' : fault);
      },
    );
    return () => asked.abort();
  }, [config, id, attempt]);
  const retry = () => setAttempt((count) => count + 1);
  const seconds = useRetry(event instanceof Fault ? event : null, retry);

  if (event === null) return null;
  return (
    <section class="linked" aria-label={texts.linkedEvent}>
      <div class="linked-heading">
        <p class="aside">{texts.linkedEvent}</p>
        <button
          type="button"
          class="icon"
          aria-label={texts.closeDetails}
          title={texts.closeDetails}
          onClick={() => change({ ...view, event: null })}
        >
          <span aria-hidden="true">×</span>
        </button>
      </div>
      {event === 'missing' || event === 'expired' ? (
        <p>{event === 'missing' ? texts.linkedEventMissing : texts.linkedEventExpired}</p>
      ) : event instanceof Fault ? (
        <FaultState
          texts={texts}
          fault={event}
          retryIn={seconds ? format.seconds(seconds * 1000) : null}
          onRetry={retry}
        />
      ) : (
        <Details event={event} />
      )}
    </section>
  );
}
