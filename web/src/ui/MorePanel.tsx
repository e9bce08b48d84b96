import { useState } from 'preact/hooks';
import { alertsQuery } from '../api/alerts.ts';
import { pageQuery, type Column } from '../api/documents.ts';
import { Fault } from '../api/fault.ts';
import { viewsQuery } from '../api/views.ts';
import { loader } from '../load.ts';
import { questionFor } from '../view/request.ts';
import { usePart } from './context.ts';
import { CopyButton } from './CopyButton.tsx';
import { lazy } from './lazy.tsx';
import type { Preferences } from './preferences.ts';
import { asCurl, asGraphql } from './requests.ts';
import { useAnswer } from './useAnswer.ts';

const ViewsDialog = lazy(
  loader(() => import('./Views.tsx')),
  (module) => module.ViewsDialog,
);
const AlertDialog = lazy(
  loader(() => import('./Alert.tsx')),
  (module) => module.AlertDialog,
);

interface Props {
  columns: readonly Column[];
  preferences: Preferences;
  onPreferences: (change: Partial<Preferences>) => void;
  onKeys: () => void;
  onClose: () => void;
}

/** How the list is shown, views of it that were saved, alerts about it, and what it asks for, for programs. */
export function MorePanel({ columns, preferences, onPreferences, onKeys, onClose }: Props) {
  const { texts, config, session, asked } = usePart();
  const { name } = session.viewer.product;
  const hidden = preferences.hidden[name] ?? [];
  const [dialog, setDialog] = useState<'views' | 'alert' | null>(null);
  const variables = () => ({
    ...questionFor(asked, config.organization, config.zone, Date.now()),
    first: config.pageSize,
  });
  if (dialog === 'views') return <ViewsDialog onClose={onClose} />;
  if (dialog === 'alert') return <AlertDialog onClose={onClose} />;
  return (
    <>
      <label class="option">
        <input
          type="checkbox"
          checked={preferences.compact}
          onChange={(event) => onPreferences({ compact: event.currentTarget.checked })}
        />
        <span>{texts.compact}</span>
      </label>
      <fieldset>
        <legend>{texts.columns}</legend>
        {columns.map(({ kind, label }) => {
          const isShown = !hidden.includes(kind);
          // Somebody who hides the last one could not tell how to get them back.
          const isLast = isShown && hidden.length === columns.length - 1;
          return (
            <label key={kind} class="option">
              <input
                type="checkbox"
                checked={isShown}
                disabled={isLast}
                onChange={() => {
                  const next = isShown ? [...hidden, kind] : hidden.filter((one) => one !== kind);
                  onPreferences({ hidden: { ...preferences.hidden, [name]: next } });
                }}
              />
              <span>{label}</span>
            </label>
          );
        })}
      </fieldset>
      <ViewsOption onChoose={() => setDialog('views')} />
      {session.viewer.scopes.includes('audit:manage') && <AlertOption onChoose={() => setDialog('alert')} />}
      <CopyButton
        class="option"
        label={texts.copyCurl}
        text={() => asCurl(config.client.endpoint, String(pageQuery), variables())}
      />
      <CopyButton class="option" label={texts.copyGraphql} text={() => asGraphql(String(pageQuery), variables())} />
      <button
        type="button"
        class="option"
        onClick={() => {
          onClose();
          onKeys();
        }}
      >
        <span>{texts.keys}</span>
        <kbd>?</kbd>
      </button>
    </>
  );
}

/** Offered to all but those who are refused: a token that the service itself made is no person's, and saves nothing. */
function ViewsOption({ onChoose }: { onChoose: () => void }) {
  const { texts, config } = usePart();
  const { answer } = useAnswer(viewsQuery, { organization: config.organization });
  if (answer instanceof Fault && answer.isRefusal) return null;
  return (
    <button type="button" class="option" aria-haspopup="dialog" onClick={onChoose}>
      <span>{texts.savedViews}</span>
    </button>
  );
}

/**
 * Offered where alerts can be made: a scope alone does not say it, since role, plan and product have a say, and asking for
 * those that there are needs what making one needs.
 */
function AlertOption({ onChoose }: { onChoose: () => void }) {
  const { texts, config } = usePart();
  const { answer } = useAnswer(alertsQuery, { organization: config.organization });
  const isAllowed = answer instanceof Fault ? answer.mayPass : answer !== null && answer.auditAlertRules !== null;
  if (!isAllowed) return null;
  return (
    <button type="button" class="option" aria-haspopup="dialog" onClick={onChoose}>
      <span>{texts.alertMe}</span>
    </button>
  );
}
