import { counted } from '../de.ts';
import type { LaterTexts } from './en.ts';

export const later: LaterTexts = {
  from: 'Von',
  to: 'Bis',
  narrowList: 'Tippen, um einzugrenzen',
  useValue: (value) => `„${value}“ verwenden`,
  nothingInList: 'Nichts passt',

  // Was am Text des Suchfelds nicht stimmt.
  queryFlaws: {
    oneOf: (values: string) => `Möglich sind ${values}.`,
    value: 'Nach dem Doppelpunkt oder Komma fehlt ein Wert.',
    operator: (word: string) => `${word} verknüpft hier nichts. In Anführungszeichen ist es ein Wort wie andere.`,
    time: 'Das muss ein Tag wie 2026-11-01, eine Zeit wie 2026-11-01T14:30 oder eine Dauer bis jetzt sein: 15m, 24h oder 7d.',
    noWord: 'Darin steht kein Buchstabe und keine Zahl, nach der gesucht werden könnte.',
    other: 'So kann danach nicht gefragt werden.',
  },
  suggestions: 'Vorschläge',

  // Was um ein Ereignis herum ist.
  relatedEvents: 'Ereignisse derselben Korrelations-ID',
  aboutActor: 'Mehr über den Akteur',
  firstSeen: 'Zuerst gesehen',
  lastSeen: 'Zuletzt gesehen',
  frequentActions: 'Häufigste Aktionen',
  addresses: 'Adressen',
  openResource: (name: string) => `${name} in neuem Tab öffnen`,
  fromTime: 'Von, Uhrzeit',
  toTime: 'Bis, Uhrzeit',
  rangeHelp: 'Ohne Uhrzeit zählt der ganze Tag.',
  compact: 'Enge Zeilen',
  columns: 'Spalten',
  keys: 'Tastatur',
  keysText: [
    ['/', 'suchen'],
    ['↑ ↓', 'durch die Liste gehen'],
    ['Enter', 'ein Ereignis öffnen'],
    ['Esc', 'es schließen'],
    ['Pos1 Ende', 'erste und letzte Zeile'],
    ['← →', 'blättern'],
    ['?', 'diese Tasten'],
  ],
  close: 'Schließen',
  copyCurl: 'Als cURL kopieren',
  copyGraphql: 'Als GraphQL kopieren',
  export: 'Exportieren',
  exportFormats: {
    CSV: ['CSV', 'für Tabellenprogramme'],
    NDJSON: ['NDJSON', 'für Programme, ein Ereignis je Zeile'],
  },
  exportAsks: (count) =>
    count === null
      ? 'Alle Ereignisse dieser Liste als Datei.'
      : counted(count, {
          one: '# Ereignis dieser Liste als Datei.',
          other: 'Alle # Ereignisse dieser Liste als Datei.',
        }),
  exportRunning: (done, total) => `Wird vorbereitet: ${done} von ${total} durchgesehen`,
  exportQueued: 'Wartet, bis er an der Reihe ist …',
  exportDone: (count) =>
    counted(count, { one: 'Die Datei ist fertig: # Ereignis', other: 'Die Datei ist fertig: # Ereignisse' }),
  exportFailed: 'Der Export konnte nicht erstellt werden.',
  exportRefused: 'Ihre Anmeldung erlaubt keinen Export dieses Logs.',
  exportBusy: 'Es werden zu viele Exporte erstellt. Versuchen Sie es in ein paar Minuten noch einmal.',
  download: 'Herunterladen',
  manifest: 'Manifest mit Prüfsumme',

  keptFor: (days) => counted(days, { one: '# Tag aufbewahrt', other: '# Tage aufbewahrt' }),
  keptForever: 'für immer aufbewahrt',
  // Alerts about what the list is filtered by.
  alertMe: 'Benachrichtigen…',
  alertTitle: 'Bei solchen Ereignissen benachrichtigen',
  alertMatches: (count) =>
    counted(count, { one: '# Ereignis der letzten 7 Tage passt.', other: '# Ereignisse der letzten 7 Tage passen.' }),
  alertNotCounted: 'Wie viele Ereignisse passen, ließ sich nicht zählen.',
  alertFromNow: 'Gezählt wird, was von jetzt an aufgezeichnet wird, zu jeder Zeit.',
  alertName: 'Name',
  alertThreshold: 'Wie viele Ereignisse',
  alertWithin: 'Innerhalb von',
  alertPer: 'Gezählt',
  alertPers: { NONE: 'alle zusammen', ACTOR: 'je Akteur', IP_ADDRESS: 'je IP-Adresse' },
  alertTarget: 'Wer es erfährt',
  alertByMail: 'Personen, per E-Mail',
  alertAddresses: 'E-Mail-Adressen, durch Kommas getrennt',
  alertMake: 'Alarm anlegen',
  alertMade: (name) => `Der Alarm „${name}“ ist angelegt und zählt ab jetzt.`,
  alertFlaws: {
    name: 'Ein Name ist nötig, und kein sehr langer.',
    threshold: 'Es muss eine ganze Zahl von 1 bis 1.000 sein.',
    addresses: 'Es müssen 1 bis 10 E-Mail-Adressen sein, jede einmal.',
    mail: 'Dieser Dienst verschickt keine E-Mails. Wählen Sie einen Endpunkt.',
    endpoint: 'Dieser Endpunkt darf von diesen Ereignissen nichts erfahren.',
    many: 'Ihre Organisation hat schon so viele Alarme, wie sie haben kann.',
    refused: 'Ihre Anmeldung erlaubt keine Alarme zu diesem Log.',
    other: 'Der Alarm konnte nicht angelegt werden.',
  },
  cancel: 'Abbrechen',
  savedViews: 'Gespeicherte Ansichten…',
  viewsTitle: 'Gespeicherte Ansichten',
  viewsEmpty: 'Noch ist nichts gespeichert. Speichern Sie, was die Liste zeigt, dann lässt es sich hier wieder öffnen.',
  saveView: 'Diese Ansicht speichern…',
  saveViewTitle: 'Diese Ansicht speichern',
  viewShared: 'geteilt',
  viewShare: 'Mit allen teilen, die dieses Log lesen',
  viewReplace: 'Durch das ersetzen, was die Liste jetzt zeigt',
  viewSave: 'Speichern',
  viewDelete: 'Löschen',
  editView: (name) => `„${name}“ bearbeiten`,
  deleteView: (name) => `„${name}“ löschen?`,
  deleteViewText: 'Das lässt sich nicht rückgängig machen.',
  deleteSharedText: 'Die Ansicht verschwindet für alle, die dieses Log lesen. Das lässt sich nicht rückgängig machen.',
  viewSaved: (name) => `„${name}“ ist gespeichert.`,
  viewDeleted: (name) => `„${name}“ ist gelöscht.`,
  viewFlaws: {
    name: 'Die Ansicht braucht einen Namen mit höchstens 100 Zeichen.',
    question: 'Was die Liste abfragt, ist zum Speichern zu lang oder noch nicht verständlich.',
    many: 'Es gibt schon so viele gespeicherte Ansichten, wie es geben kann. Löschen Sie zuerst eine.',
    gone: 'Diese Ansicht gibt es nicht mehr.',
    refused: 'Ihre Anmeldung erlaubt das nicht.',
    other: 'Das hat nicht geklappt. Versuchen Sie es später noch einmal.',
  },

  histogram: 'Ereignisse im Zeitverlauf',
  histogramSummary: (counts, from, to) => `${counts}, von ${from} bis ${to}`,
  histogramBar: (from, to) => (from === to ? from : `${from} bis ${to}`),
  histogramCount: (count, failed) => {
    const events = counted(count, { one: '# Ereignis', other: '# Ereignisse' });
    return failed === null ? events : `${events}, ${failed.text} fehlgeschlagen`;
  },
  histogramTop: (count) => `Maßstab nach Quadratwurzel, bis ${count}`,
  linkedEvent: 'Verlinktes Ereignis',
  linkedEventMissing: 'Das verlinkte Ereignis gibt es nicht, oder Sie dürfen es nicht sehen.',
  linkedEventExpired:
    'Das verlinkte Ereignis war da und hat das Log verlassen: es wurde so lange aufbewahrt, wie Ereignisse aufbewahrt werden.',
  metadata: 'Metadaten',
  noMetadata: 'Keine Metadaten',
  cut: 'gekürzt',
  cutMeans: (paths) =>
    `Nicht wie gesendet: gekürzt, oder mit � für Zeichen, die sich nicht aufbewahren lassen: ${paths}`,
  masked: 'maskiert',
  maskedMeans: (paths) => `Nicht gespeichert: hier steht ein Prüfwert oder eine gekürzte Adresse: ${paths}`,
  held: 'aufbewahrt',
  heldMeans:
    'Ein Aufbewahrungsgebot hält dieses Ereignis: Es bleibt, so alt es auch wird, und niemand wird daraus gelöscht.',
  items: (count) => counted(count, { one: '# Eintrag', other: '# Einträge' }),
  sentence: (actor, action, resource) =>
    resource === null ? `${actor}: ${action}` : `${actor}: ${action}, ${resource}`,
  changes: 'Änderungen',
  changeBefore: 'vorher',
  changeAfter: 'nachher',
  whoAndWhere: 'Wer und wo',
  record: 'Eintrag',
  raw: 'Das Ereignis als JSON',
  later: (time) => `${time} später`,
  valueMenu: (value) => `Was mit ${value} geschehen soll`,
  excludeValue: (value) => `${value} weglassen`,
  copyValue: (value) => `${value} kopieren`,
  excludeThis: 'Diesen Wert weglassen',
  copyThis: 'Kopieren',
  copyJson: 'Als JSON kopieren',
  copyLink: 'Link kopieren',
  listFailed: 'Die Liste konnte nicht geladen werden.',
  copied: 'Kopiert',
  notCopied: 'Der Browser hat das Kopieren nicht erlaubt.',
  filterBy: (value) => `Nach ${value} filtern`,
  filterByThis: 'Nach diesem Wert filtern',
  nothingText: 'Versuchen Sie weniger Filter, eine andere Schreibweise oder einen längeren Zeitraum.',
  withoutFilter: (name) => `Ohne ${name}`,
  planShows: 'Es zeigt, wer was wann und von wo getan hat, mit Suche, Filtern und den Einzelheiten jeder Änderung.',
  upgrade: 'Tarife ansehen',
  forbiddenTitle: 'Für Administratoren',
  forbiddenText: (roles) =>
    roles
      ? `Das Audit-Log kann mit der Rolle ${roles} gelesen werden.`
      : 'Das Audit-Log können Administratoren Ihrer Organisation lesen.',
  refusedScope: 'Ihre Anmeldung umfasst das Lesen des Audit-Logs nicht. Wer sie eingerichtet hat, kann das hinzufügen.',
  hiddenTitle: 'Hier gibt es nichts zu sehen',
  hiddenText: 'Diese Seite ist nicht verfügbar.',
  productTitle: 'Token eines anderen Produkts',
  productText: (expected) => `Diese Seite zeigt das Log von „${expected}“, das Token gehört zu einem anderen Produkt.`,
  signInTitle: 'Anmelden, um das Audit-Log zu lesen',
  signInText:
    'Öffnen Sie diese Seite aus Ihrer Anwendung, oder fügen Sie ein Zugriffstoken ein. Es bleibt in diesem Tab.',
  token: 'Zugriffstoken',
  organizationTitle: 'Wessen Audit-Log?',
  organizationText: 'Dieses Token darf mehr als eine Organisation lesen.',
  organization: 'Organisations-ID',
  signIn: 'Weiter',
  endpointText: (endpoint, answer) =>
    `${endpoint} ist kein GraphQL-Endpunkt von Ledgerline${answer && ` (${answer})`}. Setzen Sie das Attribut „endpoint“ auf ` +
    'die Adresse des Dienstes, mit /graphql am Ende.',
  originText: (server, origin) =>
    `${server} antwortet, lässt aber keine Seite von ${origin} die Antworten lesen. Starten Sie den Dienst mit ` +
    `LEDGERLINE_ALLOWED_ORIGINS=${origin}.`,
  policyText: (server) =>
    `Die Content-Security-Policy dieser Seite verbietet Verbindungen zu ${server}. Nehmen Sie diese Adresse in ihr connect-src auf.`,
};
