import type { PeriodPreset } from '../api/documents.ts';
import { timeless } from './query.ts';

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

/** The filters whose values can be left out instead. */
export const notKeys = ['category', 'action', 'actorKind', 'actorId'] as const satisfies readonly ListKey[];
export type NotKey = (typeof notKeys)[number];

/** Every log that can be read, whatever a list shows by itself. */
export const everyLog = '*';

/** Everything that decides what is on the screen. A link carries exactly this. */
export interface View {
  /** What stands in the query box besides the filters: words, and what no filter can say. */
  search: string;
  emailContains: string;
  lists: Readonly<Record<ListKey, readonly string[]>>;
  /** What is left out. */
  not: Readonly<Record<NotKey, readonly string[]>>;
  /** Null is the list as the product has it: of the organization's own log, with or without those below. */
  log: LogRef | typeof everyLog | null;
  /** Calendar days, or minutes as YYYY-MM-DDTHH:MM; both inclusive, in `zone`. They may be a part of `period`. */
  from: string | null;
  to: string | null;
  period: Period | null;
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
  not: { category: [], action: [], actorKind: [], actorId: [] },
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

/** Stretches of time that end now, in minutes. */
export const recentMinutes = { LAST_15_MINUTES: 15, LAST_HOUR: 60, LAST_4_HOURS: 240, LAST_24_HOURS: 1440 } as const;
export type Recent = keyof typeof recentMinutes;
export type Period = PeriodPreset | Recent;
export const recents = Object.keys(recentMinutes) as Recent[];
export const isRecent = (period: Period): period is Recent => period in recentMinutes;

/** Changes what is asked for. Cursors and the open row belong to the old question and go with it. */
export function refine(view: View, change: Partial<View>): View {
  return { ...view, after: null, before: null, event: null, ...change };
}

export function withList(view: View, key: ListKey, values: readonly string[]): View {
  return refine(view, { lists: { ...view.lists, [key]: [...new Set(values)] } });
}

export function withNot(view: View, key: NotKey, values: readonly string[]): View {
  return refine(view, { not: { ...view.not, [key]: [...new Set(values)] } });
}

/** How actors are chosen: by id where there is one, else by address, else by name; others cannot be told apart. */
export const chosenBy = { actorId: 'id:', email: 'email:', actorName: 'name:' } as const satisfies Partial<
  Record<ListKey, string>
>;
export const chosenKeys = Object.keys(chosenBy) as (keyof typeof chosenBy)[];

/** The actors that are filtered by, each with how it was chosen. */
export const chosenActors = (view: View): string[] =>
  chosenKeys.flatMap((key) => view.lists[key].map((text) => `${chosenBy[key]}${text}`));

/** An action as a filter value. The server reads a star at the end as "begins with", so a name's own is escaped. */
export function exactly(action: string): string {
  return action.endsWith('*') ? `${action.slice(0, -1)}\\*` : action;
}

/** A range of its own; it replaces a preset. */
export function withDays(view: View, from: string | null, to: string | null): View {
  return refine(view, { ...inOrder(from, to), period: null, search: timeless(view.search) });
}

/** A part of the range in sight, which stays in sight around it. */
export function withPart(view: View, from: string | null, to: string | null): View {
  return refine(view, { ...inOrder(from, to), search: timeless(view.search) });
}

/** A day without a time means all of it, so it is compared by its beginning or its end. */
function inOrder(from: string | null, to: string | null): Pick<View, 'from' | 'to'> {
  const at = (limit: string, time: string) => (limit.includes('T') ? limit : `${limit}T${time}`);
  return from && to && at(from, '00:00') > at(to, '23:59') ? { from: to, to: from } : { from, to };
}

export function withPeriod(view: View, period: Period | null): View {
  return refine(view, { period, from: null, to: null, search: timeless(view.search) });
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
    listKeys.some((key) => view.lists[key].length > 0) ||
    notKeys.some((key) => view.not[key].length > 0)
  );
}

/** The same question, whatever page or row of its answer is in sight. */
export function questionOf(view: View): string {
  const { after: _after, before: _before, event: _event, ...question } = view;
  return JSON.stringify(question);
}
