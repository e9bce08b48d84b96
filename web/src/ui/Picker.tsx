import { useId, useState } from 'preact/hooks';
import { spelled } from '../words/visible.ts';
import { useLog } from './context.ts';
import { usePopover } from './popover.ts';

export interface Option {
  value: string;
  label: string;
  /** A second line, where the label alone may be taken for another. */
  hint?: string | undefined;
  /** How many there are, in words. */
  count?: string | undefined;
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
  /** They could not be had: that is not the same as none. */
  isFailed?: boolean;
}

/** With fewer options than this there is nothing to narrow. */
const narrowFrom = 8;

/** Any number of values out of a list: a button that says what is chosen, and opens the list. */
export function Picker({ label, everything, options, chosen, onChange, free, onSearch, isFailed }: Props) {
  const { texts } = useLog();
  const { isOpen, setOpen, close, root, button, panel, onFocusOut, onKeyDown: closeOnEscape } = usePopover();
  const [text, setText] = useState('');
  const id = useId();

  const typed = text.trim();
  const needle = typed.toLowerCase();
  const fitting = onSearch
    ? options
    : options.filter(({ label: name, value }) => `${name} ${value}`.toLowerCase().includes(needle));
  const isKnown = options.some(({ value }) => value === typed);
  const labelOf = (value: string) => options.find((option) => option.value === value)?.label ?? value;
  const summary =
    chosen.length === 0 ? everything : chosen.length === 1 ? labelOf(chosen[0]!) : texts.chosen(chosen.length);

  const toggle = (value: string) =>
    onChange(chosen.includes(value) ? chosen.filter((one) => one !== value) : [...chosen, value]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
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
    <div class="field picker popover" ref={root} onFocusOut={onFocusOut} onKeyDown={closeOnEscape}>
      <span id={`${id}-label`}>{label}</span>
      <button
        ref={button}
        type="button"
        class={chosen.length > 0 ? 'choice chosen' : 'choice'}
        aria-labelledby={`${id}-label ${id}-value`}
        aria-expanded={isOpen}
        aria-controls={isOpen ? `${id}-panel` : undefined}
        onClick={() => {
          setText('');
          onSearch?.('');
          setOpen(!isOpen);
        }}
      >
        {/* In the toolbar there is no room above the button. */}
        <span class="choice-name" aria-hidden="true">
          {label}
        </span>
        <bdi id={`${id}-value`}>{spelled(summary)}</bdi>
      </button>
      {isOpen && (
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
              <label key={value} class="option" title={spelled(hint ?? value)}>
                <input type="checkbox" checked={chosen.includes(value)} onChange={() => toggle(value)} />
                <span>
                  <bdi>{spelled(name)}</bdi>
                  {hint && <bdi class="aside">{spelled(hint)}</bdi>}
                </span>
                {count !== undefined && <span class="count">{count}</span>}
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
            {isFailed ? (
              <p role="alert">{texts.listFailed}</p>
            ) : (
              fitting.length === 0 && !free && <p class="nothing">{texts.nothingInList}</p>
            )}
          </div>
        </div>
      )}
    </div>
  );
}
