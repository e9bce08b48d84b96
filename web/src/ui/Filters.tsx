import { useEffect, useState } from 'preact/hooks';
import { actorsQuery, type Actor, type FilterKind, type Overview } from '../api/documents.ts';
import { ownLog, showsSeveralLogs } from '../view/shown.ts';
import { everyLog, exactly, refine, withList, type ListKey, type LogRef, type View } from '../view/view.ts';
import { actorTitle } from './Cell.tsx';
import { useLog, type LogContext } from './context.ts';
import { actionName, actorKindName, columnLabel, filterWords, logName } from './names.ts';
import { Picker, type Option } from './Picker.tsx';
import { TypedField, ValueField } from './TextField.tsx';

type Facets = Overview['facets'];

/** Products that offer few show them in the toolbar; the others have them behind a button. */
const mostInToolbar = 3;

/** The filters of a product: its text field, which is the search box, and all others. */
export function useFilterKinds() {
  const { session, view } = useLog();
  const kinds = session.viewer.product.filters.map(({ kind }) => kind);
  const textKind = (['SEARCH', 'EMAIL'] as const).find((kind) => kinds.includes(kind)) ?? null;
  const others = kinds.filter((kind) => kind !== textKind);
  return {
    textKind,
    others,
    areInToolbar: others.length <= mostInToolbar,
    atWork: others.filter((kind) => isAtWork(view, kind)).length,
  };
}

/** The lists of values that a filter fills; search, e-mail and log are no lists. */
const listsOf: Partial<Record<FilterKind, readonly ListKey[]>> = {
  CATEGORY: ['category'],
  ACTION: ['action'],
  OUTCOME: ['outcome'],
  ACTOR_KIND: ['actorKind'],
  ACTOR: ['actorId', 'email', 'actorName'],
  RESOURCE_TYPE: ['resourceType'],
  RESOURCE_ID: ['resourceId'],
  RESOURCE_NAME: ['resourceName'],
  IP_ADDRESS: ['ip'],
};

function isAtWork(view: View, kind: FilterKind): boolean {
  if (kind === 'LOG') return view.log !== null;
  return (listsOf[kind] ?? []).some((key) => view.lists[key].length > 0);
}

/** One way to narrow the list. */
export function OneFilter({ kind, facets }: { kind: FilterKind; facets: Facets }) {
  const log = useLog();
  const { texts, view, session, change } = log;
  const words = filterWords(log, kind);
  const everything = words?.allLabel ?? texts.all;
  const chosen = (key: ListKey) => ({
    chosen: view.lists[key],
    onChange: (values: readonly string[]) => change(withList(view, key, values)),
  });
  const add = (key: ListKey) => (value: string) => change(withList(view, key, [...view.lists[key], value]));
  switch (kind) {
    case 'SEARCH':
      return (
        <TypedField
          label={words?.label ?? texts.search}
          hint={words?.hint ?? texts.searchHint}
          value={view.search}
          onTyped={(search) => change(refine(view, { search }), 'typing')}
        />
      );
    case 'CATEGORY':
      return <CategoryPicker facets={facets} />;
    case 'ACTION':
      return <ActionPicker facets={facets} />;
    case 'EMAIL':
      return (
        <TypedField
          label={words?.label ?? texts.email}
          hint={words?.hint ?? texts.emailHint}
          value={view.emailContains}
          onTyped={(emailContains) => change(refine(view, { emailContains }), 'typing')}
        />
      );
    case 'OUTCOME': {
      const counts = countsOf(log, facets?.outcomes);
      const options = Object.entries(texts.outcomes).map(([value, label]) => ({
        value,
        label,
        count: counts.get(value),
      }));
      return (
        <Picker
          label={words?.label ?? texts.outcome}
          everything={everything}
          options={options}
          {...chosen('outcome')}
        />
      );
    }
    case 'ACTOR_KIND': {
      const options = session.viewer.product.actorKinds.map(({ kind: value }) => ({
        value,
        label: actorKindName(log, value),
      }));
      return (
        <Picker
          label={words?.label ?? texts.actorKind}
          everything={everything}
          options={options}
          {...chosen('actorKind')}
        />
      );
    }
    case 'ACTOR':
      return <ActorPicker />;
    case 'RESOURCE_TYPE':
      return <ValueField label={words?.label ?? texts.resourceType} onAdd={add('resourceType')} />;
    case 'RESOURCE_ID':
      return <ValueField label={words?.label ?? texts.resourceId} onAdd={add('resourceId')} />;
    case 'RESOURCE_NAME':
      return <ValueField label={words?.label ?? texts.resourceName} onAdd={add('resourceName')} />;
    case 'IP_ADDRESS':
      return <ValueField label={words?.label ?? texts.ip} onAdd={add('ip')} />;
    case 'LOG':
      return <LogFilter />;
  }
}

interface Facet {
  exact: boolean;
  buckets: readonly { value: string; count: number }[];
}

/** How many events each value has, in words; of a very long list only a part is counted, and that is said. */
const countsOf = ({ texts, format }: LogContext, facet: Facet | undefined) =>
  new Map(
    facet?.buckets.map(({ value, count }) => {
      const number = format.number(count);
      return [value, facet.exact ? number : texts.atLeast(number)];
    }),
  );

