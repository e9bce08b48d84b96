import { actorKindName, actionName, categoryName, logName, outcomeName } from './names.ts';
import { useLog, type LogContext } from './context.ts';
import { isFiltered, listKeys, refine, withList, type ListKey, type View } from '../view/view.ts';

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
    chips.push({ name: texts.search, value: view.search.trim(), without: refine(view, { search: '' }) });
  }
  for (const key of listKeys) {
    for (const value of view.lists[key]) {
      const without = withList(view, key, view.lists[key].filter((one) => one !== value));
      chips.push({ name: filterName(log, key), value: valueName(log, key, value), without });
    }
  }
  if (view.emailContains) {
    chips.push({ name: texts.email, value: view.emailContains, without: refine(view, { emailContains: '' }) });
  }
  if (view.log) chips.push({ name: texts.log, value: logName(log, view.log), without: refine(view, { log: null }) });
  if (view.from) chips.push({ name: texts.from, value: format.day(view.from), without: refine(view, { from: null }) });
  if (view.to) chips.push({ name: texts.to, value: format.day(view.to), without: refine(view, { to: null }) });
  if (view.period) {
    chips.push({ name: texts.period, value: texts.periods[view.period], without: refine(view, { period: null }) });
  }
  return chips;
}

function filterName({ texts }: LogContext, key: ListKey): string {
  const names: Record<ListKey, string> = {
    category: texts.category,
    action: texts.action,
    outcome: texts.outcome,
    actorKind: texts.actorKind,
    actorId: texts.actor,
    actorName: texts.actor,
    email: texts.email,
    resourceType: texts.resourceType,
    resourceId: texts.resourceId,
    resourceName: texts.resourceName,
    ip: texts.ip,
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
