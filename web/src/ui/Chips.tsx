import type { FilterKind } from '../api/documents.ts';
import { actorKindName, actionName, categoryName, columnLabel, filterWords, logName, outcomeName } from './names.ts';
import { useLog, type LogContext } from './context.ts';
import { everyLog, isFiltered, listKeys, refine, withList, type ListKey, type View } from '../view/view.ts';

interface Chip {
  name: string;
  value: string;
  without: View;
}

/** The filters at work, each with a way out. */
export function Chips() {
  const log = useLog();
  const { view, texts, change, clear } = log;
  if (!isFiltered(view)) return null;
  return (
    <div class="chips" role="group" aria-label={texts.activeFilters}>
      {/* First, so that it stands still while typing adds a chip under the pointer. */}
      <button type="button" class="link" onClick={clear}>
        {texts.clearFilters}
      </button>
      {chipsOf(log).map(({ name, value, without }) => (
        <button
          key={`${name}:${value}`}
          type="button"
          class="chip"
          aria-label={texts.removeFilter(`${name}: ${value}`)}
          onClick={() => change(without)}
        >
          <span class="chip-name">{name}</span>
          <bdi>{value}</bdi>
          <span aria-hidden="true">×</span>
        </button>
      ))}
    </div>
  );
}

function chipsOf(log: LogContext): Chip[] {
  const { view, texts, format } = log;
  const chips: Chip[] = [];
  if (view.search.trim()) {
    chips.push({
      name: wordFor(log, 'SEARCH', texts.search),
      value: view.search.trim(),
      without: refine(view, { search: '' }),
    });
  }
  for (const key of listKeys) {
    for (const value of view.lists[key]) {
      const without = withList(
        view,
        key,
        view.lists[key].filter((one) => one !== value),
      );
      chips.push({ name: filterName(log, key), value: valueName(log, key, value), without });
    }
  }
  if (view.emailContains) {
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
  if (view.from) chips.push({ name: texts.from, value: format.day(view.from), without: refine(view, { from: null }) });
  if (view.to) chips.push({ name: texts.to, value: format.day(view.to), without: refine(view, { to: null }) });
  if (view.period) {
    chips.push({ name: texts.period, value: texts.periods[view.period], without: refine(view, { period: null }) });
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
