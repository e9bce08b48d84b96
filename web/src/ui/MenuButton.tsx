import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import { usePopover } from './popover.ts';

interface Props {
  class?: string;
  /** What the button shows. */
  label: ComponentChildren;
  /** What it is called, where that is more than what it shows. */
  name?: string;
  /** What the panel is called. */
  panelName: string;
  panelClass?: string;
  children: (close: () => void) => ComponentChildren;
}

/** A button with a panel below it. */
export function MenuButton({ class: className = 'button', label, name, panelName, panelClass = '', children }: Props) {
  const popover = usePopover();
  const id = useId();
  return (
    <div class="popover" ref={popover.root} onFocusOut={popover.onFocusOut} onKeyDown={popover.onKeyDown}>
      <button
        ref={popover.button}
        type="button"
        class={className}
        aria-label={name}
        aria-expanded={popover.isOpen}
        aria-controls={popover.isOpen ? id : undefined}
        onClick={() => popover.setOpen(!popover.isOpen)}
      >
        {label}
      </button>
      {popover.isOpen && (
        <div ref={popover.panel} id={id} class={`panel ${panelClass}`} role="group" aria-label={panelName}>
          {children(popover.close)}
        </div>
      )}
    </div>
  );
}
