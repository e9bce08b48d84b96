import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { Fault } from '../api/fault.ts';
import {
  createViewMutation,
  deleteViewMutation,
  updateViewMutation,
  viewsQuery,
  type SavedView,
  type ViewChanges,
} from '../api/views.ts';
import { nameOf } from '../view/alert.ts';
import { isSameQuestion, savedQuery, savedView } from '../view/saved.ts';
import { spelled } from '../words/visible.ts';
import { summaryOf } from './chosen.ts';
import { usePart, type PartContext } from './context.ts';
import { useAnswer } from './useAnswer.ts';

/** Characters of a name, at most. */
const longest = 100;

/** What the dialog shows: the list, or a form about a view; null is one that is not there yet. */
type Page = 'list' | { edit: SavedView | null } | { remove: SavedView };

/** The views that were saved, to open them, and what can be done with them. */
export function ViewsDialog({ onClose }: { onClose: () => void }) {
  const { texts, config, announce } = usePart();
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const [page, setPage] = useState<Page>('list');
  const [said, setSaid] = useState<string | null>(null);
  const { answer, retry } = useAnswer(viewsQuery, { organization: config.organization });
  const mayShare = answer !== null && !(answer instanceof Fault) && answer.viewer?.canShareSavedViews.allowed === true;

  useEffect(() => dialog.current?.showModal(), []);
  // What the focus stood on goes away with the page before; it goes on where the new one begins.
  const isFirst = useRef(true);
  useEffect(() => {
    if (!isFirst.current) dialog.current?.querySelector<HTMLElement>('[autofocus]')?.focus();
    isFirst.current = false;
  }, [page]);

  const back = (done: string | null) => {
    setSaid(done);
    setPage('list');
    if (done === null) return;
    announce(done);
    retry();
  };
  const title =
    page === 'list'
      ? texts.viewsTitle
      : 'remove' in page
        ? texts.deleteView(spelled(page.remove.label))
        : page.edit
          ? texts.editView(spelled(page.edit.label))
          : texts.saveViewTitle;
  return (
    <dialog
      ref={dialog}
      class="keys alert"
      aria-labelledby={`${id}-title`}
      onClose={onClose}
      // The panel that it stands in would close too early for the focus to find its way back.
      onKeyDown={(event) => event.stopPropagation()}
    >
      <h2 id={`${id}-title`}>{title}</h2>
      {page === 'list' ? (
        <ViewList
          answer={answer}
          said={said}
          onRetry={retry}
          onPage={setPage}
          onClose={() => dialog.current?.close()}
        />
      ) : 'remove' in page ? (
        <Removal view={page.remove} onDone={back} />
      ) : (
        <Form view={page.edit} mayShare={mayShare} onDone={back} onRemove={(view) => setPage({ remove: view })} />
      )}
    </dialog>
  );
}

interface ListProps {
  answer: ReturnType<typeof useAnswer<typeof viewsQuery>>['answer'];
  said: string | null;
  onRetry: () => void;
  onPage: (page: Page) => void;
  onClose: () => void;
}

