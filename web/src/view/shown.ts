// What a list holds that names no log, or one that has others below.
import type { Viewer } from '../api/documents.ts';
import { everyLog, type LogRef, type View } from './view.ts';

type Reader = Pick<Viewer, 'organization'> & {
  logs: readonly Pick<Viewer['logs'][number], 'level' | 'externalId'>[];
  product: Pick<Viewer['product'], 'levels'>;
};

/** The log of a list that names none: the one that a token is narrowed to, else the organization's own. */
export function ownLog({ logs: [own], organization, product }: Reader): LogRef | null {
  if (own) return { level: own.level, id: own.externalId };
  return organization === null ? null : { level: product.levels[0]!.name, id: organization };
}

/** Whether a list holds events of several logs: those below its own too. */
export function showsSeveralLogs(reader: Reader, log: View['log']): boolean {
  const { levels } = reader.product;
  const name = (log === null || log === everyLog ? ownLog(reader) : log)?.level;
  const level = levels.find((one) => one.name === name) ?? levels[0]!;
  return levels.some(({ parent }) => parent === level.name) && (log === everyLog || level.includeNested);
}
