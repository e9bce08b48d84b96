import { spelled } from '../words/visible.ts';
import { usePart, type PartContext } from './context.ts';
import type { Flaw } from './QueryBox.tsx';

interface Props {
  id: string;
  flaw: Flaw;
  hasRows: boolean;
  /** Puts another text in the place of the part. */
  onMend: (part: string) => void;
}

/** What is wrong with a part of the text, in the reader's language, and what would be right. */
export function QueryFlaw({ id, flaw, hasRows, onMend }: Props) {
  const log = usePart();
  const { part, from, to, suggestions } = flaw;
  return (
    <div class="flaw" role="alert">
      <p id={id}>
        <code>
          <bdi>
            {spelled(part.text.slice(0, from))}
            <span class="flaw-mark">{spelled(part.text.slice(from, to))}</span>
            {spelled(part.text.slice(to))}
          </bdi>
        </code>{' '}
        {reason(log, flaw)} {hasRows && <span class="aside">{log.texts.formerRows}</span>}
      </p>
      {suggestions.map((suggestion) => (
        <button
          key={suggestion}
          type="button"
          class="button"
          onClick={() => onMend(`${part.text.slice(0, from)}${suggestion}${part.text.slice(to)}`)}
        >
          <code>{suggestion}</code>
        </button>
      ))}
    </div>
  );
}

function reason({ texts, config }: PartContext, { part, from, to, suggestions }: Flaw): string {
  const flaws = texts.queryFlaws;
  const { field, values, text } = part;
  if (suggestions.length > 0) {
    return flaws.oneOf(new Intl.ListFormat(config.locale, { type: 'disjunction' }).format(suggestions));
  }
  if (field === null) return /^(AND|OR|NOT)$/.test(text) ? flaws.operator(text) : flaws.noWord;
  if (values.some((value) => value.text === '')) return flaws.value;
  const isWhole = from === 0 && to === text.length;
  const isTime = field === 'after' || field === 'before' || field === 'on';
  return isTime && (!isWhole || (field === 'on' && values.length === 1)) ? flaws.time : flaws.other;
}
