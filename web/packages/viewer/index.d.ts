import type { LedgerlineLogEventMap, LedgerlineLogSettings } from './types.d.ts';

export type * from './types.d.ts';

/** `<ledgerline-log>`: an audit log for any page. Importing the module defines it. */
export interface LedgerlineLogElement extends HTMLElement, Required<LedgerlineLogSettings> {
  get token(): string | null;
  /** The reader's access token. A fresh one takes the place of the former without a new start. */
  set token(token: string | null | undefined);
  get renewToken(): (() => Promise<string | null>) | null;
  /** Asked for a token at the start, and again when one has expired. Null says that the session is over. */
  set renewToken(renewToken: (() => Promise<string | null>) | null | undefined);
  get view(): string;
  /** The filters, page and open row as a query string; what `ledgerline-view` reports. */
  set view(query: string | null | undefined);

  addEventListener<Name extends keyof LedgerlineLogEventMap>(
    name: Name,
    listener: (this: LedgerlineLogElement, event: LedgerlineLogEventMap[Name]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener<Name extends keyof HTMLElementEventMap>(
    name: Name,
    listener: (this: LedgerlineLogElement, event: HTMLElementEventMap[Name]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    name: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

/** The class of the element; undefined on a server. */
export declare const LedgerlineLog: { new (): LedgerlineLogElement; prototype: LedgerlineLogElement };

declare global {
  interface HTMLElementTagNameMap {
    'ledgerline-log': LedgerlineLogElement;
  }
}
