// What a host has fixed of the view: readers narrow it further, and cannot leave it. It is no access rule: what a reader
// may see at all, the service decides by the token.
import type { FilterKind } from '../api/documents.ts';
import type { Session } from '../log/session.ts';
import { timeless } from './query.ts';
import { emptyView, listKeys, notKeys, type ListKey, type View } from './view.ts';

const isDated = ({ from, to, period }: View) => Boolean(from ?? to ?? period);

/** The part of a reader's view that is theirs to choose. */
export function within(view: View, locked: View): View {
  if (locked === emptyView) return view;
  const lists = { ...view.lists };
  for (const key of listKeys) {
    const allowed = locked.lists[key];
    if (allowed.length > 0) lists[key] = lists[key].filter((value) => allowed.some((one) => includes(key, one, value)));
  }
  return {
    ...view,
    lists,
    emailContains: locked.emailContains ? '' : view.emailContains,
    log: locked.log ? null : view.log,
    ...(isDated(locked) ? { from: null, to: null, period: null, search: timeless(view.search) } : {}),
  };
}

/** What is asked for: what the reader chose, within what the host has fixed. */
export function asked(view: View, locked: View): View {
  if (locked === emptyView) return view;
  const lists = { ...view.lists };
  for (const key of listKeys) if (lists[key].length === 0) lists[key] = locked.lists[key];
  const not = { ...view.not };
  for (const key of notKeys) not[key] = [...new Set([...locked.not[key], ...not[key]])];
  const { from, to, period } = isDated(locked) ? locked : view;
  return {
    ...view,
    lists,
    not,
    search: [locked.search, view.search].filter((words) => words.trim() !== '').join(' '),
    emailContains: locked.emailContains || view.emailContains,
    log: locked.log ?? view.log,
    from,
    to,
    period,
    zone: isDated(locked) ? (locked.zone ?? view.zone) : view.zone,
  };
}

/** Of actions, a star at the end stands for every ending. */
function includes(key: ListKey, allowed: string, value: string): boolean {
  const isPrefix = key === 'action' && allowed.endsWith('*') && !allowed.endsWith('\\*');
  return isPrefix ? value.startsWith(allowed.slice(0, -1)) : value === allowed;
}

const controls: Partial<Record<ListKey, FilterKind>> = {
  category: 'CATEGORY',
  action: 'ACTION',
  outcome: 'OUTCOME',
  actorKind: 'ACTOR_KIND',
  actorId: 'ACTOR',
  actorName: 'ACTOR',
  email: 'ACTOR',
  resourceType: 'RESOURCE_TYPE',
  resourceId: 'RESOURCE_ID',
  resourceName: 'RESOURCE_NAME',
  ip: 'IP_ADDRESS',
};

/** The session without the controls of what is fixed, and with the columns that the host chose. */
export function withHost(session: Session, locked: View, columns: Session['viewer']['product']['columns']): Session {
  const fixed = new Set<FilterKind | undefined>(
    listKeys.filter((key) => locked.lists[key].length > 0).map((key) => controls[key]),
  );
  if (locked.emailContains) fixed.add('EMAIL');
  if (locked.log) fixed.add('LOG');
  const { viewer } = session;
  const { product } = viewer;
  return {
    ...session,
    viewer: {
      ...viewer,
      logChoices: locked.log ? [] : viewer.logChoices,
      product: {
        ...product,
        columns: columns.length > 0 ? columns : product.columns,
        filters: product.filters.filter(({ kind }) => !fixed.has(kind)),
        dateFilter: isDated(locked) ? 'NONE' : product.dateFilter,
      },
    },
  };
}
