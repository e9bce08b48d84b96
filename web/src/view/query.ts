// The query box beside the filters. A part that says what a filter can say becomes that filter, so that menus, chips and
// text are one thing, and nothing is asked for twice; all other parts stay text, and are chips of their own.
import { isTerm, queryParts, type QueryField, type QueryPart } from '../words/query.ts';
import type { ListKey, NotKey, View } from './view.ts';

const lists: Partial<Record<QueryField, ListKey>> = {
  action: 'action',
  category: 'category',
  outcome: 'outcome',
  kind: 'actorKind',
  ip: 'ip',
  source: 'source',
  correlation: 'correlationId',
};
const nots: Partial<Record<QueryField, NotKey>> = { action: 'action', category: 'category', kind: 'actorKind' };
const known: Partial<Record<QueryField, readonly string[]>> = {
  outcome: ['SUCCESS', 'FAILURE', 'ACCEPTED'],
  kind: ['USER', 'API_KEY', 'SERVICE', 'STAFF', 'SYSTEM', 'ANONYMOUS'],
};
const times: readonly (QueryField | null)[] = ['after', 'before', 'on'];

/** The values of a part as a filter has them; null where it is none that a filter can be. */
function filterOf(part: QueryPart): { key: ListKey; values: string[] } | { not: NotKey; values: string[] } | null {
  const { field, isExcluded } = part;
  if (field === null) return null;
  const values = part.values.map(({ text, isQuoted }) => {
    if (known[field]) return text.toUpperCase();
    return field === 'action' && isQuoted ? text.replaceAll('*', '\\*') : text;
  });
  const isUsable = values.every((value) => value !== '' && (known[field]?.includes(value) ?? true));
  // An address with a star is refused, and that is for the service to say.
  if (!isUsable || (field === 'ip' && part.values.some(({ text, isQuoted }) => !isQuoted && text.endsWith('*'))))
    return null;
  const [key, not] = [lists[field], nots[field]];
  if (isExcluded) return not ? { not, values } : null;
  return key ? { key, values } : null;
}

/** Whether a part says what a filter can say. */
export const isFilter = (part: QueryPart): boolean => filterOf(part) !== null;

/** Whether a part that is still being typed says something already, so that the list can follow. */
export function isUsual(part: QueryPart, { actions, categories }: Names): boolean {
  const { field, values, isOpen, isExcluded } = part;
  if (field === null || isOpen) return false;
  return values.every(({ text }) => {
    if (text === '') return false;
    switch (field) {
      case 'outcome':
      case 'kind':
        return known[field]!.includes(text.toUpperCase());
      case 'action':
        return text.endsWith('*') || actions.some(({ name }) => name === text);
      case 'category':
        return categories.some(({ code }) => code === text);
      case 'has':
        return ['actor', 'masked', 'truncated'].includes(text);
      case 'after':
      case 'before':
      case 'on':
        return !isExcluded && /^(\d{4}-\d\d-\d\d|[1-9]\d*[mhdw]|today|yesterday)$/.test(text);
      default:
        return true;
    }
  });
}

interface Names {
  actions: readonly { name: string }[];
  categories: readonly { code: string }[];
}

/** The text without one of its parts. */
export function withoutPart(search: string, { from, to }: QueryPart): string {
  return `${search.slice(0, from)} ${search.slice(to)}`.replace(/\s+/gu, ' ').trim();
}

/** The view whose text has no part left that a filter can say. Of times, the text's own count: it was said last. */
export function settled(view: View): View {
  let changed = view;
  const rest: QueryPart[] = [];
  for (const part of queryParts(view.search)) {
    const filter = filterOf(part);
    if (filter === null) rest.push(part);
    else if ('key' in filter) {
      const { key, values } = filter;
      changed = { ...changed, lists: { ...changed.lists, [key]: [...new Set([...changed.lists[key], ...values])] } };
    } else {
      const { not, values } = filter;
      changed = { ...changed, not: { ...changed.not, [not]: [...new Set([...changed.not[not], ...values])] } };
    }
  }
  if (rest.some(isTime)) changed = { ...changed, from: null, to: null, period: null };
  return changed === view ? view : { ...changed, search: joined(rest, view.search) };
}

const isTime = ({ field }: QueryPart): boolean => times.includes(field);

/** The text without its times: those of the range count from now on. */
export function timeless(search: string): string {
  const parts = queryParts(search);
  return parts.some(isTime)
    ? joined(
        parts.filter((part) => !isTime(part)),
        search,
      )
    : search;
}

/** Terms first, so that what is still being typed stays at the end. */
function joined(parts: readonly QueryPart[], former: string): string {
  const inOrder = [...parts.filter(isTerm), ...parts.filter((part) => !isTerm(part))];
  const text = inOrder.map((part) => part.text).join(' ');
  return inOrder.length > 0 && !isTerm(inOrder.at(-1)!) && /\s$/u.test(former) ? `${text} ` : text;
}
