// What is said by the parts that are loaded later.
import type { Count } from '../count.ts';
import { counted } from '../en.ts';

export const later = {
  from: 'From',
  to: 'To',
  narrowList: 'Type to narrow',
  useValue: (value: string) => `Use “${value}”`,
  nothingInList: 'Nothing fits',

  // What is wrong with the text of the query box.
  queryFlaws: {
    oneOf: (values: string) => `It can be ${values}.`,
    value: 'A value is missing after the colon or the comma.',
    operator: (word: string) => `${word} is no operator here. In quotes it is a word like others.`,
    time: 'It has to be a day such as 2026-11-01, a time such as 2026-11-01T14:30, or how long ago: 15m, 24h or 7d.',
    noWord: 'It has no letter and no number to look for.',
    other: 'It cannot be asked for in this way.',
  },
  suggestions: 'Suggestions',

  // What stands around an event.
  relatedEvents: 'Events of the same correlation ID',
  aboutActor: 'About this actor',
  firstSeen: 'First seen',
  lastSeen: 'Last seen',
  frequentActions: 'Most frequent actions',
  addresses: 'Addresses',
  openResource: (name: string) => `Open ${name} in a new tab`,
  fromTime: 'From, time of day',
  toTime: 'To, time of day',
  rangeHelp: 'Without a time of day, the whole day counts.',
  compact: 'Compact rows',
  columns: 'Columns',
  keys: 'Keyboard',
  keysText: [
    ['/', 'search'],
    ['↑ ↓', 'walk the list'],
    ['Enter', 'open an event'],
    ['Esc', 'close it'],
    ['Home End', 'first and last row'],
    ['← →', 'turn pages'],
    ['?', 'these keys'],
  ] as readonly (readonly [string, string])[],
  close: 'Close',
  copyCurl: 'Copy as cURL',
  copyGraphql: 'Copy as GraphQL',
  export: 'Export',
  exportFormats: {
    CSV: ['CSV', 'for spreadsheets'],
    NDJSON: ['NDJSON', 'for programs, one event a line'],
  } as Record<'CSV' | 'NDJSON', readonly [string, string]>,
  exportAsks: (count: Count | null) =>
    count === null
      ? 'All events of this list, as a file.'
      : counted(count, {
          one: '# event of this list, as a file.',
          other: 'All # events of this list, as a file.',
        }),
  exportRunning: (done: string, total: string) => `Preparing: ${done} of ${total} gone through`,
  exportQueued: 'Waiting for its turn…',
  exportDone: (count: Count) =>
    counted(count, { one: 'The file is ready: # event', other: 'The file is ready: # events' }),
  exportFailed: 'The export could not be made.',
  exportRefused: 'Your sign-in does not allow exports of this log.',
  exportBusy: 'Too many exports are being made. Try again in a few minutes.',
  download: 'Download',
  manifest: 'Manifest with checksum',

  keptFor: (days: Count) => counted(days, { one: 'kept for # day', other: 'kept for # days' }),
  keptForever: 'kept for ever',
  // Alerts about what the list is filtered by.
  alertMe: 'Alert me…',
  alertTitle: 'Alert about these events',
  alertMatches: (count: Count) =>
    counted(count, { one: '# event of the last 7 days fits.', other: '# events of the last 7 days fit.' }),
  alertNotCounted: 'How many events fit could not be counted.',
  alertFromNow: 'Counted is what is recorded from now on, at any time.',
  alertName: 'Name',
  alertThreshold: 'How many events',
  alertWithin: 'Within',
  alertPer: 'Counted',
  alertPers: { NONE: 'all together', ACTOR: 'for each actor', IP_ADDRESS: 'for each IP address' },
  alertTarget: 'Who is told',
  alertByMail: 'People, by e-mail',
  alertAddresses: 'E-mail addresses, with commas between',
  alertMake: 'Create alert',
  alertMade: (name: string) => `The alert “${name}” is there, and counts from now on.`,
  alertFlaws: {
    name: 'It needs a name, and not a very long one.',
    threshold: 'It has to be a whole number from 1 to 1,000.',
    addresses: 'It has to be 1 to 10 e-mail addresses, each of them once.',
    mail: 'This service sends no mail. Choose an endpoint.',
    endpoint: 'This endpoint cannot be told of these events.',
    many: 'Your organization has as many alerts as it can have.',
    refused: 'Your sign-in does not allow alerts about this log.',
    other: 'The alert could not be made.',
  },
  cancel: 'Cancel',
  // Saved views.
  savedViews: 'Saved views…',
  viewsTitle: 'Saved views',
  viewsEmpty: 'Nothing is saved yet. Save what the list shows, and it opens again from here.',
  saveView: 'Save this view…',
  saveViewTitle: 'Save this view',
  viewShared: 'shared',
  viewShare: 'Share with everyone who reads this log',
  viewReplace: 'Replace it with what the list shows now',
  viewSave: 'Save',
  viewDelete: 'Delete',
  editView: (name: string) => `Edit “${name}”`,
  deleteView: (name: string) => `Delete “${name}”?`,
  deleteViewText: 'It cannot be brought back.',
  deleteSharedText: 'It goes for everyone who reads this log, and cannot be brought back.',
  viewSaved: (name: string) => `“${name}” is saved.`,
  viewDeleted: (name: string) => `“${name}” is deleted.`,
  viewFlaws: {
    name: 'It needs a name, of at most 100 characters.',
    question: 'What the list asks for is too long to be saved, or cannot be understood yet.',
    many: 'There are as many saved views as there can be. Delete one first.',
    gone: 'This view is no longer there.',
    refused: 'Your sign-in does not allow this.',
    other: 'This did not work. Try again later.',
  },

  histogram: 'Events over time',
  histogramSummary: (counts: string, from: string, to: string) => `${counts}, from ${from} to ${to}`,
  histogramBar: (from: string, to: string) => (from === to ? from : `${from} to ${to}`),
  histogramCount: (count: Count, failed: Count | null) => {
    const events = counted(count, { one: '# event', other: '# events' });
    return failed === null ? events : `${events}, ${failed.text} failed`;
  },
  histogramTop: (count: string) => `scale by square root, up to ${count}`,
  linkedEvent: 'Linked event',
  linkedEventMissing: 'The linked event does not exist, or you may not see it.',
  linkedEventExpired: 'The linked event was there, and has left the log: it was kept for as long as events are kept.',
  metadata: 'Metadata',
  noMetadata: 'No metadata',
  cut: 'cut',
  cutMeans: (paths: string) => `Not as it was sent, but cut or with � where a character cannot be kept: ${paths}`,
  masked: 'masked',
  maskedMeans: (paths: string) => `Not stored: a digest, or a shorter address, stands here: ${paths}`,
  held: 'on hold',
  heldMeans: 'A legal hold keeps this event: it stays however old it gets, and nobody is erased from it.',
  items: (count: Count) => counted(count, { one: '# item', other: '# items' }),
  sentence: (actor: string, action: string, resource: string | null) =>
    resource === null ? `${actor}: ${action}` : `${actor}: ${action}, ${resource}`,
  changes: 'Changes',
  changeBefore: 'before',
  changeAfter: 'after',
  whoAndWhere: 'Who and where',
  record: 'Record',
  raw: 'The event as JSON',
  later: (time: string) => `${time} later`,
  valueMenu: (value: string) => `What to do with ${value}`,
  excludeValue: (value: string) => `Leave out ${value}`,
  copyValue: (value: string) => `Copy ${value}`,
  excludeThis: 'Leave out this value',
  copyThis: 'Copy',
  copyJson: 'Copy as JSON',
  copyLink: 'Copy link',
  listFailed: 'The list could not be loaded.',
  copied: 'Copied',
  notCopied: 'The browser did not allow copying.',
  filterBy: (value: string) => `Filter by ${value}`,
  filterByThis: 'Filter by this value',
  nothingText: 'Try fewer filters, another spelling or a wider range.',
  withoutFilter: (name: string) => `Without ${name}`,
  planShows: 'It shows who did what, when and from where, with search, filters and details of every change.',
  upgrade: 'See plans',
  forbiddenTitle: 'For administrators',
  forbiddenText: (roles: string) =>
    roles
      ? `The audit log can be read with the role ${roles}.`
      : 'The audit log can be read by administrators of your organization.',
  refusedScope: 'Your sign-in does not include reading the audit log. Whoever set it up can add that.',
  hiddenTitle: 'Nothing to see here',
  hiddenText: 'This page is not available.',
  productTitle: 'Another product’s token',
  productText: (expected: string) =>
    `This page shows the log of “${expected}”, and the token belongs to another product.`,
  signInTitle: 'Sign in to read the audit log',
  signInText: 'Open this page from your application, or paste an access token. It stays in this tab.',
  token: 'Access token',
  organizationTitle: 'Whose audit log?',
  organizationText: 'This token may read more than one organization.',
  organization: 'Organization ID',
  signIn: 'Continue',
  endpointText: (endpoint: string, answer: string) =>
    `${endpoint} is no GraphQL endpoint of Ledgerline${answer && ` (${answer})`}. Set the attribute “endpoint” to the ` +
    'address of the service, with /graphql at its end.',
  originText: (server: string, origin: string) =>
    `${server} answers, but lets no page of ${origin} read its answers. Start the service with ` +
    `LEDGERLINE_ALLOWED_ORIGINS=${origin}.`,
  policyText: (server: string) =>
    `The content security policy of this page forbids to connect to ${server}. Add that address to its connect-src.`,
};

export type LaterTexts = typeof later;
