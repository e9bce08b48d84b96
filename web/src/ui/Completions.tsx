import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { completionsQuery, type Completion } from '../api/completions.ts';
import type { QueryField } from '../words/query.ts';
import { spelled } from '../words/visible.ts';
import { usePart, type LogContext } from './context.ts';
import { outcomeName } from './names.ts';

/** Long enough that a word is asked about once, short enough that the list keeps up with whoever types. */
const pauseMs = 120;

interface Props {
  id: string;
  text: string;
  /** Where the cursor stands, in code units of the text. */
  at: number;
  active: number;
  options: readonly Completion[];
  onOptions: (found: readonly Completion[]) => void;
  onTake: (option: Completion) => void;
}

/** What could be meant where the cursor stands, by the service: from the catalog, and from whom the log tells of. */
export function Completions({ id, text, at, active, options, onOptions, onTake }: Props) {
  const log = usePart();
  const { config, texts } = log;
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const asked = new AbortController();
    const timer = setTimeout(() => {
      const variables = { organization: config.organization, text, at: [...text.slice(0, at)].length };
      config.client.ask(completionsQuery, variables, asked.signal).then(
        ({ queryCompletions }) => onOptions((queryCompletions ?? []).filter((one) => isOther(one, text))),
        // Whoever types needs no help to go on.
        () => asked.signal.aborted || onOptions([]),
      );
    }, pauseMs);
    return () => {
      clearTimeout(timer);
      asked.abort();
    };
  }, [text, at, config]);
  useLayoutEffect(() => {
    list.current?.querySelector('[data-active]')?.scrollIntoView({ block: 'nearest' });
  }, [active]);
  if (options.length === 0) return null;
  return (
    <div ref={list} id={`${id}-list`} class="panel options completions" role="listbox" aria-label={texts.suggestions}>
      {options.map((option, index) => {
        const label = labelOf(log, option, text);
        return (
          <div
            key={option.text}
            id={`${id}-${index}`}
            class="option"
            role="option"
            aria-selected={index === active}
            data-active={index === active ? '' : undefined}
            // The focus stays in the box.
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => onTake(option)}
          >
            <code>
              <bdi>{spelled(option.text)}</bdi>
            </code>
            {label !== null && <bdi class="aside">{spelled(label)}</bdi>}
          </div>
        );
      })}
    </div>
  );
}

/** Whether it would change what stands there. */
function isOther(option: Completion, text: string): boolean {
  return [...text].slice(option.from, option.to).join('') !== option.text;
}

/** The service says in English what a field is; labels of the product, and names, are as they are. */
function labelOf(log: LogContext, option: Completion, text: string): string | null {
  const { texts, session } = log;
  const own = /^([a-z]+):(.*)$/s.exec(option.text);
  const before = [...text].slice(0, option.from).join('');
  const field = (own?.[1] ?? /([a-z]+):(?:[^\s]*,)?$/i.exec(before)?.[1]?.toLowerCase()) as QueryField | undefined;
  const names: Partial<Record<QueryField, string>> = {
    actor: texts.actor,
    action: texts.action,
    category: texts.category,
    outcome: texts.outcome,
    resource: texts.fields.resources,
    ip: texts.ip,
    kind: texts.actorKind,
    source: texts.fields.source,
    correlation: texts.fields.correlationId,
    after: texts.range,
    before: texts.range,
    on: texts.range,
  };
  if (own && own[2] === '') return (field && names[field]) ?? null;
  switch (field) {
    case 'outcome':
      return outcomeName(log, option.text.toUpperCase());
    case 'kind':
      return (
        session.viewer.product.actorKinds.find(({ kind }) => kind === option.text.toUpperCase())?.label ?? option.label
      );
    case 'after':
    case 'before':
    case 'on':
    case 'has':
      return null;
    default:
      return option.label === option.text ? null : option.label;
  }
}
