import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

interface Props {
  class: string;
  label: string;
  children: () => ComponentChildren;
}

/** Something that is asked for when it is opened, and not before. */
export function Opening({ class: className, label, children }: Props) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class={`opening ${className}`} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{label}</summary>
      {isOpen && <div class="opened">{children()}</div>}
    </details>
  );
}
