import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useLog } from './context.ts';

export interface Option {
  value: string;
  label: string;
  /** A second line, where the label alone may be taken for another. */
  hint?: string | undefined;
  count?: number | undefined;
}

interface Props {
  label: string;
  /** Shown while nothing is chosen, and the entry that chooses nothing. */
  everything: string;
  options: readonly Option[];
  chosen: readonly string[];
  onChange: (chosen: readonly string[]) => void;
  /** Values that are in no list may be typed (an open catalog). */
  free?: boolean;
  /** The options come from the server, for what is typed. */
  onSearch?: (text: string) => void;
}

/** With fewer options than this there is nothing to narrow. */
const narrowFrom = 8;

/** Any number of values out of a list: a button that says what is chosen, and opens the list. */
export function Picker({ label, everything, options, chosen, onChange, free, onSearch }: Props) {
  const { texts, format } = useLog();
  const [open, setOpen] = useState(false);
  const [text, setText] = useState('');
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const id = useId();

  useLayoutEffect(() => {
    if (!open || !panel.current) return;
    panel.current.querySelector<HTMLElement>('input')?.focus();
    const { right, left } = panel.current.getBoundingClientRect();
    const overflows = right > document.documentElement.clientWidth || left < 0;
    panel.current.classList.toggle('at-end', overflows);
  }, [open]);
  useEffect(() => {
    if (!open) return;
    const closeOutside = (event: Event) => {
      if (!event.composedPath().includes(root.current!)) setOpen(false);
    };
    document.addEventListener('pointerdown', closeOutside);
    return () => document.removeEventListener('pointerdown', closeOutside);
  }, [open]);

  const typed = text.trim();
  const needle = typed.toLowerCase();
  const fitting = onSearch
    ? options
    : options.filter(({ label: name, value }) => `${name} ${value}`.toLowerCase().includes(needle));
  const isKnown = options.some(({ value }) => value === typed);
  const labelOf = (value: string) => options.find((option) => option.value === value)?.label ?? value;
  const summary =
    chosen.length === 0 ? everything : chosen.length === 1 ? labelOf(chosen[0]!) : texts.chosen(chosen.length);

  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  const toggle = (value: string) =>
    onChange(chosen.includes(value) ? chosen.filter((one) => one !== value) : [...chosen, value]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') {
      event.stopPropagation();
      close();
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      const stops = [...panel.current!.querySelectorAll<HTMLElement>('input, button')];
      const here = stops.indexOf(event.target as HTMLElement);
      stops[here + (event.key === 'ArrowDown' ? 1 : -1)]?.focus();
      event.preventDefault();
    } else if (event.key === 'Enter' && free && typed && (event.target as HTMLElement).matches('.narrow')) {
      if (!chosen.includes(typed)) toggle(typed);
      close();
    }
  };

  return (
    <div
      class="field picker"
      ref={root}
      onFocusOut={(event) => {
        if (event.relatedTarget && !root.current!.contains(event.relatedTarget as Node)) setOpen(false);
      }}
    >
      <span id={`${id}-label`}>{label}</span>
      <button
        ref={button}
        type="button"
        class={chosen.length > 0 ? 'choice chosen' : 'choice'}
        aria-labelledby={`${id}-label ${id}-value`}
        aria-expanded={open}
        aria-controls={open ? `${id}-panel` : undefined}
        onClick={() => {
          setText('');
          onSearch?.('');
          setOpen(!open);
        }}
      >
        <bdi id={`${id}-value`}>{summary}</bdi>
      </button>
      {open && (
        <div ref={panel} id={`${id}-panel`} class="panel" role="group" aria-label={label} onKeyDown={onKeyDown}>
          {(free || onSearch || options.length >= narrowFrom) && (
            <input
              class="narrow"
              type="text"
              autocomplete="off"
              spellcheck={false}
              aria-label={texts.narrowList}
              placeholder={texts.narrowList}
              value={text}
              onInput={(event) => {
                setText(event.currentTarget.value);
                onSearch?.(event.currentTarget.value);
              }}
            />
          )}
          <div class="options">
            <label class="option">
              <input type="checkbox" checked={chosen.length === 0} onChange={() => onChange([])} />
              <span>{everything}</span>
            </label>
            {fitting.map(({ value, label: name, hint, count }) => (
              <label key={value} class="option" title={hint ?? value}>
                <input type="checkbox" checked={chosen.includes(value)} onChange={() => toggle(value)} />
                <span>
                  <bdi>{name}</bdi>
                  {hint && <bdi class="aside">{hint}</bdi>}
                </span>
                {count !== undefined && <span class="count">{format.number(count)}</span>}
              </label>
            ))}
            {free && typed && !isKnown && (
              <button
                type="button"
                class="option"
                onClick={() => {
                  toggle(typed);
                  close();
                }}
              >
                {texts.useValue(typed)}
              </button>
            )}
            {fitting.length === 0 && !free && <p class="nothing">{texts.nothingInList}</p>}
          </div>
        </div>
      )}
    </div>
  );
}
