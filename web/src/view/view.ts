import type { PeriodPreset } from '../api/documents.ts';

/** The filters that hold exact values: any number of each, OR inside one, AND between them. */
export const listKeys = [
  'category',
  'action',
  'outcome',
  'actorKind',
  'actorId',
  'actorName',
  'email',
  'resourceType',
  'resourceId',
  'resourceName',
  'ip',
  'correlationId',
  'source',
  'sourceEventId',
] as const;
export type ListKey = (typeof listKeys)[number];

export interface LogRef {
  level: string;
  id: string;
}

/** Every log that can be read, whatever a list shows by itself. */
export const everyLog = '*';

/** Everything that decides what is on the screen. A link carries exactly this. */
export interface View {
  search: string;
  emailContains: string;
  lists: Readonly<Record<ListKey, readonly string[]>>;
  /** Null is the list as the product has it: of the organization's own log, with or without those below. */
  log: LogRef | typeof everyLog | null;
  /** Calendar days, both inclusive, in `zone`. */
  from: string | null;
  to: string | null;
  period: PeriodPreset | null;
  /** The zone that the dates are meant in; null is the reader's own. */
  zone: string | null;
  after: string | null;
  before: string | null;
  /** The event whose row is open. */
  event: string | null;
}

export const emptyView: View = {
  search: '',
  emailContains: '',
  lists: Object.fromEntries(listKeys.map((key) => [key, []])) as unknown as View['lists'],
  log: null,
  from: null,
  to: null,
  period: null,
  zone: null,
  after: null,
  before: null,
  event: null,
};

export const periodPresets = [
  'TODAY',
  'LAST_7_DAYS',
  'LAST_30_DAYS',
  'LAST_90_DAYS',
] as const satisfies readonly PeriodPreset[];

/** Changes what is asked for. Cursors and the open row belong to the old question and go with it. */
export function refine(view: View, change: Partial<View>): View {
  return { ...view, after: null, before: null, event: null, ...change };
}

export function withList(view: View, key: ListKey, values: readonly string[]): View {
  return refine(view, { lists: { ...view.lists, [key]: [...new Set(values)] } });
}

/** An action as a filter value. The server reads a star at the end as "begins with", so a name's own is escaped. */
export function exactly(action: string): string {
  return action.endsWith('*') ? `${action.slice(0, -1)}\\*` : action;
}

/** A calendar range; it replaces a preset, since the server takes one or the other. */
export function withDays(view: View, from: string | null, to: string | null): View {
  const ordered = from && to && from > to ? { from: to, to: from } : { from, to };
  return refine(view, { ...ordered, period: null });
}

export function withPeriod(view: View, period: PeriodPreset | null): View {
  return refine(view, { period, from: null, to: null });
}

export function cleared(view: View): View {
  return { ...emptyView, zone: view.zone };
}

export function isFiltered(view: View): boolean {
  return (
    view.search.trim() !== '' ||
    view.emailContains !== '' ||
    view.log !== null ||
    view.from !== null ||
    view.to !== null ||
    view.period !== null ||
    listKeys.some((key) => view.lists[key].length > 0)
  );
}

/** The same question, whatever page or row of its answer is in sight. */
export function questionOf(view: View): string {
  const { after: _after, before: _before, event: _event, ...question } = view;
  return JSON.stringify(question);
}
