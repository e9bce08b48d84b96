import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

export interface Popover {
  isOpen: boolean;
  setOpen: (open: boolean) => void;
  /** Closes it, and goes back to the button. */
  close: () => void;
  root: RefObject<HTMLDivElement | null>;
  button: RefObject<HTMLButtonElement | null>;
  panel: RefObject<HTMLDivElement | null>;
  /** For the root: closes when the focus goes elsewhere. */
  onFocusOut: (event: FocusEvent) => void;
  /** For the root: Escape closes. */
  onKeyDown: (event: KeyboardEvent) => void;
}

/** A panel below its button: it closes with Escape, and with a press or the focus elsewhere, and stays within the page. */
export function usePopover(): Popover {
  const [isOpen, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);

  useLayoutEffect(() => {
    if (!isOpen || !panel.current) return;
    const { classList } = panel.current;
    const host = (panel.current.getRootNode() as ShadowRoot).host?.getBoundingClientRect();
    const { left, right } = panel.current.getBoundingClientRect();
    const edges = host ?? { left: 0, right: document.documentElement.clientWidth };
    const isRightToLeft = getComputedStyle(panel.current).direction === 'rtl';
    classList.toggle('at-end', isRightToLeft ? left < edges.left : right > edges.right);
    panel.current.querySelector<HTMLElement>('input, button, select, a')?.focus();
  }, [isOpen]);
  useEffect(() => {
    if (!isOpen) return;
    const closeOutside = (event: Event) => {
      if (!event.composedPath().includes(root.current!)) setOpen(false);
    };
    document.addEventListener('pointerdown', closeOutside);
    return () => document.removeEventListener('pointerdown', closeOutside);
  }, [isOpen]);

  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  return {
    isOpen,
    setOpen,
    close,
    root,
    button,
    panel,
    onFocusOut: (event) => {
      if (event.relatedTarget && !root.current!.contains(event.relatedTarget as Node)) setOpen(false);
    },
    onKeyDown: (event) => {
      if (event.key !== 'Escape' || !isOpen) return;
      event.stopPropagation();
      event.preventDefault();
      close();
    },
  };
}
