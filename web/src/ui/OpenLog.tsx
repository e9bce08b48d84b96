import type { RefObject } from 'preact';
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Fault } from '../api/fault.ts';
import { pollDelay } from '../api/retry.ts';
import { LogModel, newerLimit, type ListState } from '../log/model.ts';
import type { Session } from '../log/session.ts';
import type { Texts } from '../texts.ts';
import { createFormat } from '../time/format.ts';
import { asked, within } from '../view/locked.ts';
import { cleared, everyLog, isFiltered, withList, type View } from '../view/view.ts';
import { markerFor } from '../words/search.ts';
import { Chips } from './Chips.tsx';
import { ChooseLog } from './ChooseLog.tsx';
import { Log, type Config, type LogContext } from './context.ts';
import { EventTable } from './EventTable.tsx';
import { Filters } from './Filters.tsx';
import { Histogram } from './Histogram.tsx';
import { LinkedEvent } from './LinkedEvent.tsx';
import { Pager } from './Pager.tsx';
import { useRetry } from './retry.ts';
import { FaultState, Message, Skeleton } from './states.tsx';

interface Props {
  config: Config;
  session: Session;
  texts: Texts;
  /** The list was refused: asks what the token may do, and answers whether the log is still open. */
  askGate: () => Promise<boolean>;
}

