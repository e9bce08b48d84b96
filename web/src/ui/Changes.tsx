import { inOneLine, type JsonNode } from '../json/tree.ts';
import type { Change } from '../json/changes.ts';
import { usePart } from './context.ts';
import { Marked } from './Marked.tsx';

/** What was changed, each value before beside the one after. */
export function Changes({ changes }: { changes: readonly Change[] }) {
  const { texts } = usePart();
  return (
    <dl class="changes">
      {changes.map(({ path, before, after }, index) => (
        <div key={index}>
          <dt>{path ? <Marked text={path} /> : texts.metadata}</dt>
          <dd>
            <Side node={before} name={texts.changeBefore} element="del" />{' '}
            <span class="arrow" aria-hidden="true">
              →
            </span>{' '}
            <Side node={after} name={texts.changeAfter} element="ins" />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Side({ node, name, element: Element }: { node: JsonNode | null; name: string; element: 'del' | 'ins' }) {
  const { texts } = usePart();
  const text = node && inOneLine(node);
  return (
    <Element>
      <span class="unseen">{name} </span>
      {text === null || text === '' ? (
        <span class="nothing">
          <span aria-hidden="true">–</span>
          <span class="unseen">{texts.noValue}</span>
        </span>
      ) : (
        <Marked text={text} />
      )}
    </Element>
  );
}
