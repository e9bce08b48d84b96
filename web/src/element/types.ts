// The types of `<ledgerline-log>` for those who embed it: what the package @ledgerline/viewer declares. No imports, so
// that they need nothing beside them.

/** What can be set on the element, by a property or by the attribute of the same meaning. */
export interface LedgerlineLogSettings {
  /** Address of the GraphQL endpoint. Default: `/graphql` of the server that the script came from. */
  endpoint?: string | null;
  /** Shows a message instead of the log if the token is another product's. */
  product?: string | null;
  /** For tokens that may read several organizations. */
  organization?: string | null;
  /** Default: the page's `lang`, else the browser's. */
  locale?: string | null;
  /** An IANA name such as `Europe/Berlin`. Default: the reader's own zone. */
  timeZone?: string | null;
  /** Default: as the page's `color-scheme`. */
  theme?: 'light' | 'dark' | null;
  /** 1 to 100. Default: 25, and 5 where it is compact. */
  pageSize?: number | null;
  /** How often new events are looked for, in seconds. Default: 10. */
  pollSeconds?: number | null;
  /** The element is the page: a heading, and a form where there is no token. */
  standalone?: boolean | null;
  /** Where the plan message leads. Default: the product's `upgrade_href`. */
  upgradeHref?: string | null;
  /** Where readers go who are no administrators. */
  redirectHref?: string | null;
  /** Keeps filters, page and open row in the page's address; a text is put before the names of its parameters. */
  syncUrl?: boolean | string | null;
  /** An address of the host's that opens an event, such as `/audit?event={event}`; `{query}` is the whole view. */
  linkTemplate?: string | null;
  /**
   * Pages of the host's own by type of resource, such as `{"user": "https://app.example/users/{id}"}`; `{type}` and
   * `{name}` are known too.
   */
  resourceLinks?: Readonly<Record<string, string>> | string | null;
  /** The one log to show, such as `project:p_1`, or `*` for all of them. */
  log?: string | null;
  /** What is filtered by at first, as a query string such as `action=user.*&outcome=FAILURE`. */
  filter?: string | null;
  /** Readers cannot leave `filter`; they can narrow it further. */
  filterLocked?: boolean | null;
  /** The columns to show in the place of the product's: `time`, `action`, `actor` and so on. */
  columns?: readonly string[] | string | null;
  /** A short list of the newest events alone, for a dashboard. */
  compact?: boolean | null;
}

/** What can only be set as a property. */
export interface LedgerlineLogState {
  /** The reader's access token. A fresh one takes the place of the former without a new start. */
  token?: string | null;
  /** Asked for a token at the start, and again when one has expired. Null says that the session is over. */
  renewToken?: (() => Promise<string | null>) | null;
  /** The filters, page and open row as a query string; what `ledgerline-view` reports. */
  view?: string;
}

export interface LedgerlineLogProperties extends LedgerlineLogSettings, LedgerlineLogState {}

/** What each event has as its `detail`. */
export interface LedgerlineLogEventDetails {
  /** The log is open. */
  'ledgerline-ready': { product: string };
  /** The filters changed, where the page's address does not hold them. */
  'ledgerline-view': { query: string };
  /** An event of the compact list was chosen; `preventDefault()` keeps the element from following the link. */
  'ledgerline-open': { id: string; href: string };
  /** No administrator; `preventDefault()` keeps the element from following `redirectHref`. */
  'ledgerline-forbidden': { message: string | null };
  'ledgerline-plan-required': { requiredPlans: readonly string[] };
  /** The plan hides the log: the element shows nothing. */
  'ledgerline-hidden': null;
  /** The token is no longer accepted and was not renewed. */
  'ledgerline-expired': null;
  /** An organization was named in the form for it. */
  'ledgerline-organization': { organization: string };
  /** A token was typed into the form for it. */
  'ledgerline-token': { token: string };
}

export type LedgerlineLogEventName = keyof LedgerlineLogEventDetails;
export type LedgerlineLogEventMap = {
  [Name in LedgerlineLogEventName]: CustomEvent<LedgerlineLogEventDetails[Name]>;
};
