import { render } from 'preact';
import { Client } from './api/client.ts';
import {
  attributeOf,
  listOf,
  ownProperties,
  readSetting,
  settingNames,
  settings,
  writeSetting,
  type SettingName,
} from './element/settings.ts';
import type { LedgerlineLogEventDetails, LedgerlineLogSettings } from './element/types.ts';
import { directionOf, localeFor } from './texts.ts';
import { localZone, isZone } from './time/zone.ts';
import { App } from './ui/App.tsx';
import type { Config } from './ui/context.ts';
import { readLog, readView } from './view/address.ts';
import { addressHistory, MemoryHistory, type Place, type ViewHistory } from './view/history.ts';
import { emptyView } from './view/view.ts';
import { sheets } from './styles/sheets.ts';

/**
 * The endpoint of the service that this file was loaded from, below whichever path it is shown; of a program that has the
 * element built in, the one of its own origin.
 */
function own(): string {
  const { origin, pathname, protocol } = new URL(import.meta.url);
  const below = pathname.match(/^(.*)\/embed\/(?:\d[^/]*\/)?[^/]+\.js$/)?.[1];
  return below === undefined || !protocol.startsWith('http')
    ? `${location.origin}/graphql`
    : `${origin}${below}/graphql`;
}

/** The elements whose views the page's address holds, by the names before their parameters. */
const inAddress = new Map<string, LedgerlineLog>();

// The accessors of the settings are made below, from one list.
export interface LedgerlineLog extends LedgerlineLogSettings {}

/**
 * `<ledgerline-log>`: an audit log for any page. Attributes, properties and events: see `element/types.ts`, and
 * docs/viewer.md.
 */
export class LedgerlineLog extends HTMLElement {
  static readonly observedAttributes: readonly string[] = ['token', ...settingNames.map(attributeOf)];

  private givenToken: string | null = null;
  private renewal: (() => Promise<string | null>) | null = null;
  private readonly root = this.attachShadow({ mode: 'open' });
  private scheduled = false;
  /** What the element was told; null from the moment that it is told something else. */
  private config: Config | null = null;
  private client: Client | null = null;
  private memory = new MemoryHistory((query) => this.emit('ledgerline-view', { query }));
  /** The attribute `dir` as it was set here; null where the host may have set it. */
  private direction: string | null = null;
  /** How many tokens it was given. */
  private tokens = 0;
  /** How many of them in a row were refused. */
  private refusedTokens = 0;

  get token(): string | null {
    return this.givenToken ?? this.getAttribute('token');
  }

  set token(token: string | null | undefined) {
    const former = this.token;
    this.givenToken = token ?? null;
    this.takeToken(former);
  }

  get renewToken(): (() => Promise<string | null>) | null {
    return this.renewal;
  }

  // A framework may set another function at every render: the one that counts is the one at hand when a token has ended.
  set renewToken(renewal: (() => Promise<string | null>) | null | undefined) {
    this.renewal = renewal ?? null;
    this.schedule();
  }

  /** The filters, page and open row as a query string; what `ledgerline-view` reports. */
  get view(): string {
    return this.memory.query;
  }

  set view(query: string | null | undefined) {
    this.memory.show(query ?? '');
  }

  connectedCallback(): void {
    // A framework may have set properties before this module was loaded; they hide the accessors until set again.
    for (const name of [...settingNames, ...ownProperties]) {
      if (!Object.hasOwn(this, name)) continue;
      const value: unknown = this[name];
      delete this[name];
      Object.assign(this, { [name]: value });
    }
    this.root.adoptedStyleSheets = sheets();
    this.schedule();
  }

  disconnectedCallback(): void {
    render(null, this.root);
    // Elsewhere on the page, or later, it may not be the first any more.
    this.leaveAddress();
    this.config = null;
  }

  attributeChangedCallback(name: string, former: string | null, present: string | null): void {
    // A framework may set what is there already, at every render; a new start would ask everything again.
    if (former === present) return;
    if (name === 'token') {
      if (this.givenToken === null) this.takeToken(former);
      return;
    }
    // Style alone.
    if (name === 'theme') return;
    this.config = null;
    this.schedule();
  }

  /** Another token is used from now on, and whoever it is for is asked anew; what is on the screen stays. */
  private takeToken(former: string | null): void {
    if (this.token === former) return;
    this.tokens += 1;
    this.client?.useToken(this.token);
    this.schedule();
  }

