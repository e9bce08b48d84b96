import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Fault } from '../api/fault.ts';
import { newerLimit, type ListState } from '../log/model.ts';
import type { Session } from '../log/session.ts';
import type { Texts } from '../texts.ts';
import { createFormat } from '../time/format.ts';
import { showsSeveralLogs } from '../view/shown.ts';
import { cleared, isFiltered, refine, withList, withNot } from '../view/view.ts';
import { columnsFor, kindsFrom, panelFrom, tableFrom, useSize, useWidth } from './columns.ts';
import { Log, type Config, type LogContext } from './context.ts';
import { EventTable } from './EventTable.tsx';
import { Heading } from './Heading.tsx';
import { useNow } from './now.ts';
import { Pager, positionOf } from './Pager.tsx';
import { ChooseLog, Details, Keys, LinkedEvent, NothingMatches } from './parts.ts';
import { usePreferences } from './preferences.ts';
import { useRetry } from './retry.ts';
import { FaultState, Message } from './states.tsx';
import { countName, Summary } from './Summary.tsx';
import { Toolbar } from './Toolbar.tsx';
import { useMarker } from './useMarker.ts';
import { useModel } from './useModel.ts';
import { Skeleton } from './places.tsx';

interface Props {
  config: Config;
  session: Session;
  texts: Texts;
  /** The list was refused: asks what the token may do, and answers whether the log is still open. */
  askGate: () => Promise<boolean>;
}

/** What an id of an event looks like: typed into the search, it leads to that event. */
const eventId = /^evt_[0-9a-z]{23}$/i;

export function OpenLog({ config, session, texts, askGate }: Props) {
  const { product, logChoices } = session.viewer;
  const root = useRef<HTMLDivElement>(null);
  const results = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const [isPaused, setPaused] = useState(false);
  const [showsKeys, setShowsKeys] = useState(false);
  const [message, setMessage] = useState('');
  const [preferences, setPreferences] = usePreferences();
  const now = useNow(30_000);
  useFocusKept(root, results);

  // News come by themselves only where nobody reads on: not into a table that is walked, read, or scrolled away from.
  const takesNews = () => {
    const place = results.current;
    if (isPaused || !place || view.event) return false;
    const focused = (place.getRootNode() as ShadowRoot).activeElement;
    return !place.contains(focused) && place.getBoundingClientRect().top >= 0;
  };
  const { view, question, change, state, model, mustChoose } = useModel(config, session, takesNews);

  const search = view.search.trim();
  useEffect(() => {
    if (eventId.test(search)) change(refine(view, { search: '', event: search }), 'correction');
  }, [search]);

  useEffect(() => {
    // A page of its own gives the keys to the log everywhere; a host may use them for something else.
    const place = config.standalone ? document : root.current!;
    const listen = (event: Event) => {
      const pressed = event as KeyboardEvent;
      if (isTyping(pressed)) return;
      if (pressed.key === '/') focusSearch(pressed, root.current);
      if (pressed.key === '?') setShowsKeys(true);
    };
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
  const retryIn = useRetry(fault, () => model.reload());
  useRetry(state?.countFault ?? null, () => model.recount());

  const zone = view.zone ?? config.zone;
  const format = useMemo(() => createFormat(config.locale, zone), [config.locale, zone]);
  const marker = useMarker(view.search);
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
    exclude: (key, value) => {
      // Kept and left out at once, it would find nothing.
      const kept = withList(
        view,
        key,
        view.lists[key].filter((one) => one !== value),
      );
      change(withNot(kept, key, [...view.not[key], value]));
    },
    clear: () => change(logChoices.length > 0 ? { ...cleared(view), log: view.log } : cleared(view)),
    announce: setMessage,
  };

  // For as long as it takes to see them.
  useEffect(() => {
    if (!state || state.fresh.size === 0) return;
    const timer = setTimeout(() => model.settle(), 30_000);
    return () => clearTimeout(timer);
  }, [state?.fresh]);

  useSaid(state, context, product.paging === 'MORE');
  const newer = state?.newer ?? 0;
  const late = state?.late ?? 0;
  const atLeast = { value: newerLimit, text: texts.atLeast(format.number(newerLimit)) };
  const news = [
    newer > 0 && texts.newEvents(newer >= newerLimit ? atLeast : format.count(newer)),
    late > 0 && texts.lateEvents(format.count(late)),
  ].filter(Boolean);
  const newsText = news.join(' · ');
  useEffect(() => {
    if (newsText) setMessage(newsText);
  }, [newsText]);
  const showNewest = () => {
    if (view.after || view.before) change({ ...view, after: null, before: null });
    else model.reload();
  };

  // Of one log alone, a column that says which would say the same in every row.
  const own = useMemo(
    () =>
      showsSeveralLogs(session.viewer, question.log)
        ? product.columns
        : product.columns.filter(({ kind }) => kind !== 'LOG'),
    [session, product, question.log],
  );
  const width = useWidth(root);
  const listWidth = useWidth(list);
  const isWide = width >= panelFrom;
  const isTwoLined = listWidth < tableFrom;
  const hidden = preferences.hidden[product.name];
  const columns = useMemo(() => {
    const wanted = own.filter(({ kind }) => !hidden?.includes(kind));
    return columnsFor(wanted.length > 0 ? wanted : own, listWidth);
  }, [own, hidden, listWidth]);
  // The head of the table sticks below the toolbar.
  useSize(
    () => root.current?.querySelector<HTMLElement>('.toolbar') ?? null,
    (bar) => root.current?.style.setProperty('--bar-height', `${bar.offsetHeight}px`),
  );

  const openRow = state?.rows.find(({ node }) => node.id === view.event)?.node ?? null;
  const isLinked = view.event !== null && !openRow && state !== null && state.status === 'ready';
  const hasPanel = isWide && view.event !== null && (openRow !== null || isLinked);
  const hasRows = state !== null && state.rows.length > 0;
  // What is wrong with the text is said at its place, and the rows stay.
  const isFlawed = fault !== null && fault.isOfQuery && hasRows;
  const isClosed = fault !== null && !isFlawed && (fault.isRefusal || fault.kind === 'input' || !hasRows);
  const heading = (
    <Heading
      state={state}
      columns={own}
      preferences={preferences}
      onPreferences={setPreferences}
      isPaused={isPaused}
      onPause={setPaused}
      onKeys={() => setShowsKeys(true)}
    />
  );
  const wayOut = (refusal: Fault) => {
    if (refusal.kind === 'unauthenticated') return null;
    if (refusal.isRefusal && logChoices.length > 1) return <ChooseLog />;
    return isClosed && isFiltered(view) ? (
      <button type="button" class="button" onClick={context.clear}>
        {texts.clearFilters}
      </button>
    ) : null;
  };
  const faultState = fault && !isFlawed && (
    <FaultState
      texts={texts}
      fault={fault}
      isBanner={!isClosed}
      retryIn={retryIn ? format.seconds(retryIn * 1000) : null}
      fieldLabel={fault.isOfQuery ? texts.search : null}
      onRetry={() => model.reload()}
    >
      {wayOut(fault)}
    </FaultState>
  );
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
      <div class={preferences.compact ? 'log compact' : 'log'} ref={root}>
        {heading}
        <Toolbar state={state} />
        <Summary state={state} model={model} withDays={product.dateFilter !== 'NONE'} width={width} />
        {isLinked && !isWide && <LinkedEvent id={view.event!} />}
        <p class="unseen" role="status">
          {message}
        </p>
        <div class={hasPanel ? 'body beside' : 'body'}>
          <div ref={list} class="list">
            <div class="news">
              {newsText && (
                <button type="button" class="button primary" onClick={showNewest}>
                  {newsText} · {texts.showNew}
                </button>
              )}
            </div>
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
              ) : isClosed ? (
                faultState
              ) : !state || state.status === 'loading' ? (
                <Skeleton texts={texts} />
              ) : hasRows ? (
                <>
                  {faultState}
                  {product.paging === 'MORE' && state.hasPrevious && (
                    <button type="button" class="button newer" onClick={() => void model.loadMore('newer')}>
                      {texts.loadNewer}
                    </button>
                  )}
                  <EventTable
                    state={state}
                    columns={columns}
                    opensBelow={!isWide}
                    isTwoLined={isTwoLined}
                    isTight={listWidth < kindsFrom}
                  />
                </>
              ) : isFiltered(logChoices.length > 0 ? { ...view, log: null } : view) ? (
                <NothingMatches />
              ) : (
                <Message title={texts.emptyTitle} text={texts.emptyText} />
              )}
            </div>
            {state && !isClosed && state.status !== 'loading' && <Pager state={state} model={model} />}
          </div>
          {hasPanel && (
            <aside class="panel-details" aria-label={texts.details} id={`details-${view.event}`}>
              {openRow ? (
                <>
                  <button
                    type="button"
                    class="icon close"
                    aria-label={texts.closeDetails}
                    title={texts.closeDetails}
                    onClick={() => change({ ...view, event: null })}
                  >
                    <span aria-hidden="true">×</span>
                  </button>
                  <Details event={openRow} />
                </>
              ) : (
                <LinkedEvent id={view.event!} />
              )}
            </aside>
          )}
        </div>
        {showsKeys && <Keys onClose={() => setShowsKeys(false)} />}
      </div>
    </Log.Provider>
  );
}

