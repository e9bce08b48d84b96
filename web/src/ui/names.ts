// What codes are called on the screen.
import type { ActorKind, Outcome } from '../api/documents.ts';
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

export function actorKindName({ texts }: LogContext, kind: string): string {
  return texts.actorKinds[kind as ActorKind] ?? kind;
}

/** A log by its level and name. An event knows its log's; an address only names one, and the viewer may know more. */
export function logName({ session, texts }: LogContext, ref: LogRef & { name?: string | null; deletedAt?: string | null }): string {
  const known = session.viewer.logs.find(({ level, externalId }) => level === ref.level && externalId === ref.id);
  const level = session.viewer.product.levels.find(({ name }) => name === ref.level);
  const name = `${level?.label ?? ref.level} ${ref.name ?? known?.name ?? ref.id}`;
  return ref.deletedAt || known?.deletedAt ? texts.deletedLog(name) : name;
}

/** The product's own heading of a column, where it shows one. */
export function columnLabel({ session }: LogContext, kind: string, otherwise: string): string {
  return session.viewer.product.columns.find((column) => column.kind === kind)?.label ?? otherwise;
}
