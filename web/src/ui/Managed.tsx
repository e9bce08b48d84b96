// What stands in the heading for those who manage the log, or may take it with them.
import { useEffect, useState } from 'preact/hooks';
import { exportsQuery, type ExportFormat } from '../api/exports.ts';
import { Fault } from '../api/fault.ts';
import { retentionQuery } from '../api/later.ts';
import { usePart } from './context.ts';
import { ExportPanel } from './Export.tsx';
import { MenuButton } from './MenuButton.tsx';

const formats: readonly ExportFormat[] = ['CSV', 'NDJSON'];

/**
 * Offered where the list can be exported: a scope alone does not say it, since a product need not offer exports, and a token
 * of the service itself makes none. Asking for those that there are needs what making one needs.
 */
export function ExportMenu({ total }: { total: number | null }) {
  const { texts, config } = usePart();
  const [isAllowed, setAllowed] = useState(false);
  useEffect(() => {
    setAllowed(false);
    const asked = new AbortController();
    config.client.ask(exportsQuery, { organization: config.organization }, asked.signal).then(
      ({ auditExports }) => setAllowed(auditExports !== null),
      // What may pass is no refusal, and the button says itself what is wrong.
      (error) => asked.signal.aborted || setAllowed(error instanceof Fault && error.mayPass),
    );
    return () => asked.abort();
  }, [config]);
  if (!isAllowed) return null;
  return (
    <MenuButton
      label={
        <>
          {texts.export}
          <span class="caret" aria-hidden="true" />
        </>
      }
      panelName={texts.export}
      panelClass="export-panel"
    >
      {() => <ExportPanel total={total} formats={formats} />}
    </MenuButton>
  );
}

/** For how long events are kept, for those who may know: nobody else is told something that may be wrong. */
export function Retention() {
  const { config, texts, format } = usePart();
  const [days, setDays] = useState<number | null | undefined>(undefined);
  useEffect(() => {
    const asked = new AbortController();
    config.client.ask(retentionQuery, { organization: config.organization }, asked.signal).then(
      ({ auditRetention }) => setDays(auditRetention?.levels[0]?.days),
      () => setDays(undefined),
    );
    return () => asked.abort();
  }, [config]);
  if (days === undefined) return null;
  return (
    <span>
      <bdi>{days === null ? texts.keptForever : texts.keptFor(format.count(days))}</bdi>
    </span>
  );
}
