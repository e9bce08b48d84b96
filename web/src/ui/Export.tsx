import { useEffect, useState } from 'preact/hooks';
import { createExportMutation, exportQuery, type Export, type ExportFormat } from '../api/exports.ts';
import { Fault } from '../api/fault.ts';
import { questionFor } from '../view/request.ts';
import { usePart } from './context.ts';

const lookEveryMs = 1_000;

/** The events of the list as a file: asked for, watched while it is made, and fetched. */
export function ExportPanel({ total, formats }: { total: number | null; formats: readonly ExportFormat[] }) {
  const { texts, format, config, asked, zone, announce } = usePart();
  const [state, setState] = useState<Export | Fault | 'asked' | null>(null);
  const shown = state instanceof Fault || state === 'asked' ? null : state;
  const isUnfinished = shown?.status === 'QUEUED' || shown?.status === 'RUNNING';

  const begin = async (chosen: ExportFormat) => {
    setState('asked');
    const question = questionFor(asked, config.organization, config.zone, Date.now());
    const input = { ...question, format: chosen, timeZone: zone };
    try {
      const answer = await config.client.ask(createExportMutation, { input });
      setState(answer.createAuditExport?.export ?? new Fault('server', 'createAuditExport is null'));
    } catch (error) {
      setState(faultOf(error));
    }
  };

  // One look at a time; one that fails because the network does is followed by another.
  useEffect(() => {
    if (!shown || !isUnfinished) return;
    const asked = new AbortController();
    const timer = setTimeout(() => {
      config.client.ask(exportQuery, { id: shown.id }, asked.signal).then(
        ({ auditExport }) => setState(auditExport ?? new Fault('missing', 'auditExport is null')),
        (error) => {
          if (asked.signal.aborted) return;
          const fault = faultOf(error);
          setState(fault.mayPass ? { ...shown } : fault);
        },
      );
    }, lookEveryMs);
    return () => {
      clearTimeout(timer);
      asked.abort();
    };
  }, [state]);

  const counted = (text: string) => format.count(Number(text));
  const isDone = shown?.status === 'DONE';
  useEffect(() => {
    if (isDone) announce(texts.exportDone(counted(shown.count)));
  }, [isDone]);
  // Addresses of files are paths below the service's own.
  const address = (path: string) => new URL(path.replace(/^\//, ''), config.client.endpoint).href;

  if (state instanceof Fault || shown?.status === 'FAILED' || shown?.status === 'EXPIRED') {
    const fault = state instanceof Fault ? state : null;
    return (
      <>
        <p role="alert">
          {fault?.kind === 'forbidden'
            ? texts.exportRefused
            : fault?.kind === 'busy'
              ? texts.exportBusy
              : fault?.kind === 'offline'
                ? texts.offlineTitle
                : texts.exportFailed}
        </p>
        <button type="button" class="button" onClick={() => setState(null)}>
          {texts.retry}
        </button>
      </>
    );
  }
  if (isDone) {
    return (
      <>
        <p>{texts.exportDone(counted(shown.count))}</p>
        <div class="actions">
          {shown.downloadUrl && (
            <a class="button primary" href={address(shown.downloadUrl)} download>
              {texts.download}
            </a>
          )}
          {shown.manifestUrl && (
            <a class="button" href={address(shown.manifestUrl)} download>
              {texts.manifest}
            </a>
          )}
        </div>
      </>
    );
  }
  if (state !== null) {
    const [done, all] = [Number(shown?.done ?? 0), Number(shown?.total ?? 0)];
    const told =
      shown?.status === 'RUNNING' ? texts.exportRunning(format.number(done), format.number(all)) : texts.exportQueued;
    return (
      <>
        <p>{told}</p>
        <progress aria-label={told} {...(shown?.status === 'RUNNING' && all > 0 ? { value: done, max: all } : {})} />
      </>
    );
  }
  return (
    <>
      <p class="aside">{texts.exportAsks(total === null ? null : format.count(total))}</p>
      {formats.map((one) => {
        const [name, use] = texts.exportFormats[one as keyof typeof texts.exportFormats] ?? [one, ''];
        return (
          <button key={one} type="button" class="option" onClick={() => void begin(one)}>
            <span>
              {name} <span class="aside">{use}</span>
            </span>
          </button>
        );
      })}
    </>
  );
}

const faultOf = (error: unknown) => (error instanceof Fault ? error : new Fault('server', String(error)));