  /** Several settings made in one go make one new start. */
  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    queueMicrotask(() => {
      this.scheduled = false;
      if (!this.isConnected) return;
      this.config ??= this.read();
      this.config.client.renewToken = this.renewal;
      const hasToken = Boolean(this.token) || this.renewal !== null;
      render(<App config={this.config} hasToken={hasToken} tokens={this.tokens} />, this.root);
    });
  }

  private read(): Config {
    const text = (name: SettingName) => this.getAttribute(attributeOf(name));
    const number = (name: SettingName, least: number, most: number, otherwise: number) => {
      const value = readSetting('number', text(name)) as number | null;
      return value === null ? otherwise : Math.min(most, Math.max(least, value));
    };
    const is = (name: SettingName) => text(name) !== null;
    const locale = localeFor([text('locale'), this.closest('[lang]')?.getAttribute('lang')], navigator.languages);
    this.turn(directionOf(locale));
    const asked = text('timeZone');
    const zone = asked && isZone(asked) ? asked : localZone();
    const endpoint = text('endpoint') ?? own();
    // Of another server, the token at hand counts again, whatever was renewed since.
    if (this.client?.endpoint !== endpoint) this.client = new Client({ endpoint, token: this.token });
    this.client.language = locale;
    const filter = readView(new URLSearchParams(text('filter') ?? ''));
    const isFiltered = text('filter') !== null;
    const log = readLog(text('log'));
    const fixed = isFiltered && is('filterLocked') ? filter : emptyView;
    const place: Place = {
      zone,
      preset: isFiltered && !is('filterLocked') ? filter : emptyView,
      linkTemplate: text('linkTemplate'),
    };
    const isCompact = is('compact');
    return {
      client: this.client,
      product: text('product'),
      organization: text('organization'),
      locale,
      zone,
      pageSize: number('pageSize', 1, 100, isCompact ? 5 : 25),
      pollSeconds: number('pollSeconds', 1, 3600, 10),
      standalone: is('standalone'),
      upgradeHref: text('upgradeHref'),
      redirectHref: text('redirectHref'),
      compact: isCompact,
      columns: listOf(text('columns') ?? ''),
      resourceLinks: text('resourceLinks'),
      locked: log ? { ...fixed, log } : fixed,
      history: this.historyIn(place, isCompact ? null : text('syncUrl')),
      emit: (name, detail) => this.emit(name, detail),
      tellSpoken: (spoken) => this.turn(directionOf(spoken)),
      tellAccepted: () => (this.refusedTokens = 0),
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

  /** Writes from the side that the language begins at, unless the host says on the element which one. */
  private turn(direction: 'ltr' | 'rtl'): void {
    if (this.getAttribute('dir') !== this.direction) return;
    this.direction = direction;
    this.setAttribute('dir', direction);
  }

  /** Where the view lives. Of two elements that name their parameters alike, the first has the address. */
  private historyIn(place: Place, syncUrl: string | null): ViewHistory {
    this.leaveAddress();
    this.memory.place = place;
    if (syncUrl === null) return this.memory;
    const holder = inAddress.get(syncUrl);
    if (holder) {
      console.warn(`<ledgerline-log>: another one has sync-url="${syncUrl}"; give each a name of its own`, holder);
      return this.memory;
    }
    inAddress.set(syncUrl, this);
    return addressHistory(place, syncUrl && `${syncUrl}-`);
  }

  private leaveAddress(): void {
    for (const [name, holder] of inAddress) if (holder === this) inAddress.delete(name);
  }

  /**
   * A host may answer with a fresh token. Where the server refuses that one too, it is told later each time, or the
   * two would go round without a pause.
   */
  private tellExpired(): void {
    const delay = this.refusedTokens === 0 ? 0 : Math.min(60_000, 1_000 * 2 ** Math.min(this.refusedTokens, 10));
    this.refusedTokens += 1;
    const { tokens } = this;
    setTimeout(() => {
      if (this.isConnected && this.tokens === tokens) this.emit('ledgerline-expired', null);
    }, delay);
  }

  private emit<Name extends keyof LedgerlineLogEventDetails>(
    name: Name,
    detail: LedgerlineLogEventDetails[Name],
  ): boolean {
    return this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true, cancelable: true }));
  }
}

// On the prototype, where React, Vue, Svelte and Angular look whether a value is to be set as a property. A setting is
// its attribute: what was set before the element was defined, by either, means the same.
for (const name of settingNames) {
  const attribute = attributeOf(name);
  Object.defineProperty(LedgerlineLog.prototype, name, {
    configurable: true,
    enumerable: true,
    get(this: LedgerlineLog) {
      return readSetting(settings[name], this.getAttribute(attribute));
    },
    set(this: LedgerlineLog, value: unknown) {
      const text = writeSetting(value);
      if (text === null) this.removeAttribute(attribute);
      else this.setAttribute(attribute, text);
    },
  });
}

if (!customElements.get('ledgerline-log')) customElements.define('ledgerline-log', LedgerlineLog);