export function OpenLog({ config, session, texts, askGate }: Props) {
  const { product, logChoices } = session.viewer;
  const [chosen, setView] = useState(() => config.history.read());
  // Where one log of several has to be named and one alone is left, there is nothing to choose.
  const only = logChoices.length === 1 ? logChoices[0]! : null;
  const hasChoices = logChoices.length > 0;
  const view = useMemo<View>(() => {
    const own = within(chosen, config.locked);
    // Neither can all of them be had in one list.
    if (!hasChoices || (own.log !== null && own.log !== everyLog)) return own;
    return { ...own, log: only && { level: only.level, id: only.externalId } };
  }, [chosen, config, hasChoices, only?.level, only?.externalId]);
  const question = useMemo(() => asked(view, config.locked), [view, config]);
  const mustChoose = hasChoices && view.log === null;
  const [state, setState] = useState<ListState | null>(null);
  const [message, setMessage] = useState('');
  const now = useNow(30_000);
  const root = useRef<HTMLDivElement>(null);
  const results = useRef<HTMLDivElement>(null);
  useFocusKept(root, results);
  const typing = useRef(false);
  const latest = useRef(view);
  latest.current = view;

  const change = useCallback<LogContext['change']>(
    (next, how = 'step') => {
      config.history.write(next, how === 'typing' && typing.current ? 'correction' : 'step');
      typing.current = how === 'typing';
      setView(next);
    },
    [config],
  );

  const model = useMemo(
    () =>
      new LogModel({
        client: config.client,
        organization: config.organization,
        zone: config.zone,
        pageSize: config.pageSize,
        paged: product.paging === 'PAGES',
        onChange: setState,
        onStaleCursor: () => {
          const first: View = { ...latest.current, after: null, before: null };
          config.history.write(first, 'correction');
          setView(first);
        },
      }),
    [config, product.paging],
  );
  useEffect(() => () => model.stop(), [model]);
  useEffect(() => {
    if (!mustChoose) model.show(question);
  }, [model, question, mustChoose]);
  useEffect(() => config.history.onReturn(setView), [config]);
  useEffect(() => {
    let failures = 0;
    let timer: ReturnType<typeof setTimeout> | null = null;
    const wait = () => (timer = setTimeout(() => void look(), pollDelay(config.pollSeconds, failures)));
    const look = async () => {
      if (document.visibilityState === 'visible') failures = (await model.checkForNew()) ? 0 : failures + 1;
      if (timer !== null) wait();
    };
    wait();
    return () => {
      if (timer !== null) clearTimeout(timer);
      timer = null;
    };
  }, [model, config]);

  useEffect(() => {
    // A page of its own gives the key to the search everywhere; a host may use it for something else.
    const place = config.standalone ? document : root.current!;
    const listen = (event: Event) => focusSearch(event as KeyboardEvent, root.current);
    place.addEventListener('keydown', listen);
    return () => place.removeEventListener('keydown', listen);
  }, [config]);

  const fault = state?.fault ?? null;
  // A refusal is shown once the gate was asked about it: it may know a better reason. Once, and not again and again.
  const [explained, setExplained] = useState<Fault | null>(null);
  useEffect(() => {
    if (!fault?.isRefusal) return;
    let superseded = false;
    void askGate().then((open) => {
      if (open && !superseded) setExplained(fault);
    });
    return () => {
      superseded = true;
    };
  }, [fault]);
  useRetry(fault, () => model.reload());

  const zone = view.zone ?? config.zone;
  const format = useMemo(() => createFormat(config.locale, zone), [config.locale, zone]);
  const marker = useMemo(() => markerFor(view.search), [view.search]);
  const title = product.title ?? texts.title;
  const context: LogContext = {
    config,
    session,
    texts,
    title,
    format,
    view,
    asked: question,
    zone,
    marker,
    now,
    change,
    toggleFilter: (key, value) => {
      const values = view.lists[key];
      change(withList(view, key, values.includes(value) ? values.filter((one) => one !== value) : [...values, value]));
    },
    clear: () => change(logChoices.length > 0 ? { ...cleared(view), log: view.log } : cleared(view)),
    announce: setMessage,
  };

  const settled = state?.status === 'ready' && !fault;
  const total = state?.total ?? null;
  useEffect(() => {
    if (!settled || !state) return;
    const counted = total === null ? '' : texts.results(format.number(total), total === 1);
    setMessage(
      state.rows.length === 0
        ? texts.nothingTitle
        : state.page !== null && state.pages !== null && total !== null
          ? texts.pageOf(format.number(state.page), format.number(state.pages), format.number(total))
          : counted,
    );
  }, [settled, state?.rows, total]);

  const showNewest = () => {
    if (view.after || view.before) change({ ...view, after: null, before: null });
    else model.reload();
  };
  const newer = state?.newer ?? 0;
  const newerText = texts.newEvents(
    newer >= newerLimit ? `${format.number(newerLimit)}+` : format.number(newer),
    newer === 1,
  );
  useEffect(() => {
    if (newer > 0) setMessage(newerText);
  }, [newer]);

  const heading = config.standalone && (
    <header class="heading">
      <h1>{title}</h1>
      <p>
        <span>{product.label}</span>
        <bdi>{config.organization ?? session.viewer.organization}</bdi>
      </p>
    </header>
  );
  const clearButton = (
    <button type="button" class="button" onClick={context.clear}>
      {texts.clearFilters}
    </button>
  );
  const wayOut = (fault: Fault) => {
    if (fault.kind === 'unauthenticated') return null;
    return fault.isRefusal && logChoices.length > 1 ? <ChooseLog /> : clearButton;
  };
  if (mustChoose) {
    return (
      <Log.Provider value={context}>
        <div class="log" ref={root}>
          {heading}
          <Message title={texts.chooseLogTitle} text={texts.chooseLogText}>
            <ChooseLog />
          </Message>
        </div>
      </Log.Provider>
    );
  }
  return (
    <Log.Provider value={context}>
      <div class="log" ref={root}>
        {heading}
        <Filters facets={state?.overview?.facets ?? null} />
        <Chips />
        {product.dateFilter !== 'NONE' && <Histogram days={state?.days ?? []} />}
        {view.event && state && !state.rows.some(({ node }) => node.id === view.event) && state.status === 'ready' && (
          <LinkedEvent id={view.event} />
        )}
        <div class="news">
          {newer > 0 && (
            <button type="button" class="button primary" onClick={showNewest}>
              {newerText} · {texts.showNew}
            </button>
          )}
        </div>
        <p class="unseen" role="status">
          {message}
        </p>
        <div
          ref={results}
          class="results"
          role="region"
          aria-label={title}
          aria-busy={state?.status !== 'ready'}
          tabIndex={-1}
        >
          {state?.status === 'refreshing' && <div class="progress" />}
          {fault?.isRefusal && explained !== fault ? (
            <Skeleton texts={texts} />
          ) : fault ? (
            <FaultState texts={texts} fault={fault} onRetry={() => model.reload()}>
              {wayOut(fault)}
            </FaultState>
          ) : !state || state.status === 'loading' ? (
            <Skeleton texts={texts} />
          ) : state.rows.length > 0 ? (
            <>
              {product.paging === 'MORE' && state.hasPrevious && (
                <button type="button" class="button newer" onClick={() => void model.loadMore('newer')}>
                  {texts.loadNewer}
                </button>
              )}
              <EventTable rows={state.rows} state={state} />
            </>
          ) : isFiltered(logChoices.length > 0 ? { ...view, log: null } : view) ? (
            <Message title={texts.nothingTitle} text={texts.nothingText}>
              {clearButton}
            </Message>
          ) : (
            <Message title={texts.emptyTitle} text={texts.emptyText} />
          )}
        </div>
        {state && <Pager state={state} model={model} />}
      </div>
    </Log.Provider>
  );
}

/** The present moment, often enough for "3 minutes ago" to stay true. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

/**
 * Where a control goes away with what it did (a chip, "Load more", "12 new"), the focus goes to the results rather
 * than nowhere.
 */
function useFocusKept(root: RefObject<HTMLElement | null>, results: RefObject<HTMLElement | null>): void {
  const tree = () => root.current?.getRootNode() as ShadowRoot | undefined;
  const before = tree()?.activeElement;
  useLayoutEffect(() => {
    if (before && !before.isConnected && !tree()?.activeElement) results.current?.focus({ preventScroll: true });
  });
}

/** `/` goes to the search field, unless it is being typed into another. */
function focusSearch(event: KeyboardEvent, root: HTMLElement | null): void {
  if (event.key !== '/' || event.ctrlKey || event.metaKey) return;
  const target = event.composedPath()[0];
  if (target instanceof Element && target.matches('input, select, textarea')) return;
  const field = root?.querySelector<HTMLInputElement>('input[type=search]');
  if (!field) return;
  event.preventDefault();
  field.focus();
}
