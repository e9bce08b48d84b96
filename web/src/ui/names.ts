// What codes are called on the screen.
import type { Actor, ActorKind, FilterKind, Outcome } from '../api/documents.ts';
import { usualActorKinds } from '../texts.ts';
import type { LogRef } from '../view/view.ts';
import type { LogContext } from './context.ts';

export function categoryName({ session }: LogContext, code: string): string {
  return session.catalog.categories.find((category) => category.code === code)?.label ?? code;
}

export function actionName({ session }: LogContext, name: string): string {
  if (session.viewer.product.actionDisplay === 'NAME') return name;
  return session.catalog.actions.find((action) => action.name === name)?.label ?? name;
}

export function outcomeName({ texts }: LogContext, outcome: string): string {
  return texts.outcomes[outcome as Outcome] ?? outcome;
}

/** What a kind of actor is called: the product's own word, else that of the reader's language. */
export function actorKindName({ texts, session }: LogContext, kind: string): string {
  const own = session.viewer.product.actorKinds.find((one) => one.kind === kind)?.label;
  return own === undefined || own === usualActorKinds[kind] ? (texts.actorKinds[kind as ActorKind] ?? kind) : own;
}

/** What to write beside an actor's name. That somebody is a person needs no word, unless the product has one of its own. */
export function actorBadge({ texts }: LogContext, { kind, kindLabel }: Actor, title: string): string | null {
  const isUsual = kindLabel === usualActorKinds[kind];
  const name = isUsual ? texts.actorKinds[kind] : kindLabel;
  return name === title || (kind === 'USER' && isUsual) ? null : name;
}

/** The product's own words for a filter, where it has some. */
export function filterWords({ session }: LogContext, kind: FilterKind) {
  return session.viewer.product.filters.find((filter) => filter.kind === kind);
}

/** A log by its level and name. An event knows its log's; an address only names one, and the viewer may know more. */
export function logName(
  { session, texts }: LogContext,
  ref: LogRef & { name?: string | null; deletedAt?: string | null },
): string {
  const known = session.viewer.logs.find(({ level, externalId }) => level === ref.level && externalId === ref.id);
  const level = session.viewer.product.levels.find(({ name }) => name === ref.level);
  const name = `${level?.label ?? ref.level} ${ref.name ?? known?.name ?? ref.id}`;
  return ref.deletedAt || known?.deletedAt ? texts.deletedLog(name) : name;
}

/** The product's own heading of a column, where it shows one. */
export function columnLabel({ session }: LogContext, kind: string, otherwise: string): string {
  return session.viewer.product.columns.find((column) => column.kind === kind)?.label ?? otherwise;
}
