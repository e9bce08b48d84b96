import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Client } from '../api/client.ts';
import type { LedgerlineLogEventDetails } from '../element/types.ts';
import type { Session } from '../log/session.ts';
import type { AllTexts, Texts } from '../texts.ts';
import type { Format } from '../time/format.ts';
import type { ViewHistory } from '../view/history.ts';
import type { ListKey, NotKey, View } from '../view/view.ts';
import type { Marker } from './useMarker.ts';

/** What the element was told by its host. */
export interface Config {
  client: Client;
  product: string | null;
  organization: string | null;
  locale: string;
  zone: string;
  pageSize: number;
  pollSeconds: number;
  /** The element is the page: it has a heading, and asks for a token where there is none. */
  standalone: boolean;
  /** A short list of the newest events alone. */
  compact: boolean;
  /** The columns to show in the place of the product's. */
  columns: readonly string[];
  /** What readers cannot leave. */
  locked: View;
  /** The host's own pages, by type of resource, as JSON. */
  resourceLinks: string | null;
  upgradeHref: string | null;
  redirectHref: string | null;
  history: ViewHistory;
  emit: <Name extends keyof LedgerlineLogEventDetails>(name: Name, detail: LedgerlineLogEventDetails[Name]) => boolean;
  /** Which locale is spoken, once it is known. */
  tellSpoken: (locale: string) => void;
  /** The server accepted the token. */
  tellAccepted: () => void;
  /** Tells the host that the token is no longer accepted. */
  tellExpired: () => void;
  acceptToken: (token: string) => void;
  chooseOrganization: (organization: string) => void;
}

/** What every part of an open log needs to know. */
export interface LogContext {
  config: Config;
  session: Session;
  texts: Texts;
  /** The product's heading of its log, else ours. */
  title: string;
  format: Format;
  /** What the reader has chosen. */
  view: View;
  /** What is asked for: the reader's view within what the host has fixed. */
  asked: View;
  /** The zone of the times on the screen. */
  zone: string;
  marker: Marker | null;
  now: number;
  /**
   * Changes the view. `typing` makes a burst of key strokes one step of the browser's history, a `correction` is none.
   */
  change: (view: View, how?: 'step' | 'typing' | 'correction') => void;
  toggleFilter: (key: ListKey, value: string) => void;
  /** Leaves events with that value out, instead of keeping them alone. */
  exclude: (key: NotKey, value: string) => void;
  /** Takes every filter away; a reader of several logs stays in the one that was chosen. */
  clear: () => void;
  announce: (message: string) => void;
}

export const Log = createContext<LogContext>(null as unknown as LogContext);
export const useLog = (): LogContext => useContext(Log);

/** What a part knows that is loaded later (`lazy.tsx`): the texts of all parts besides. */
export interface PartContext extends LogContext {
  texts: AllTexts;
}
export const usePart = (): PartContext => useContext(Log) as PartContext;
