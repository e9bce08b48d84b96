import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { FilterKind, Overview } from '../api/documents.ts';
import { ownLog, showsSeveralLogs } from '../view/shown.ts';
import {
  chosenActors,
  everyLog,
  exactly,
  refine,
  withList,
  type ListKey,
  type LogRef,
  type View,
} from '../view/view.ts';
import { useLog, type LogContext } from './context.ts';
import { actionName, actorKindName, categoryName, columnLabel, filterWords, logName, outcomeName } from './names.ts';
import { FilterChoices } from './parts.ts';
import { Picker } from './Picker.tsx';
import { TypedField, ValueField } from './TextField.tsx';

export type Facets = Overview['facets'];

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
  const pick = (
    label: string,
    key: ListKey,
    nameOf: (value: string) => string,
    everything: string = texts.all,
  ): ComponentChildren => {
    const shown = { label: words?.label ?? label, everything: words?.allLabel ?? everything };
    return (
      <Picker {...shown} chosen={view.lists[key].map(nameOf)}>
        {(id, close) => <FilterChoices kind={kind} id={id} {...shown} facets={facets} onDone={close} />}
      </Picker>
    );
  };
  const add = (key: ListKey) => (value: string) => change(withList(view, key, [...view.lists[key], value]));
  switch (kind) {
    case 'SEARCH':
      // The box of the toolbar.
      return null;
    case 'CATEGORY':
      if (session.catalog.categories.length < 2) return null;
      return pick(columnLabel(log, 'CATEGORY', texts.category), 'category', (value) => categoryName(log, value));
    case 'ACTION': {
      const label = columnLabel(log, 'ACTION', texts.action);
      return pick(label, 'action', (value) => chosenActionName(log, facets, value), texts.allEvents);
    }
    case 'EMAIL':
      return (
        <TypedField
          label={words?.label ?? texts.email}
          hint={words?.hint ?? texts.emailHint}
          value={view.emailContains}
          onTyped={(emailContains) => change(refine(view, { emailContains }), 'typing')}
        />
      );
    case 'OUTCOME':
      return pick(texts.outcome, 'outcome', (value) => outcomeName(log, value));
    case 'ACTOR_KIND':
      return pick(texts.actorKind, 'actorKind', (value) => actorKindName(log, value));
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

/** An action that is filtered by, as the list of actions names it. */
function chosenActionName(log: LogContext, facets: Facets, value: string): string {
  const { catalog, viewer } = log.session;
  const listed = catalog.actions.find(({ name }) => exactly(name) === value);
  if (listed) return actionName(log, listed.name);
  const counted = facets?.actions.buckets.find((bucket) => exactly(bucket.value) === value);
  return (viewer.product.actionDisplay === 'NAME' ? counted?.value : (counted?.label ?? counted?.value)) ?? value;
}

/** Actors as they were chosen by name from a list, which knows more of them than their ids. */
function ActorPicker() {
  const log = useLog();
  const { texts, view } = log;
  const words = filterWords(log, 'ACTOR');
  const [names, setNames] = useState<ReadonlyMap<string, string>>(new Map());
  const shown = { label: words?.label ?? texts.actor, everything: words?.allLabel ?? texts.all };
  const chosen = chosenActors(view);
  return (
    <Picker {...shown} chosen={chosen.map((value) => names.get(value) ?? value.slice(value.indexOf(':') + 1))}>
      {(id, close) => (
        <FilterChoices
          kind="ACTOR"
          id={id}
          {...shown}
          facets={null}
          onNames={(found) => setNames((former) => new Map([...former, ...found]))}
          onDone={close}
        />
      )}
    </Picker>
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