function CategoryPicker({ facets }: { facets: Facets }) {
  const log = useLog();
  const { texts, view, session, change } = log;
  const words = filterWords(log, 'CATEGORY');
  const { categories, actions } = session.catalog;
  if (categories.length < 2) return null;
  const counts = countsOf(log, facets?.categories);
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
      label={words?.label ?? columnLabel(log, 'CATEGORY', texts.category)}
      everything={words?.allLabel ?? texts.all}
      options={categories.map(({ code, label, description }) => ({
        value: code,
        label,
        hint: description ?? undefined,
        count: counts.get(code),
      }))}
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
  const counts = countsOf(log, facets?.actions);
  const listed = new Set(actions.map(({ name }) => name));
  const byName = session.viewer.product.actionDisplay === 'NAME';
  const words = filterWords(log, 'ACTION');

  const options: Option[] = actions
    .filter(({ category }) => categories.length === 0 || (category !== null && categories.includes(category.code)))
    .map(({ name, description }) => {
      const label = actionName(log, name);
      return { value: exactly(name), label, hint: byName ? (description ?? undefined) : name, count: counts.get(name) };
    });
  // An open catalog records names that nobody listed; those that are in the log can be chosen too.
  for (const { value, label } of facets?.actions.buckets ?? []) {
    if (listed.has(value)) continue;
    options.push({ value: exactly(value), label: byName ? value : (label ?? value), count: counts.get(value) });
  }
  return (
    <Picker
      label={words?.label ?? columnLabel(log, 'ACTION', texts.action)}
      everything={words?.allLabel ?? texts.allEvents}
      options={options}
      chosen={view.lists.action}
      free={open || openPrefixes.length > 0}
      onChange={(chosen) => change(withList(view, 'action', chosen))}
    />
  );
}

/** How actors are chosen: by id where there is one, else by address, else by name; others cannot be told apart. */
const chosenBy = { actorId: 'id:', email: 'email:', actorName: 'name:' } as const satisfies Partial<
  Record<ListKey, string>
>;
const chosenKeys = Object.keys(chosenBy) as (keyof typeof chosenBy)[];

function ActorPicker() {
  const log = useLog();
  const { texts, view, config, change } = log;
  const words = filterWords(log, 'ACTOR');
  const [actors, setActors] = useState<readonly Actor[]>([]);
  const [text, setText] = useState<string | null>(null);
  const [isFailed, setFailed] = useState(false);
  useEffect(() => {
    if (text === null) return;
    const asked = new AbortController();
    const variables = { organization: config.organization, matching: text.trim() || null };
    config.client.ask(actorsQuery, variables, asked.signal).then(
      (answer) => {
        setActors(answer.actors ?? []);
        setFailed(false);
      },
      () => asked.signal.aborted || setFailed(true),
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
    const of = (prefix: string) =>
      values.filter((value) => value.startsWith(prefix)).map((value) => value.slice(prefix.length));
    change(chosenKeys.reduce((changed, key) => withList(changed, key, of(chosenBy[key])), view));
  };
  return (
    <Picker
      label={words?.label ?? texts.actor}
      everything={words?.allLabel ?? texts.all}
      options={[...options.values()]}
      chosen={chosen}
      onSearch={setText}
      isFailed={isFailed}
      onChange={onChange}
    />
  );
}

const valueOf = (log: View['log']) => (log === null || log === everyLog ? (log ?? '') : `${log.level}:${log.id}`);

function LogFilter() {
  const log = useLog();
  const { texts, view, session, change } = log;
  const { viewer } = session;
  // A token for several logs has to name one.
  const mustName = viewer.logChoices.length > 0;
  const named = [...viewer.logs, ...viewer.logChoices].map(({ level, externalId }): LogRef => ({
    level,
    id: externalId,
  }));
  if (named.length < 2 && !view.log) return null;
  const words = filterWords(log, 'LOG');
  const all = words?.allLabel ?? texts.allLogs;
  // The list as the product has it is of all logs, or of its own; then all of them are one choice more.
  const own = mustName ? null : ownLog(viewer);
  const isAll = showsSeveralLogs(viewer, null);
  const choices: [View['log'], string][] = [];
  if (!mustName) choices.push([null, isAll || !own ? all : logName(log, own)]);
  if (!mustName && !isAll && showsSeveralLogs(viewer, everyLog)) choices.push([everyLog, all]);
  for (const ref of [...named, view.log]) {
    const isOwn = ref !== view.log && ref !== null && ref !== everyLog && ref.level === own?.level && ref.id === own.id;
    const isThere = choices.some(([choice]) => valueOf(choice) === valueOf(ref));
    if (ref !== null && !isOwn && !isThere) choices.push([ref, ref === everyLog ? all : logName(log, ref)]);
  }
  return (
    <label class="field">
      <span>{words?.label ?? texts.log}</span>
      <select
        value={valueOf(view.log)}
        onChange={(event) => {
          const chosen = choices.find(([choice]) => valueOf(choice) === event.currentTarget.value);
          change(refine(view, { log: chosen?.[0] ?? null }));
        }}
      >
        {choices.map(([choice, name]) => (
          <option key={valueOf(choice)} value={valueOf(choice)}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
