import { useId } from 'preact/hooks';
import { spelled } from '../words/visible.ts';
import type { Option } from './Choices.tsx';
import { useLog } from './context.ts';
import { Choices } from './parts.ts';
import { usePopover } from './popover.ts';

export type { Option };

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

/** Any number of values out of a list: a button that says what is chosen, and opens the list. */
export function Picker({ label, everything, options, chosen, onChange, free, onSearch, isFailed }: Props) {
  const { texts, format } = useLog();
  const { isOpen, setOpen, close, root, button, panel, onFocusOut, onKeyDown } = usePopover();
  const id = useId();
  const labelOf = (value: string) => options.find((option) => option.value === value)?.label ?? value;
  const summary =
    chosen.length === 0
      ? everything
      : chosen.length === 1
        ? labelOf(chosen[0]!)
        : texts.chosen(format.count(chosen.length));

  return (
    <div class="field picker popover" ref={root} onFocusOut={onFocusOut} onKeyDown={onKeyDown}>
      <span id={`${id}-label`}>{label}</span>
      <button
        ref={button}
        type="button"
        class={chosen.length > 0 ? 'choice chosen' : 'choice'}
        aria-labelledby={`${id}-label ${id}-value`}
        aria-haspopup="listbox"
        aria-expanded={isOpen}
        aria-controls={isOpen ? `${id}-list` : undefined}
        onClick={() => {
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
        <div ref={panel} class="panel">
          <Choices {...{ id, label, everything, options, chosen, onChange, free, onSearch, isFailed }} onDone={close} />
        </div>
      )}
    </div>
  );
}
