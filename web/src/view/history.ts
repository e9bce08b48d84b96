import { readView, writeView } from './address.ts';
import { emptyView, type View } from './view.ts';

/** Where the view lives: in the page's address, or in memory where the host keeps its address to itself. */
export interface ViewHistory {
  read(): View;
  /** `step` is something Back should undo; anything else only corrects the present entry. */
  write(view: View, kind: 'step' | 'correction'): void;
  /** The address of a view, to be shared. */
  link(view: View): string;
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

/** For a host that routes by itself: it starts the view by a query and is told every change. */
export function memoryHistory(query: string, zone: string, onWrite: (query: string) => void): ViewHistory {
  let current = query ? readView(new URLSearchParams(query)) : emptyView;
  const queryOf = (view: View) => writeView(view, new URLSearchParams(), zone).toString();
  return {
    read: () => current,
    write: (view) => {
      current = view;
      onWrite(queryOf(view));
    },
    link: (view) => {
      const query = queryOf(view);
      return `${location.origin}${location.pathname}${query ? `?${query}` : ''}`;
    },
    onReturn: () => () => {},
  };
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
