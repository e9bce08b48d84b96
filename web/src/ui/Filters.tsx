import { useEffect, useState } from 'preact/hooks';
import { actorsQuery, type Actor, type Overview } from '../api/documents.ts';
import { exactly, listKeys, periodPresets, refine, withDays, withList, withPeriod, type ListKey, type LogRef } from '../view/view.ts';
import { actorTitle } from './Cell.tsx';
import { useLog } from './context.ts';
import { actionName, columnLabel, logName } from './names.ts';
import { Picker, type Option } from './Picker.tsx';
import { TypedField, ValueField } from './TextField.tsx';

type Facets = Overview['facets'];

const secondary: readonly ListKey[] = ['outcome', 'actorKind', 'actorId', 'actorName', 'resourceType', 'resourceId', 'resourceName', 'ip'];

/** Every way to narrow the list: what people reach for first in one row, the rest behind one button. */
export function Filters({ facets }: { facets: Facets }) {
  const log = useLog();
  const { texts, view, change } = log;
  const [more, setMore] = useState(() => secondary.some((key) => view.lists[key].length > 0) || view.log !== null);
  const hidden = listKeys.filter((key) => secondary.includes(key) && view.lists[key].length > 0).length + (view.log ? 1 : 0);

  return (
    <search class={more ? 'filters expanded' : 'filters'}>
      <div class="filter-row">
        <TypedField
          class="search"
          label={texts.search}
          hint={texts.searchHint}
          value={view.search}
          onTyped={(search) => change(refine(view, { search }), 'typing')}
        />
        <CategoryPicker facets={facets} />
        <ActionPicker facets={facets} />
        <TypedField
          label={texts.email}
          hint={texts.emailHint}
          value={view.emailContains}
          onTyped={(emailContains) => change(refine(view, { emailContains }), 'typing')}
        />
        <DateFilter />
        <button type="button" class="button more" aria-expanded={more} onClick={() => setMore(!more)}>
          {texts.moreFilters}
          {hidden > 0 && <span class="badge">{hidden}</span>}
        </button>
      </div>
      {more && <MoreFilters facets={facets} />}
    </search>
  );
}

const countsOf = (facet: { buckets: readonly { value: string; count: number }[] } | undefined) =>
  new Map(facet?.buckets.map(({ value, count }) => [value, count]));

function CategoryPicker({ facets }: { facets: Facets }) {
  const { texts, view, session, change } = useLog();
  const { categories, actions } = session.catalog;
  if (categories.length < 2) return null;
  const counts = countsOf(facets?.categories);
  const onChange = (chosen: readonly string[]) => {
    // An action of a category that is no longer chosen could only ever find nothing.
    const fits = (name: string) => {
      const category = actions.find((action) => action.name === name)?.category?.code;
      return chosen.length === 0 || category === undefined || chosen.includes(category);
    };
    change(withList(withList(view, 'category', chosen), 'action', view.lists.action.filter(fits)));
  };
  return (
    <Picker
      label={columnLabel(useLog(), 'CATEGORY', texts.category)}
      everything={texts.all}
      options={categories.map(({ code, label }) => ({ value: code, label, count: counts.get(code) }))}
      chosen={view.lists.category}
      onChange={onChange}
    />
  );
}

function ActionPicker({ facets }: { facets: Facets }) {
  const log = useLog();
  const { texts, view, session, change } = log;
  const { actions, open, openPrefixes } = session.catalog;
  const categories = view.lists.category;
  const counts = countsOf(facets?.actions);
  const listed = new Set(actions.map(({ name }) => name));
  const byName = session.viewer.product.actionDisplay === 'NAME';

  const options: Option[] = actions
    .filter(({ category }) => categories.length === 0 || (category !== null && categories.includes(category.code)))
    .map(({ name, description }) => {
      const label = actionName(log, name);
      return { value: exactly(name), label, hint: byName ? (description ?? undefined) : name, count: counts.get(name) };
    });
  // An open catalog records names that nobody listed; those that are in the log can be chosen too.
  for (const { value, label, count } of facets?.actions.buckets ?? []) {
    if (!listed.has(value)) options.push({ value: exactly(value), label: byName ? value : (label ?? value), count });
  }
  return (
    <Picker
      label={columnLabel(log, 'ACTION', texts.action)}
      everything={texts.allEvents}
      options={options}
      chosen={view.lists.action}
      free={open || openPrefixes.length > 0}
      onChange={(chosen) => change(withList(view, 'action', chosen))}
    />
  );
}

function DateFilter() {
  const { texts, view, session, change } = useLog();
  const { dateFilter } = session.viewer.product;
  const presets = dateFilter === 'PRESETS' || dateFilter === 'BOTH';
  const range = dateFilter === 'RANGE' || dateFilter === 'BOTH';
  return (
    <>
      {presets && (
        <label class="field">
          <span>{texts.period}</span>
          <select
            value={view.period ?? ''}
            onChange={(event) => {
              const preset = periodPresets.find((one) => one === event.currentTarget.value) ?? null;
              change(withPeriod(view, preset));
            }}
          >
            <option value="">{texts.anyTime}</option>
            {periodPresets.map((preset) => (
              <option key={preset} value={preset}>
                {texts.periods[preset]}
              </option>
            ))}
          </select>
        </label>
      )}
      {range && (
        <>
          <DayField label={texts.from} value={view.from} onChange={(day) => change(withDays(view, day, view.to))} />
          <DayField label={texts.to} value={view.to} onChange={(day) => change(withDays(view, view.from, day))} />
        </>
      )}
    </>
  );
}

