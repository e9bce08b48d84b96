import { useState } from 'preact/hooks';
import type { ListState } from '../log/model.ts';
import { isFiltered, refine } from '../view/view.ts';
import { Chips, chipsOf, wordChips } from './Chips.tsx';
import { useLog } from './context.ts';
import { OneFilter, useFilterKinds } from './Filters.tsx';
import { filterWords } from './names.ts';
import { Glass, QueryBox } from './QueryBox.tsx';
import { RangePicker } from './RangePicker.tsx';
import { TypedField } from './TextField.tsx';

/** One row: what is looked for with the filters in it, when, failures, and what the product offers besides. */
export function Toolbar({ state }: { state: ListState | null }) {
  const { texts, session } = useLog();
  const facets = state?.facets ?? null;
  const { textKind, others, areInToolbar, atWork } = useFilterKinds();
  const [isExpanded, setExpanded] = useState(!areInToolbar && atWork > 0);
  return (
    <search class={isExpanded ? 'filters expanded' : 'filters'} part="toolbar">
      <div class="toolbar">
        {textKind !== null && <Box state={state} />}
        {areInToolbar && others.map((kind) => <OneFilter key={kind} kind={kind} facets={facets} />)}
        {textKind === null && <Box state={state} />}
        {others.length > 0 && (
          <button
            type="button"
            class={areInToolbar ? 'button more narrow' : 'button more'}
            aria-expanded={isExpanded}
            onClick={() => setExpanded(!isExpanded)}
          >
            {texts.filters}
            {atWork > 0 && <span class="badge">{atWork}</span>}
          </button>
        )}
        {session.viewer.product.dateFilter !== 'NONE' && <RangePicker />}
        <FailuresButton state={state} />
      </div>
      {!areInToolbar && isExpanded && (
        <div class="filter-row">
          {others.map((kind) => (
            <OneFilter key={kind} kind={kind} facets={facets} />
          ))}
        </div>
      )}
    </search>
  );
}

/** The filters at work, and the text that is looked for where the product offers one. */
function Box({ state }: { state: ListState | null }) {
  const log = useLog();
  const { texts, view, change, clear } = log;
  const { textKind } = useFilterKinds();
  const words = filterWords(log, 'EMAIL');
  const end = isFiltered(view) ? (
    <button type="button" class="clear" aria-label={texts.clearFilters} title={texts.clearFilters} onClick={clear}>
      <span aria-hidden="true">×</span>
    </button>
  ) : (
    <kbd aria-hidden="true" class="slash">
      /
    </kbd>
  );
  if (textKind === 'SEARCH') return <QueryBox state={state} end={end} />;
  const chips = [...wordChips(log), ...chipsOf(log)];
  if (textKind === null) {
    return (
      <div class="box plain">
        <Chips chips={chips} />
        {isFiltered(view) && end}
      </div>
    );
  }
  return (
    <div class="box">
      <Glass />
      <Chips chips={chips} />
      <TypedField
        class="search"
        label={words?.label ?? texts.email}
        hint={words?.hint ?? texts.emailHint}
        value={view.emailContains}
        onTyped={(emailContains) => change(refine(view, { emailContains }), 'typing')}
      />
      {end}
    </div>
  );
}

/** How many failed, and those alone at a press. */
function FailuresButton({ state }: { state: ListState | null }) {
  const { texts, format, view, toggleFilter } = useLog();
  const failures = failuresOf(state);
  const isChosen = view.lists.outcome.includes('FAILURE');
  return (
    <button
      type="button"
      class={isChosen ? 'button failures chosen' : 'button failures'}
      aria-pressed={isChosen}
      onClick={() => toggleFilter('outcome', 'FAILURE')}
    >
      {texts.failures}
      {failures !== null && (
        <>
          {' '}
          <span class={failures.count > 0 ? 'badge bad' : 'badge'}>
            <bdi>{failures.isExact ? format.number(failures.count) : texts.atLeast(format.number(failures.count))}</bdi>
          </span>
        </>
      )}
    </button>
  );
}

/** Null while nobody knows. */
function failuresOf(state: ListState | null): { count: number; isExact: boolean } | null {
  const outcomes = state?.facets?.outcomes;
  if (!outcomes) return null;
  return { count: outcomes.buckets.find(({ value }) => value === 'FAILURE')?.count ?? 0, isExact: outcomes.exact };
}
