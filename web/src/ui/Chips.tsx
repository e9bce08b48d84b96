import type { FilterKind } from '../api/documents.ts';
import { spelled } from '../words/visible.ts';
import { everyLog, listKeys, notKeys, refine, withList, withNot, type ListKey, type View } from '../view/view.ts';
import { useLog, type LogContext } from './context.ts';
import { actorKindName, actionName, categoryName, columnLabel, filterWords, logName, outcomeName } from './names.ts';
import { withoutPart } from '../view/query.ts';
import { isTerm, queryParts, wordsOf, type QueryField, type QueryPart } from '../words/query.ts';

export interface Chip {
  name: string;
  value: string;
  isNot?: boolean;
  without: View;
}

/** The filters at work, each with a way out; they stand in the query box. */
export function Chips({ chips }: { chips: readonly Chip[] }) {
  const { texts, change } = useLog();
  if (chips.length === 0) return null;
  return (
    <ul class="chips" role="list" aria-label={texts.activeFilters}>
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

/** What is searched for, where no box shows it. */
export function wordChips(log: LogContext): Chip[] {
  const { view } = log;
  const value = wordsOf(view.search).trim();
  if (!value) return [];
  const search = queryParts(view.search)
    .filter(isTerm)
    .map(({ text }) => text)
    .join(' ');
  return [{ name: wordFor(log, 'SEARCH', log.texts.search), value, without: refine(view, { search }) }];
}

/** A chip each for the filters of the view, and for the terms of its text that no filter can say. */
export function chipsOf(log: LogContext, isShown: (term: QueryPart) => boolean = () => true): Chip[] {
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
  for (const term of queryParts(view.search)) {
    if (!isTerm(term) || !isShown(term)) continue;
    const name = termName(log, term.field);
    chips.push({
      name: term.isExcluded ? texts.without(name) : name,
      value: termValue(log, term),
      isNot: term.isExcluded,
      without: refine(view, { search: withoutPart(view.search, term) }),
    });
  }
  return chips;
}

function termName(log: LogContext, field: QueryField | null): string {
  const { texts } = log;
  switch (field) {
    case null:
      return wordFor(log, 'SEARCH', texts.search);
    case 'actor':
      return filterName(log, 'actorId');
    case 'resource':
      return columnLabel(log, 'RESOURCE', texts.fields.resources);
    case 'after':
    case 'before':
    case 'on':
      return texts.range;
    case 'has':
      return field;
    case 'kind':
      return filterName(log, 'actorKind');
    case 'correlation':
      return filterName(log, 'correlationId');
    default:
      return filterName(log, field);
  }
}

/** The values in words; of a time the field too, since it says which end is meant. */
function termValue(log: LogContext, { field, text, words, values }: QueryPart): string {
  if (field === null) return words;
  if (field === 'after' || field === 'before' || field === 'on') return text;
  const value = (one: string) => (field === 'outcome' ? outcomeName(log, one.toUpperCase()) : one);
  return values.map((one) => value(one.text)).join(', ');
}

/** What the product calls a filter, else our word. */
export function wordFor(log: LogContext, kind: FilterKind, otherwise: string): string {
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
