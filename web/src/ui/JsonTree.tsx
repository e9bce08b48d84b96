import { childrenOf, type JsonNode } from '../json/tree.ts';
import { usePart } from './context.ts';
import { Marked } from './Marked.tsx';

/** Branches with more leaves than this start closed, so that a large record does not bury the page. */
const openUpTo = 30;

export function JsonTree({ node, label }: { node: JsonNode; label: string }) {
  return (
    // It scrolls, so the keyboard must be able to reach it.
    <div class="tree" tabIndex={0} role="group" aria-label={label}>
      <Node node={node} depth={0} />
    </div>
  );
}

function Node({ node, depth }: { node: JsonNode; depth: number }) {
  if (node.kind === 'string') return <Marked text={node.text} />;
  if (node.kind === 'literal') {
    return (
      <span class="literal">
        <Marked text={node.text} />
      </span>
    );
  }
  return (
    <ul>
      {childrenOf(node).map(({ name, value }, index) => (
        <li key={index}>
          <Branch name={name} node={value} depth={depth} />
        </li>
      ))}
    </ul>
  );
}

function Branch({ name, node, depth }: { name: string; node: JsonNode; depth: number }) {
  const { texts, format } = usePart();
  const size = node.kind === 'object' ? node.entries.length : node.kind === 'array' ? node.items.length : null;
  if (size === null) {
    return (
      <>
        <span class="key">
          <Marked text={name} />
        </span>{' '}
        <Node node={node} depth={depth} />
      </>
    );
  }
  return (
    <details open={size <= openUpTo && depth < 3}>
      <summary>
        <span class="key">
          <Marked text={name} />
        </span>{' '}
        <span class="aside">
          <bdi>{texts.items(format.count(size))}</bdi>
        </span>
      </summary>
      <Node node={node} depth={depth + 1} />
    </details>
  );
}
