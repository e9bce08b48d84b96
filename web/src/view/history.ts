import { readView, saysView, writeView } from './address.ts';
import { emptyView, type View } from './view.ts';

/** Where the view lives: in the page's address, or in memory where the host keeps its address to itself. */
export interface ViewHistory {
  read(): View;
  /** `step` is something Back should undo; anything else only corrects the present entry. */
  write(view: View, kind: 'step' | 'correction'): void;
  /** The address of a view, to be shared; null where none would open it. */
  link(view: View): string | null;
  /** Hears of a view that came from elsewhere: by Back, or from the host. */
  onReturn(listener: (view: View) => void): () => void;
}

/** What a host says of where the view lives. */
export interface Place {
  /** The zone that days are meant in. */
  zone: string;
  /** What is asked for at first, where nothing else is said. */
  preset: View;
  /** An address of the host's with `{event}` and `{query}` in it, for links. */
  linkTemplate: string | null;
}

/** In the page's address, by parameters whose names begin with `prefix`. All others are the host's. */
export function addressHistory({ zone, preset, linkTemplate }: Place, prefix: string): ViewHistory {
  const read = () => {
    const query = new URLSearchParams(location.search);
    return saysView(query, prefix) ? readView(query, prefix) : preset;
  };
  const address = (view: View): string => {
    const query = writeView(view, new URLSearchParams(location.search), zone, prefix);
    // That nothing is asked for has to be said, where nothing said would be the preset.
    if (preset !== emptyView && !saysView(query, prefix)) query.set(`${prefix}q`, '');
    return `${location.origin}${location.pathname}${query.size > 0 ? `?${query}` : ''}${location.hash}`;
  };
  return {
    read,
    write: (view, kind) => {
      const next = address(view);
      if (next === location.href) return;
      if (kind === 'step') history.pushState(history.state, '', next);
      else history.replaceState(history.state, '', next);
    },
    link: (view) => (linkTemplate === null ? address(view) : linkFrom(linkTemplate, view, zone)),
    onReturn: (listener) => {
      const listen = () => listener(read());
      addEventListener('popstate', listen);
      return () => removeEventListener('popstate', listen);
    },
  };
}

/** For a host that routes by itself: it says what to show by a query, and is told every change. */
export class MemoryHistory implements ViewHistory {
  /** Null until somebody says what to show. */
  private current: View | null = null;
  private readonly listeners = new Set<(view: View) => void>();
  place: Place = { zone: 'UTC', preset: emptyView, linkTemplate: null };

  constructor(private readonly onWrite: (query: string) => void) {}

  /** The view as a query string. */
  get query(): string {
    return writeView(this.read(), new URLSearchParams(), this.place.zone).toString();
  }

  /** Shows what the host asks for; it may also hand back what it was told. */
  show(query: string): void {
    if (this.current !== null && query === this.query) return;
    this.current = readView(new URLSearchParams(query));
    for (const listener of this.listeners) listener(this.current);
  }

  read(): View {
    return this.current ?? this.place.preset;
  }

  write(view: View): void {
    this.current = view;
    this.onWrite(this.query);
  }

  link(view: View): string | null {
    const { linkTemplate, zone } = this.place;
    return linkTemplate === null ? null : linkFrom(linkTemplate, view, zone);
  }

  onReturn(listener: (view: View) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

/** An address of the host's that opens a view; null where the template is no web address. */
function linkFrom(template: string, view: View, zone: string): string | null {
  const query = writeView(view, new URLSearchParams(), zone).toString();
  const values: Record<string, string> = { event: encodeURIComponent(view.event ?? ''), query };
  return webAddress(template.replace(/\{(event|query)\}/g, (_, name: string) => values[name]!))?.href ?? null;
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
