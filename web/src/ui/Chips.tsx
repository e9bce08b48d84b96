import type { FilterKind } from '../api/documents.ts';
import { spelled } from '../words/visible.ts';
import {
  everyLog,
  listKeys,
  notKeys,
  refine,
  withDays,
  withList,
  withNot,
  withPeriod,
  type ListKey,
  type View,
} from '../view/view.ts';
import { useLog, type LogContext } from './context.ts';
import { actorKindName, actionName, categoryName, columnLabel, filterWords, logName, outcomeName } from './names.ts';
import { rangeName } from './RangePicker.tsx';

export interface Chip {
  name: string;
  value: string;
  isNot?: boolean;
  without: View;
}

/** The filters at work, each with a way out; they stand in the search box. */
export function Chips() {
  const log = useLog();
  const { texts, change } = log;
  const chips = chipsOf(log);
  if (chips.length === 0) return null;
  return (
    <ul class="chips" aria-label={texts.activeFilters}>
      {chips.map(({ name, value, isNot, without }) => (
        <li key={`${name}:${value}`}>
          <button
            type="button"
            class={isNot ? 'chip not' : 'chip'}
            aria-label={texts.removeFilter(spelled(`${name}: ${value}`))}
            onClick={() => change(without)}
          >
            <span class="chip-name">{name}:</span>
            <bdi>{spelled(value)}</bdi>
            <span class="chip-remove" aria-hidden="true">
              ×
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}

/** Whatever narrows the list, words and dates too: which of it to drop where nothing is left. */
export function narrowings(log: LogContext): Chip[] {
  const { view, texts } = log;
  const all = chipsOf(log);
  const text = view.search.trim();
  if (text) {
    all.unshift({ name: wordFor(log, 'SEARCH', texts.search), value: text, without: refine(view, { search: '' }) });
  }
  if (view.emailContains && !filterWords(log, 'SEARCH')) {
    const without = refine(view, { emailContains: '' });
    all.push({ name: wordFor(log, 'EMAIL', texts.email), value: view.emailContains, without });
  }
  const range = rangeName(log);
  if (range) {
    const isPart = view.period !== null && (view.from !== null || view.to !== null);
    const without = isPart ? refine(view, { from: null, to: null }) : withPeriod(withDays(view, null, null), null);
    all.push({ name: texts.range, value: range, without });
  }
  return all;
}

function chipsOf(log: LogContext): Chip[] {
  const { view, texts } = log;
  const chips: Chip[] = [];
  for (const key of listKeys) {
    for (const value of view.lists[key]) {
      const others = view.lists[key].filter((one) => one !== value);
      chips.push({
        name: filterName(log, key),
        value: valueName(log, key, value),
        without: withList(view, key, others),
      });
    }
  }
  for (const key of notKeys) {
    for (const value of view.not[key]) {
      const without = withNot(
        view,
        key,
        view.not[key].filter((one) => one !== value),
      );
      const name = texts.without(filterName(log, key));
      chips.push({ name, value: valueName(log, key, value), isNot: true, without });
    }
  }
  // Where it is not the text of the box, it is a filter like others.
  if (view.emailContains && filterWords(log, 'SEARCH')) {
    chips.push({
      name: wordFor(log, 'EMAIL', texts.email),
      value: view.emailContains,
      without: refine(view, { emailContains: '' }),
    });
  }
  if (view.log) {
    const value = view.log === everyLog ? (filterWords(log, 'LOG')?.allLabel ?? texts.allLogs) : logName(log, view.log);
    chips.push({ name: wordFor(log, 'LOG', texts.log), value, without: refine(view, { log: null }) });
  }
  return chips;
}

/** What the product calls a filter, else our word. */
function wordFor(log: LogContext, kind: FilterKind, otherwise: string): string {
  return filterWords(log, kind)?.label ?? otherwise;
}

function filterName(log: LogContext, key: ListKey): string {
  const { texts } = log;
  const names: Record<ListKey, string> = {
    category: wordFor(log, 'CATEGORY', columnLabel(log, 'CATEGORY', texts.category)),
    action: wordFor(log, 'ACTION', columnLabel(log, 'ACTION', texts.action)),
    outcome: wordFor(log, 'OUTCOME', texts.outcome),
    actorKind: wordFor(log, 'ACTOR_KIND', texts.actorKind),
    actorId: wordFor(log, 'ACTOR', texts.actor),
    actorName: wordFor(log, 'ACTOR', texts.actor),
    email: wordFor(log, 'EMAIL', texts.email),
    resourceType: wordFor(log, 'RESOURCE_TYPE', texts.resourceType),
    resourceId: wordFor(log, 'RESOURCE_ID', texts.resourceId),
    resourceName: wordFor(log, 'RESOURCE_NAME', texts.resourceName),
    ip: wordFor(log, 'IP_ADDRESS', texts.ip),
    correlationId: texts.fields.correlationId,
    source: texts.fields.source,
    sourceEventId: texts.fields.sourceEventId,
  };
  return names[key];
}

function valueName(log: LogContext, key: ListKey, value: string): string {
  switch (key) {
    case 'category':
      return categoryName(log, value);
    case 'action':
      return actionName(log, value);
    case 'outcome':
      return outcomeName(log, value);
    case 'actorKind':
      return actorKindName(log, value);
    default:
      return value;
  }
}