/** Those that can be opened: the reader's own first, then what others share. */
function ViewList({ answer, said, onRetry, onPage, onClose }: ListProps) {
  const { texts, config, view: shown, change } = usePart();
  const fault = answer instanceof Fault ? answer : null;
  const views = answer === null || answer instanceof Fault ? [] : inOrder(answer.auditSavedViews ?? [], config.locale);
  const open = (view: SavedView) => {
    change(savedView(view.query));
    onClose();
  };
  return (
    <>
      {said !== null && (
        <p class="aside" role="status">
          {spelled(said)}
        </p>
      )}
      {answer === null ? (
        <p class="aside">{texts.loading}</p>
      ) : fault ? (
        <div class="part-failed" role="alert">
          <p>{textOf(texts, fault)}</p>
          <button type="button" class="button" onClick={onRetry}>
            {texts.retry}
          </button>
        </div>
      ) : views.length === 0 ? (
        <p class="aside">{texts.viewsEmpty}</p>
      ) : (
        <ul class="options views" role="list" aria-label={texts.viewsTitle}>
          {views.map((view) => (
            <li key={view.id}>
              <button
                type="button"
                class="option"
                aria-current={isSameQuestion(view.query, shown, config.zone) ? 'true' : undefined}
                onClick={() => open(view)}
              >
                <bdi>{spelled(view.label)}</bdi>
                {view.shared && <span class="aside">{texts.viewShared}</span>}
              </button>
              {(view.mayChange || view.mayDelete) && (
                <button
                  type="button"
                  class="icon"
                  aria-label={
                    view.mayChange ? texts.editView(spelled(view.label)) : texts.deleteView(spelled(view.label))
                  }
                  title={view.mayChange ? texts.editView(spelled(view.label)) : texts.deleteView(spelled(view.label))}
                  onClick={() => onPage(view.mayChange ? { edit: view } : { remove: view })}
                >
                  <span aria-hidden="true">{view.mayChange ? '✎' : '×'}</span>
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
      <div class="actions">
        <button type="button" class="button primary" autofocus onClick={() => onPage({ edit: null })}>
          {texts.saveView}
        </button>
        <button type="button" class="button" onClick={onClose}>
          {texts.close}
        </button>
      </div>
    </>
  );
}

interface FormProps {
  view: SavedView | null;
  mayShare: boolean;
  onDone: (said: string | null) => void;
  onRemove: (view: SavedView) => void;
}

/** Its name, who sees it, and for one that is there whether it is to ask for what the list shows. */
function Form({ view, mayShare, onDone, onRemove }: FormProps) {
  const log = usePart();
  const { texts, config, view: shown } = log;
  const id = useId();
  const [name, setName] = useState(() => view?.label ?? nameFrom(summaryOf(log, shown).join(', ')));
  const [shared, setShared] = useState(view?.shared ?? false);
  const [isReplaced, setReplaced] = useState(false);
  const { fault, isSending, send } = useSending();
  // Whoever shared a view can take it back; nobody else can make it somebody's own.
  const asksWhoSees = view === null ? mayShare : view.isOwn && mayShare;
  const query = savedQuery(shown, config.zone);
  const save = () =>
    send(async () => {
      const { organization, client } = config;
      const label = name.trim();
      if (view === null) {
        await client.ask(createViewMutation, { input: { organization, label, query, shared } });
      } else {
        const changes: ViewChanges = { organization, id: view.id, label };
        if (shared !== view.shared) changes.shared = shared;
        if (isReplaced) changes.query = query;
        await client.ask(updateViewMutation, { input: changes });
      }
      onDone(texts.viewSaved(label));
    });
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      {view === null && (
        <ul class="alert-filters" role="list" aria-label={texts.activeFilters}>
          {summaryOf(log, shown).map((one) => (
            <li key={one} class="chip">
              <bdi>{spelled(one)}</bdi>
            </li>
          ))}
        </ul>
      )}
      <label class="field">
        <span>{texts.alertName}</span>
        <input
          type="text"
          name="name"
          autofocus
          value={name}
          autocomplete="off"
          dir="auto"
          aria-invalid={fault?.field === 'input.label'}
          aria-describedby={fault?.field === 'input.label' ? `${id}-flaw` : undefined}
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      {asksWhoSees && (
        <label class="option">
          <input type="checkbox" checked={shared} onChange={(event) => setShared(event.currentTarget.checked)} />
          <span>{texts.viewShare}</span>
        </label>
      )}
      {view !== null && (
        <label class="option">
          <input type="checkbox" checked={isReplaced} onChange={(event) => setReplaced(event.currentTarget.checked)} />
          <span>{texts.viewReplace}</span>
        </label>
      )}
      {fault && (
        <p id={`${id}-flaw`} class="flaw" role="alert">
          {textOf(texts, fault)}
        </p>
      )}
      <div class="actions">
        {view?.mayDelete && (
          <button type="button" class="button first" onClick={() => onRemove(view)}>
            {texts.viewDelete}
          </button>
        )}
        <button type="submit" class="button primary" aria-disabled={isSending}>
          {texts.viewSave}
        </button>
        <button type="button" class="button" onClick={() => onDone(null)}>
          {texts.cancel}
        </button>
      </div>
    </form>
  );
}

/** Asks before a view goes: there is no way back. */
function Removal({ view, onDone }: { view: SavedView; onDone: (said: string | null) => void }) {
  const { texts, config } = usePart();
  const { fault, isSending, send } = useSending();
  const remove = () =>
    send(async () => {
      await config.client.ask(deleteViewMutation, { input: { organization: config.organization, id: view.id } });
      onDone(texts.viewDeleted(view.label));
    });
  return (
    <>
      <p>{view.shared ? texts.deleteSharedText : texts.deleteViewText}</p>
      {fault && (
        <p class="flaw" role="alert">
          {textOf(texts, fault)}
        </p>
      )}
      <div class="actions">
        <button type="button" class="button primary" aria-disabled={isSending} onClick={() => void remove()}>
          {texts.viewDelete}
        </button>
        <button type="button" class="button" autofocus onClick={() => onDone(null)}>
          {texts.cancel}
        </button>
      </div>
    </>
  );
}

/** One request at a time, and what was wrong with it. */
function useSending() {
  const [fault, setFault] = useState<Fault | null>(null);
  const [isSending, setSending] = useState(false);
  const send = async (work: () => Promise<void>) => {
    if (isSending) return;
    setSending(true);
    setFault(null);
    try {
      await work();
    } catch (error) {
      setFault(error instanceof Fault ? error : new Fault('server', String(error)));
      setSending(false);
    }
  };
  return { fault, isSending, send };
}

function inOrder(views: readonly SavedView[], locale: string): SavedView[] {
  const names = new Intl.Collator(locale, { numeric: true });
  return [...views].sort((a, b) => Number(a.shared) - Number(b.shared) || names.compare(a.label, b.label));
}

/** A name of at most so many characters, as the service counts them. */
function nameFrom(text: string): string {
  return [...nameOf(text)].slice(0, longest).join('').trim();
}

/** What is wrong, in the reader's words. */
function textOf(texts: PartContext['texts'], fault: Fault): string {
  const flaws = texts.viewFlaws;
  if (fault.kind === 'offline') return texts.offlineTitle;
  if (fault.kind === 'busy' || fault.kind === 'unchecked') return texts.busyTitle;
  if (fault.kind === 'unauthenticated') return texts.expiredTitle;
  if (fault.kind === 'missing') return flaws.gone;
  if (fault.isRefusal) return flaws.refused;
  switch (fault.field) {
    case 'input.label':
      return flaws.name;
    case 'input.query':
      return flaws.question;
    case 'input.views':
      return flaws.many;
    default:
      return flaws.other;
  }
}