/** Says aloud what a list has become: how many there are, and which of them are in sight. */
function useSaid(state: ListState | null, log: LogContext, loadsMore: boolean): void {
  const { texts, format, announce } = log;
  const shown = useRef(0);
  const isSettled = state?.status === 'ready' && !state.fault && !state.isFormer && !state.isCounting;
  useEffect(() => {
    if (!isSettled || !state) return;
    const { rows, total } = state;
    const added = rows.length - shown.current;
    const all = total === null ? null : format.number(total);
    const isMore = loadsMore && shown.current > 0 && added > 0 && (state.fresh.size === 0 || added > state.fresh.size);
    shown.current = rows.length;
    if (rows.length === 0) announce(texts.nothingTitle);
    else if (isMore) announce(texts.moreShown(format.count(added), format.number(rows.length), all));
    else announce([countName(log, state), positionOf(log, state)].filter(Boolean).join(', '));
  }, [isSettled, state?.rows, state?.total, state?.offset]);
  useEffect(() => {
    if (state?.isFormer) shown.current = 0;
  }, [state?.isFormer]);
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

function isTyping(event: KeyboardEvent): boolean {
  const target = event.composedPath()[0];
  const isField = target instanceof Element && target.matches('input:not([type=checkbox]), select, textarea');
  return isField || event.ctrlKey || event.metaKey || event.altKey;
}

/** `/` goes to the search field, unless it is being typed into another. */
function focusSearch(event: KeyboardEvent, root: HTMLElement | null): void {
  const field = root?.querySelector<HTMLInputElement>('.search input');
  if (!field) return;
  event.preventDefault();
  field.focus();
}
