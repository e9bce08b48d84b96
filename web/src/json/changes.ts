// What an event changed, where its metadata says so: pairs such as before and after.
import { childrenOf, inOneLine, type JsonNode } from './tree.ts';

export interface Change {
  /** Where in the metadata, with dots between the names; empty for the whole of it. */
  path: string;
  /** Null where it was not there before, or is not any more. */
  before: JsonNode | null;
  after: JsonNode | null;
}

export interface Told {
  changes: readonly Change[];
  /** All other leaves, in their order. */
  rest: readonly { path: string; value: JsonNode }[];
}

const pairs: readonly (readonly [string, string])[] = [
  ['before', 'after'],
  ['old', 'new'],
  ['from', 'to'],
  ['previous', 'current'],
  ['old_value', 'new_value'],
  ['oldValue', 'newValue'],
];
/** What only holds changes adds nothing to their paths. */
const holders = new Set(['changes', 'changed', 'diff', 'delta', 'modifications']);
/** How an entry of a list of changes names what was changed. */
const namers = ['field', 'key', 'attribute', 'property', 'path', 'name'];

export const joined = (path: string, name: string): string => (path ? `${path}.${name}` : name);

/** Reads metadata as people would tell it: what was changed, and everything else. */
export function readChanges(root: JsonNode): Told {
  const changes: Change[] = [];
  const rest: { path: string; value: JsonNode }[] = [];

  const visit = (node: JsonNode, path: string): void => {
    if (node.kind === 'array') {
      // A list of plain values is one value.
      if (node.items.every(isLeaf)) rest.push({ path, value: node });
      else node.items.forEach((item, index) => visit(item, nameOf(item, path) ?? joined(path, String(index))));
      return;
    }
    if (node.kind !== 'object') {
      rest.push({ path, value: node });
      return;
    }
    const pair = pairOf(node);
    if (pair) compare(pair.before, pair.after, path, changes);
    // The entry that gave a pair of a list its name has been told with it.
    const told = pair?.name !== undefined && `.${path}`.endsWith(`.${pair.name}`) ? pair.namer : undefined;
    for (const { key, value } of node.entries) {
      if (pair?.keys.includes(key) || key === told) continue;
      visit(value, path === '' && holders.has(key) && holdsMore(value) ? '' : joined(path, key));
    }
  };
  visit(root, '');
  return { changes, rest };
}

const isLeaf = ({ kind }: JsonNode) => kind === 'string' || kind === 'literal';

/** A plain value, or a list of some, would stand there without a name. */
const holdsMore = (node: JsonNode) => !isLeaf(node) && !(node.kind === 'array' && node.items.every(isLeaf));

function pairOf(node: JsonNode) {
  if (node.kind !== 'object') return null;
  const value = (key: string) => node.entries.find((entry) => entry.key === key)?.value;
  for (const keys of pairs) {
    const [before, after] = [value(keys[0]), value(keys[1])];
    if (!before || !after) continue;
    const namer = namers.find((key) => value(key)?.kind === 'string');
    const name = namer && value(namer);
    return { keys, before, after, namer, name: name && name.kind === 'string' ? name.text : undefined };
  }
  return null;
}

/** The path of an entry of a list of changes, where it names what it changed. */
function nameOf(item: JsonNode, path: string): string | null {
  const name = pairOf(item)?.name;
  return name ? joined(path, name) : null;
}

function compare(before: JsonNode, after: JsonNode, path: string, changes: Change[]): void {
  if (before.kind !== 'object' || after.kind !== 'object') {
    changes.push({ path, before: isNothing(before) ? null : before, after: isNothing(after) ? null : after });
    return;
  }
  const names = [...new Set([...childrenOf(before), ...childrenOf(after)].map(({ name }) => name))];
  const valueIn = (node: JsonNode, name: string) => childrenOf(node).find((child) => child.name === name)?.value;
  for (const name of names) {
    const [was, is] = [valueIn(before, name), valueIn(after, name)];
    if (was && is) {
      // What stayed as it was is no change; the whole of both stands in the metadata below.
      if (inOneLine(was) !== inOneLine(is)) compare(was, is, joined(path, name), changes);
    } else {
      changes.push({ path: joined(path, name), before: was ?? null, after: is ?? null });
    }
  }
}

const isNothing = (node: JsonNode) => node.kind === 'literal' && node.text === 'null';

/** The metadata in one line, for a table cell: `plan: free → pro, provider: GitHub`. */
export function summarise(root: JsonNode, limit = 160): string {
  const { changes, rest } = readChanges(root);
  const parts: string[] = [];
  let length = 0;
  const add = (path: string, text: string) => {
    if (length > limit || (text === '' && path === '')) return;
    const part = path ? `${path}: ${text}` : text;
    parts.push(part);
    length += part.length + 2;
  };
  const side = (node: JsonNode | null) => (node ? inOneLine(node) : '–');
  for (const { path, before, after } of changes) add(path, `${side(before)} → ${side(after)}`);
  for (const { path, value } of rest) add(path, inOneLine(value));
  return parts.join(', ');
}
