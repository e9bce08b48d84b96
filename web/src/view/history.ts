import { readView, writeView } from './address.ts';
import { emptyView, type View } from './view.ts';

/** Where the view lives: in the page's address, or in memory where the host keeps its address to itself. */
export interface ViewHistory {
  read(): View;
  /** `step` is something Back should undo; anything else only corrects the present entry. */
  write(view: View, kind: 'step' | 'correction'): void;
  /** The address of a view, to be shared. */
  link(view: View): string;
  /** Hears of a view that came from elsewhere: by Back, or from the host. */
  onReturn(listener: (view: View) => void): () => void;
}

export function addressHistory(zone: string): ViewHistory {
  const link = (view: View): string => {
    const query = writeView(view, new URLSearchParams(location.search), zone).toString();
    return `${location.origin}${location.pathname}${query ? `?${query}` : ''}`;
  };
  return {
    read: () => readView(new URLSearchParams(location.search)),
    write: (view, kind) => {
      const address = link(view);
      if (address === location.href) return;
      if (kind === 'step') history.pushState(history.state, '', address);
      else history.replaceState(history.state, '', address);
    },
    link,
    onReturn: (listener) => {
      const listen = () => listener(readView(new URLSearchParams(location.search)));
      addEventListener('popstate', listen);
      return () => removeEventListener('popstate', listen);
    },
  };
}

/** For a host that routes by itself: it says what to show by a query, and is told every change. */
export class MemoryHistory implements ViewHistory {
  private current = emptyView;
  private readonly listeners = new Set<(view: View) => void>();
  /** The zone that days are meant in. */
  zone = 'UTC';

  constructor(private readonly onWrite: (query: string) => void) {}

  /** The view as a query string. */
  get query(): string {
    return writeView(this.current, new URLSearchParams(), this.zone).toString();
  }

  /** Shows what the host asks for; it may also hand back what it was told. */
  show(query: string): void {
    if (query === this.query) return;
    this.current = readView(new URLSearchParams(query));
    for (const listener of this.listeners) listener(this.current);
  }

  read(): View {
    return this.current;
  }

  write(view: View): void {
    this.current = view;
    this.onWrite(this.query);
  }

  link(view: View): string {
    const query = writeView(view, new URLSearchParams(), this.zone).toString();
    return `${location.origin}${location.pathname}${query ? `?${query}` : ''}`;
  }

  onReturn(listener: (view: View) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

/** A web address as the page would follow it; null for none, and for what is none, such as `javascript:`. */
export function webAddress(href: string | null): URL | null {
  if (href === null) return null;
  try {
    const address = new URL(href, location.href);
    return ['https:', 'http:'].includes(address.protocol) ? address : null;
  } catch {
    return null;
  }
}
