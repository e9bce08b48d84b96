import { useEffect, useState } from 'preact/hooks';
import { eventQuery, type AuditEvent } from '../api/documents.ts';
import { useLog } from './context.ts';
import { Details } from './Details.tsx';

/** The event of a link when it does not stand on the page in sight: shown by itself above the list. */
export function LinkedEvent({ id }: { id: string }) {
  const { config, texts, view, change } = useLog();
  const [event, setEvent] = useState<AuditEvent | 'missing' | null>(null);
  useEffect(() => {
    const asked = new AbortController();
    setEvent(null);
    config.client.ask(eventQuery, { id }, asked.signal).then(
      (answer) => setEvent(answer.auditEvent ?? 'missing'),
      () => asked.signal.aborted || setEvent('missing'),
    );
    return () => asked.abort();
  }, [config, id]);

  if (event === null) return null;
  return (
    <section class="linked" aria-label={texts.linkedEvent}>
      <div class="linked-heading">
        <h2>{texts.linkedEvent}</h2>
        <button type="button" class="button" onClick={() => change({ ...view, event: null })}>
          {texts.closeDetails}
        </button>
      </div>
      {event === 'missing' ? <p>{texts.linkedEventMissing}</p> : <Details event={event} />}
    </section>
  );
}
