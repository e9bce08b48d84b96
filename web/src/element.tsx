import { render } from 'preact';
import { Client } from './api/client.ts';
import { localZone, isZone } from './time/zone.ts';
import { App } from './ui/App.tsx';
import type { Config } from './ui/context.ts';
import { addressHistory, memoryHistory } from './view/history.ts';
import { sheets } from './styles/sheets.ts';

const attributes = [
  'endpoint',
  'token',
  'product',
  'organization',
  'locale',
  'time-zone',
  'page-size',
  'poll-seconds',
  'standalone',
  'sync-url',
  'upgrade-href',
  'redirect-href',
] as const;
type Attribute = (typeof attributes)[number];

/**
 * The endpoint of the service that this file was loaded from, below whichever path it is shown; of a program that has the
 * element built in, the one of its own origin.
 */
function own(): string {
  const { origin, pathname } = new URL(import.meta.url);
  return `${origin}${pathname.match(/^(.*)\/embed\/ledgerline-log\.js$/)?.[1] ?? ''}/graphql`;
}

/**
 * `<ledgerline-log>`: an audit log for any page.
 *
 * Attributes: see web/README.md. Properties: `token`, `renewToken` (a function that resolves to a fresh token or
 * null), `view` (the filters as a query string). Events: `ledgerline-ready`, `-view`, `-forbidden` (prevent its
 * default to keep the element from following `redirect-href`), `-plan-required`, `-hidden`, `-expired`,
 * `-organization` and `-token` (typed by a reader).
 */
export class LedgerlineLog extends HTMLElement {
  static readonly observedAttributes: readonly string[] = attributes;

  // Declared only: a field would overwrite what a host set before this module was loaded.
  declare renewToken: (() => Promise<string | null>) | undefined;
  private givenToken: string | null = null;
  private query = '';
  private readonly root = this.attachShadow({ mode: 'open' });
  private scheduled = false;
  /** How many tokens in a row were refused. */
  private refusedTokens = 0;

  get token(): string | null {
    return this.givenToken ?? this.getAttribute('token');
  }

  set token(token: string | null) {
    // A framework may set it at every render; only another one is a new start.
    if (token === this.givenToken) return;
    this.givenToken = token;
    this.schedule();
  }

  /** The filters, page and open row as a query string; what `ledgerline-view` reports. */
  get view(): string {
    return this.query;
  }

  set view(query: string) {
    // A host may hand back what it was told.
    if (query === this.query) return;
    this.query = query;
    this.schedule();
  }

  connectedCallback(): void {
    // A framework may have set properties before this module was loaded; they hide the accessors until set again.
    for (const name of ['token', 'view'] as const) {
      if (!Object.hasOwn(this, name)) continue;
      const value = this[name];
      delete (this as Partial<Record<typeof name, unknown>>)[name];
      (this as Record<typeof name, unknown>)[name] = value;
    }
    this.root.adoptedStyleSheets = sheets();
    this.schedule();
  }

  disconnectedCallback(): void {
    render(null, this.root);
  }

  attributeChangedCallback(_name: string, former: string | null, present: string | null): void {
    // A framework may set what is there already, at every render; a new start would ask everything again.
    if (former !== present) this.schedule();
  }

  /** Several attributes set in one go make one new start. */
  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    queueMicrotask(() => {
      this.scheduled = false;
      if (this.isConnected) render(<App config={this.config()} />, this.root);
    });
  }

  private config(): Config {
    const text = (name: Attribute) => this.getAttribute(name);
    const number = (name: Attribute, least: number, most: number, otherwise: number) => {
      const value = Number(text(name) ?? otherwise);
      return Number.isFinite(value) ? Math.min(most, Math.max(least, value)) : otherwise;
    };
    const locale = usableLocale([text('locale'), this.closest('[lang]')?.getAttribute('lang'), navigator.language]);
    const asked = text('time-zone');
    const zone = asked && isZone(asked) ? asked : localZone();
    const token = this.token;
    return {
      client: new Client({
        endpoint: text('endpoint') ?? own(),
        token,
        renewToken: this.renewToken,
      }),
      hasToken: Boolean(token) || this.renewToken !== undefined,
      product: text('product'),
      organization: text('organization'),
      locale,
      zone,
      pageSize: number('page-size', 1, 100, 25),
      pollSeconds: number('poll-seconds', 1, 3600, 10),
      standalone: this.hasAttribute('standalone'),
      upgradeHref: text('upgrade-href'),
      redirectHref: text('redirect-href'),
      history: this.hasAttribute('sync-url')
        ? addressHistory(zone)
        : memoryHistory(this.query, zone, (query) => {
            this.query = query;
            this.emit('ledgerline-view', { query });
          }),
      emit: (name, detail) => {
        if (name === 'ledgerline-ready') this.refusedTokens = 0;
        return this.emit(name, detail);
      },
      tellExpired: () => this.tellExpired(),
      acceptToken: (accepted) => {
        this.emit('ledgerline-token', { token: accepted });
        this.token = accepted;
      },
      chooseOrganization: (organization) => {
        this.emit('ledgerline-organization', { organization });
        this.setAttribute('organization', organization);
      },
    };
  }

  /**
   * A host may answer with a fresh token. Where the server refuses that one too, it is told later each time, or the
   * two would go round without a pause.
   */
  private tellExpired(): void {
    const delay = this.refusedTokens === 0 ? 0 : Math.min(60_000, 1_000 * 2 ** Math.min(this.refusedTokens, 10));
    this.refusedTokens += 1;
    const { token } = this;
    setTimeout(() => {
      if (this.isConnected && this.token === token) this.emit('ledgerline-expired');
    }, delay);
  }

  private emit(name: string, detail: unknown = null): boolean {
    return this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true, cancelable: true }));
  }
}

/** The first of the wishes that is a locale; some systems report one, such as `en-US@posix`, that is none. */
function usableLocale(wishes: readonly (string | null | undefined)[]): string {
  for (const wish of wishes) {
    try {
      if (wish) return new Intl.Locale(wish).toString();
    } catch {
      // The next wish may be one.
    }
  }
  return 'en';
}

if (!customElements.get('ledgerline-log')) customElements.define('ledgerline-log', LedgerlineLog);
