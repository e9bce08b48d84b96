import type { RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { normalised } from '../words/search.ts';
import { spelled } from '../words/visible.ts';
import { usePart } from './context.ts';

export interface Option {
  value: string;
  label: string;
  /** A second line, where the label alone may be taken for another. */
  hint?: string | undefined;
  /** How many there are, in words. */
  count?: string | undefined;
}

interface Props {
  id: string;
  label: string;
  /** The entry that chooses nothing. */
  everything: string;
  options: readonly Option[];
  chosen: readonly string[];
  onChange: (chosen: readonly string[]) => void;
  /** Values that are in no list may be typed (an open catalog). */
  free?: boolean | undefined;
  /** The options come from the server, for what is typed. */
  onSearch?: ((text: string) => void) | undefined;
  /** They could not be had: that is not the same as none. */
  isFailed?: boolean | undefined;
  onDone: () => void;
}

/** With fewer options than this there is nothing to narrow. */
const narrowFrom = 8;

interface Entry {
  key: string;
  text: string;
  option?: Option;
  isChosen: boolean;
  take: () => void;
}

/**
 * A list of which any number may be chosen, below a field that narrows it where it is long: the pattern "editable
 * combobox with list autocomplete" (https://www.w3.org/WAI/ARIA/apg/patterns/combobox/). The focus stays in the field, or
 * on the list where there is none; arrows highlight an entry, and Enter takes the one that is highlighted.
 */
export function Choices({ id, label, everything, options, chosen, onChange, free, onSearch, isFailed, onDone }: Props) {
  const { texts } = usePart();
  const [text, setText] = useState('');
  const hasField = Boolean(free || onSearch) || options.length >= narrowFrom;
  const [active, setActive] = useState(hasField ? -1 : 0);
  const focused = useRef<HTMLElement>(null);
  const list = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => focused.current?.focus(), []);
  useLayoutEffect(() => {
    list.current?.querySelector('[data-active]')?.scrollIntoView({ block: 'nearest' });
  }, [active]);

  const toggle = (value: string) =>
    onChange(chosen.includes(value) ? chosen.filter((one) => one !== value) : [...chosen, value]);
  const typed = text.trim();
  const entries = entriesFor(typed);
  // Where nothing fits there is nothing to take, and the entry of everything would take away what was chosen.
  const highlighted = active < entries.length ? active : typed ? -1 : entries.length - 1;

  function entriesFor(typed: string): Entry[] {
    const needle = normalised(typed);
    const fitting = onSearch
      ? options
      : options.filter(({ label: name, value }) => normalised(`${name} ${value}`).includes(needle));
    const found: Entry[] = fitting.map((option) => ({
      key: `=${option.value}`,
      text: option.label,
      option,
      isChosen: chosen.includes(option.value),
      take: () => toggle(option.value),
    }));
    const all = { key: 'all', text: everything, isChosen: chosen.length === 0, take: () => onChange([]) };
    const isKnown = options.some(({ value }) => value === typed) || chosen.includes(typed);
    if (!free || !typed || isKnown) return [all, ...found];
    const own = () => {
      toggle(typed);
      onDone();
    };
    return [all, ...found, { key: 'own', text: texts.useValue(typed), isChosen: false, take: own }];
  }

  const onInput = (input: string) => {
    setText(input);
    onSearch?.(input);
    // What fits best is highlighted, so that Enter takes it; the entry of everything is for those who go there.
    setActive(input.trim() ? 1 : -1);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.isComposing) return;
    const last = entries.length - 1;
    const move = (to: number) => setActive(Math.max(0, Math.min(last, to)));
    switch (event.key) {
      case 'ArrowDown':
        move(highlighted === last ? 0 : highlighted + 1);
        break;
      case 'ArrowUp':
        if (event.altKey) onDone();
        else move(highlighted <= 0 ? last : highlighted - 1);
        break;
      case 'PageDown':
        move(highlighted + 10);
        break;
      case 'PageUp':
        move(highlighted - 10);
        break;
      case 'Enter':
        entries[highlighted]?.take();
        break;
      default:
        if (hasField) return;
        if (event.key === 'Home') move(0);
        else if (event.key === 'End') move(last);
        else if (event.key === ' ') entries[highlighted]?.take();
        else if (event.key.length === 1) {
          // A letter goes to the next entry that begins with it.
          const begins = entries.map(({ text: name }) => normalised(name).startsWith(normalised(event.key)));
          const next = begins.indexOf(true, highlighted + 1);
          move(next >= 0 ? next : begins.includes(true) ? begins.indexOf(true) : highlighted);
        } else return;
    }
    event.preventDefault();
  };

  const idOf = (index: number) => `${id}-${index}`;
  const owner = {
    'aria-activedescendant': highlighted >= 0 ? idOf(highlighted) : undefined,
    onKeyDown,
  };
  return (
    <>
      {hasField && (
        <input
          ref={focused as RefObject<HTMLInputElement>}
          class="narrow"
          type="text"
          role="combobox"
          autocomplete="off"
          spellcheck={false}
          aria-label={`${label}: ${texts.narrowList}`}
          aria-autocomplete="list"
          aria-expanded={true}
          aria-controls={`${id}-list`}
          placeholder={texts.narrowList}
          value={text}
          onInput={(event) => onInput(event.currentTarget.value)}
          {...owner}
        />
      )}
      <div
        ref={(element) => {
          list.current = element;
          if (!hasField) focused.current = element;
        }}
        id={`${id}-list`}
        class="options"
        role="listbox"
        aria-label={label}
        aria-multiselectable={true}
        tabIndex={hasField ? -1 : 0}
        {...(hasField ? {} : owner)}
      >
        {entries.map(({ key, text: name, option, isChosen, take }, index) => (
          <div
            key={key}
            id={idOf(index)}
            class="option"
            role="option"
            aria-selected={isChosen}
            data-active={index === highlighted ? '' : undefined}
            title={option ? spelled(option.hint ?? option.value) : undefined}
            // The focus stays where it is.
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => {
              setActive(index);
              take();
            }}
          >
            <span class="tick" aria-hidden="true" />
            <span class="option-text">
              <bdi>{spelled(name)}</bdi>
              {option?.hint && <bdi class="aside">{spelled(option.hint)}</bdi>}
            </span>
            {option?.count !== undefined && <span class="count">{option.count}</span>}
          </div>
        ))}
      </div>
      {isFailed ? (
        <p role="alert">{texts.listFailed}</p>
      ) : (
        entries.length === 1 && typed && <p class="nothing">{texts.nothingInList}</p>
      )}
    </>
  );
}
