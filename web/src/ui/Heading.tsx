import { useEffect, useState } from 'preact/hooks';
import { exportsQuery, retentionQuery, type Column } from '../api/documents.ts';
import type { ExportFormat } from '../api/exports.ts';
import { Fault } from '../api/fault.ts';
import type { ListState } from '../log/model.ts';
import { ownLog } from '../view/shown.ts';
import { spelled } from '../words/visible.ts';
import { useLog } from './context.ts';
import { MenuButton } from './MenuButton.tsx';
import { ExportPanel, MorePanel } from './parts.ts';
import type { Preferences } from './preferences.ts';

const formats: readonly ExportFormat[] = ['CSV', 'NDJSON'];

interface Props {
  state: ListState | null;
  columns: readonly Column[];
  preferences: Preferences;
  onPreferences: (change: Partial<Preferences>) => void;
  isPaused: boolean;
  onPause: (paused: boolean) => void;
  onKeys: () => void;
}

/** Whose log it is and how long it is kept, and what can be done with the whole of it. */
export function Heading(props: Props) {
  const { texts, title, config, session } = useLog();
  const { viewer } = session;
  const Title = config.standalone ? 'h1' : 'h2';
  const own = ownLog(viewer);
  const organization = config.organization ?? viewer.organization;
  const named = viewer.logs.find(({ level, externalId }) => level === own?.level && externalId === own?.id)?.name;
  const retention = useRetention();
  const mayExport = useExports();
  return (
    <header class="heading" part="heading">
      <Title>{title}</Title>
      <p>
        <span>
          <bdi>{viewer.product.label}</bdi>
        </span>
        <span title={organization ?? undefined}>
          <bdi>{spelled(named ?? organization ?? '')}</bdi>
        </span>
        {retention && (
          <span>
            <bdi>{retention}</bdi>
          </span>
        )}
      </p>
      <div class="heading-actions">
        <LiveButton {...props} />
        {mayExport && (
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
            {() => <ExportPanel total={props.state?.total ?? null} formats={formats} />}
          </MenuButton>
        )}
        <MoreMenu {...props} />
      </div>
    </header>
  );
}

/** Whether new events come into the list by themselves; at a press they wait, or come again. */
function LiveButton({ state, isPaused, onPause }: Props) {
  const { texts } = useLog();
  const isLost = state?.isLive === false;
  const kind = isPaused ? 'paused' : isLost ? 'lost' : 'on';
  return (
    <button
      type="button"
      class={`live ${kind}`}
      aria-pressed={!isPaused}
      title={isPaused ? texts.resumeLive : texts.pauseLive}
      onClick={() => onPause(!isPaused)}
    >
      <span class="dot" aria-hidden="true" />
      <span class="live-word">{isPaused ? texts.livePaused : isLost ? texts.liveLost : texts.live}</span>
    </button>
  );
}

function MoreMenu(props: Props) {
  const { texts } = useLog();
  return (
    <MenuButton
      class="icon"
      label={<span aria-hidden="true">⋯</span>}
      name={texts.moreActions}
      panelName={texts.moreActions}
      panelClass="more-panel"
    >
      {(close) => <MorePanel {...props} onClose={close} />}
    </MenuButton>
  );
}

/**
 * Whether the list can be exported: a scope alone does not say it, since a product need not offer exports, and a token of
 * the service itself makes none. Asking for those that there are needs what making one needs.
 */
function useExports(): boolean {
  const { config, session } = useLog();
  const { scopes } = session.viewer;
  const [isAllowed, setAllowed] = useState(false);
  const mayAsk = scopes.includes('audit:export') || scopes.includes('audit:manage');
  useEffect(() => {
    setAllowed(false);
    if (!mayAsk) return;
    const asked = new AbortController();
    config.client.ask(exportsQuery, { organization: config.organization }, asked.signal).then(
      ({ auditExports }) => setAllowed(auditExports !== null),
      // What may pass is no refusal, and the button says itself what is wrong.
      (error) => asked.signal.aborted || setAllowed(error instanceof Fault && error.mayPass),
    );
    return () => asked.abort();
  }, [config, mayAsk]);
  return isAllowed;
}

/** For how long events are kept, for those who may know: nobody else is told something that may be wrong. */
function useRetention(): string | null {
  const { config, session, texts, format } = useLog();
  const [days, setDays] = useState<number | null | undefined>(undefined);
  const mayAsk = session.viewer.scopes.includes('audit:manage');
  useEffect(() => {
    if (!mayAsk) return;
    const asked = new AbortController();
    config.client.ask(retentionQuery, { organization: config.organization }, asked.signal).then(
      ({ auditRetention }) => setDays(auditRetention?.levels[0]?.days),
      () => setDays(undefined),
    );
    return () => asked.abort();
  }, [config, mayAsk]);
  return days === undefined ? null : days === null ? texts.keptForever : texts.keptFor(format.count(days));
}
