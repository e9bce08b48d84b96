// What the filters offer, once they are opened.
import { useEffect, useState } from 'preact/hooks';
import type { Actor, FilterKind } from '../api/documents.ts';
import { actorsQuery } from '../api/later.ts';
import { chosenActors, chosenBy, chosenKeys, exactly, withList, type ListKey } from '../view/view.ts';
import { actorTitle } from './Cell.tsx';
import { Choices, type Option } from './Choices.tsx';
import { usePart, type PartContext } from './context.ts';
import type { Facets } from './Filters.tsx';
import { actionName, actorKindName } from './names.ts';

interface Props {
  kind: FilterKind;
  id: string;
  label: string;
  /** The entry that chooses nothing. */
  everything: string;
  facets: Facets;
  /** What actors are called, by the value that chooses them: who chooses one by its id wants to see its name. */
  onNames?: (names: ReadonlyMap<string, string>) => void;
  onDone: () => void;
}

/** The values of one filter. */
export function FilterChoices(props: Props) {
  const log = usePart();
  const { texts, session, view, change } = log;
  const chosen = (key: ListKey) => ({
    chosen: view.lists[key],
    onChange: (values: readonly string[]) => change(withList(view, key, values)),
  });
  switch (props.kind) {
    case 'CATEGORY':
      return <CategoryChoices {...props} />;
    case 'ACTION':
      return <ActionChoices {...props} />;
    case 'ACTOR':
      return <ActorChoices {...props} />;
    case 'OUTCOME': {
      const counts = countsOf(log, props.facets?.outcomes);
      const options = Object.entries(texts.outcomes).map(([value, label]) => ({
        value,
        label,
        count: counts.get(value),
      }));
      return <Choices {...props} options={options} {...chosen('outcome')} />;
    }
    case 'ACTOR_KIND': {
      const options = session.viewer.product.actorKinds.map(({ kind: value }) => ({
        value,
        label: actorKindName(log, value),
      }));
      return <Choices {...props} options={options} {...chosen('actorKind')} />;
    }
    default:
      return null;
  }
}

interface Facet {
  exact: boolean;
  buckets: readonly { value: string; count: number }[];
}

/** How many events each value has, in words; of a very long list only a part is counted, and that is said. */
const countsOf = ({ texts, format }: PartContext, facet: Facet | undefined) =>
  new Map(
    facet?.buckets.map(({ value, count }) => {
      const number = format.number(count);
      return [value, facet.exact ? number : texts.atLeast(number)];
    }),
  );

function CategoryChoices(props: Props) {
  const log = usePart();
  const { view, session, change } = log;
  const { categories, actions } = session.catalog;
  const counts = countsOf(log, props.facets?.categories);
  const onChange = (chosen: readonly string[]) => {
    // An action of a category that is no longer chosen could only ever find nothing.
    const fits = (name: string) => {
      const category = actions.find((action) => action.name === name)?.category?.code;
      return chosen.length === 0 || category === undefined || chosen.includes(category);
    };
    change(withList(withList(view, 'category', chosen), 'action', view.lists.action.filter(fits)));
  };
  return (
    <Choices
      {...props}
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

function ActionChoices(props: Props) {
  const log = usePart();
  const { view, session, change } = log;
  const { actions, open, openPrefixes } = session.catalog;
  const categories = view.lists.category;
  const counts = countsOf(log, props.facets?.actions);
  const listed = new Set(actions.map(({ name }) => name));
  const byName = session.viewer.product.actionDisplay === 'NAME';
  const options: Option[] = actions
    .filter(({ category }) => categories.length === 0 || (category !== null && categories.includes(category.code)))
    .map(({ name, description }) => {
      const label = actionName(log, name);
      return { value: exactly(name), label, hint: byName ? (description ?? undefined) : name, count: counts.get(name) };
    });
  // An open catalog records names that nobody listed; those that are in the log can be chosen too.
  for (const { value, label } of props.facets?.actions.buckets ?? []) {
    if (listed.has(value)) continue;
    options.push({ value: exactly(value), label: byName ? value : (label ?? value), count: counts.get(value) });
  }
  return (
    <Choices
      {...props}
      options={options}
      chosen={view.lists.action}
      free={open || openPrefixes.length > 0}
      onChange={(chosen) => change(withList(view, 'action', chosen))}
    />
  );
}

function ActorChoices(props: Props) {
  const { view, config, change } = usePart();
  const [actors, setActors] = useState<readonly Actor[]>([]);
  const [text, setText] = useState('');
  const [isFailed, setFailed] = useState(false);
  useEffect(() => {
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
  const found = new Map([...options].map(([value, { label }]) => [value, label]));
  const chosen = chosenActors(view);
  for (const value of chosen) {
    if (!options.has(value)) options.set(value, { value, label: value.slice(value.indexOf(':') + 1) });
  }
  const onChange = (values: readonly string[]) => {
    props.onNames?.(found);
    const of = (prefix: string) =>
      values.filter((value) => value.startsWith(prefix)).map((value) => value.slice(prefix.length));
    change(chosenKeys.reduce((changed, key) => withList(changed, key, of(chosenBy[key])), view));
  };
  return (
    <Choices
      {...props}
      options={[...options.values()]}
      chosen={chosen}
      onSearch={setText}
      isFailed={isFailed}
      onChange={onChange}
    />
  );
}