interface DayProps {
  label: string;
  value: string | null;
  onChange: (day: string | null) => void;
}

function DayField({ label, value, onChange }: DayProps) {
  return (
    <label class="field day">
      <span>{label}</span>
      <input
        type="date"
        min="1900-01-01"
        max="9999-12-31"
        value={value ?? ''}
        onChange={(event) => {
          const { value: day, validity } = event.currentTarget;
          if (validity.valid) onChange(day || null);
        }}
      />
    </label>
  );
}

function MoreFilters({ facets }: { facets: Facets }) {
  const log = useLog();
  const { texts, view, change } = log;
  const outcomes = countsOf(facets?.outcomes);
  const names = <Key extends string>(labels: Record<Key, string>, counts?: Map<string, number>): Option[] =>
    Object.entries<string>(labels).map(([value, label]) => ({ value, label, count: counts?.get(value) }));
  const add = (key: ListKey) => (value: string) => change(withList(view, key, [...view.lists[key], value]));

  return (
    <div class="filter-row">
      <Picker
        label={texts.outcome}
        everything={texts.all}
        options={names(texts.outcomes, outcomes)}
        chosen={view.lists.outcome}
        onChange={(chosen) => change(withList(view, 'outcome', chosen))}
      />
      <Picker
        label={texts.actorKind}
        everything={texts.all}
        options={names(texts.actorKinds)}
        chosen={view.lists.actorKind}
        onChange={(chosen) => change(withList(view, 'actorKind', chosen))}
      />
      <ActorPicker />
      <ValueField label={texts.resourceType} onAdd={add('resourceType')} />
      <ValueField label={texts.resourceId} onAdd={add('resourceId')} />
      <ValueField label={texts.resourceName} onAdd={add('resourceName')} />
      <ValueField label={texts.ip} onAdd={add('ip')} />
      <LogFilter />
    </div>
  );
}

/** How actors are chosen: by id where there is one, else by address, else by name; others cannot be told apart. */
const chosenBy = { actorId: 'id:', email: 'email:', actorName: 'name:' } as const satisfies Partial<Record<ListKey, string>>;
const chosenKeys = Object.keys(chosenBy) as (keyof typeof chosenBy)[];

function ActorPicker() {
  const { texts, view, config, change } = useLog();
  const [actors, setActors] = useState<readonly Actor[]>([]);
  const [text, setText] = useState<string | null>(null);
  useEffect(() => {
    if (text === null) return;
    const asked = new AbortController();
    const variables = { organization: config.organization, matching: text.trim() || null };
    config.client.ask(actorsQuery, variables, asked.signal).then(
      (answer) => setActors(answer.actors ?? []),
      () => asked.signal.aborted || setActors([]),
    );
    return () => asked.abort();
  }, [text, config]);

  const options = new Map<string, Option>();
  for (const actor of actors) {
    const parts = { actorId: actor.externalId, email: actor.email, actorName: actor.name };
    const key = chosenKeys.find((one) => parts[one]);
    const value = key && `${chosenBy[key]}${parts[key]}`;
    const label = actorTitle(actor);
    const hint = [actor.email, actor.externalId].find((part) => part && part !== label) ?? undefined;
    if (value && !options.has(value)) options.set(value, { value, label, hint });
  }
  const chosen = chosenKeys.flatMap((key) => view.lists[key].map((text) => `${chosenBy[key]}${text}`));
  for (const value of chosen) {
    if (!options.has(value)) options.set(value, { value, label: value.slice(value.indexOf(':') + 1) });
  }
  const onChange = (values: readonly string[]) => {
    const of = (prefix: string) => values.filter((value) => value.startsWith(prefix)).map((value) => value.slice(prefix.length));
    change(chosenKeys.reduce((changed, key) => withList(changed, key, of(chosenBy[key])), view));
  };
  return (
    <Picker
      label={texts.actor}
      everything={texts.all}
      options={[...options.values()]}
      chosen={chosen}
      onSearch={setText}
      onChange={onChange}
    />
  );
}

function LogFilter() {
  const log = useLog();
  const { texts, view, session, change } = log;
  const { logs, logChoices } = session.viewer;
  if (logs.length < 2 && logChoices.length < 2 && !view.log) return null;
  const refs = logs.map(({ level, externalId }): LogRef => ({ level, id: externalId }));
  for (const { level, externalId: id } of logChoices) {
    if (!refs.some((ref) => ref.level === level && ref.id === id)) refs.push({ level, id });
  }
  if (view.log && !refs.some(({ level, id }) => level === view.log!.level && id === view.log!.id)) refs.push(view.log);
  return (
    <label class="field">
      <span>{texts.log}</span>
      <select
        value={view.log ? `${view.log.level}:${view.log.id}` : ''}
        onChange={(event) => {
          const chosen = refs.find(({ level, id }) => `${level}:${id}` === event.currentTarget.value) ?? null;
          change(refine(view, { log: chosen }));
        }}
      >
        {logChoices.length === 0 && <option value="">{texts.allLogs}</option>}
        {refs.map((ref) => (
          <option key={`${ref.level}:${ref.id}`} value={`${ref.level}:${ref.id}`}>
            {logName(log, ref)}
          </option>
        ))}
      </select>
    </label>
  );
}
