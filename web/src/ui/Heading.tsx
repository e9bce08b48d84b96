import type { Column } from '../api/documents.ts';
import type { ListState } from '../log/model.ts';
import { ownLog } from '../view/shown.ts';
import { spelled } from '../words/visible.ts';
import { useLog } from './context.ts';
import { MenuButton } from './MenuButton.tsx';
import { ExportMenu, MorePanel, Retention } from './parts.ts';
import type { Preferences } from './preferences.ts';

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
  const { title, config, session } = useLog();
  const { viewer } = session;
  const Title = config.standalone ? 'h1' : 'h2';
  const own = ownLog(viewer);
  const organization = config.organization ?? viewer.organization;
  const named = viewer.logs.find(({ level, externalId }) => level === own?.level && externalId === own?.id)?.name;
  const { state } = props;
  // The rows come first.
  const may = (scope: string) => state && state.status !== 'loading' && viewer.scopes.includes(scope);
  const manages = may('audit:manage');
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
        {manages && <Retention />}
      </p>
      <div class="heading-actions">
        <LiveButton {...props} />
        {(manages || may('audit:export')) && <ExportMenu total={state!.total} />}
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
