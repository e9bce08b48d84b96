import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import { spelled } from '../words/visible.ts';
import { useLog } from './context.ts';
import { usePopover } from './popover.ts';

interface Props {
  label: string;
  /** Shown while nothing is chosen. */
  everything: string;
  /** What is chosen, in words. */
  chosen: readonly string[];
  /** What can be chosen, for the list of that id. */
  children: (id: string, close: () => void) => ComponentChildren;
}

/** Any number of values out of a list: a button that says what is chosen, and opens the list. */
export function Picker({ label, everything, chosen, children }: Props) {
  const { texts, format } = useLog();
  const { isOpen, setOpen, close, root, button, panel, onFocusOut, onKeyDown } = usePopover();
  const id = useId();
  const [first = everything, ...others] = chosen;
  const summary = others.length === 0 ? first : texts.chosen(format.count(chosen.length));

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
        onClick={() => setOpen(!isOpen)}
      >
        {/* In the toolbar there is no room above the button. */}
        <span class="choice-name" aria-hidden="true">
          {label}
        </span>
        <bdi id={`${id}-value`}>{spelled(summary)}</bdi>
      </button>
      {isOpen && (
        <div ref={panel} class="panel">
          {children(id, close)}
        </div>
      )}
    </div>
  );
}
