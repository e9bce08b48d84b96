import { counted, nbsp, quoted } from '../fr.ts';
import type { LaterTexts } from './en.ts';

export const later: LaterTexts = {
  from: 'Du',
  to: 'Au',
  narrowList: 'Saisir pour affiner',
  useValue: (value) => `Utiliser ${quoted(value)}`,
  nothingInList: 'Aucune correspondance',

  queryFlaws: {
    oneOf: (values) => `Valeurs possibles${nbsp}: ${values}.`,
    value: 'Il manque une valeur après les deux-points ou la virgule.',
    operator: (word) => `${word} n’est pas un opérateur ici. Entre guillemets, c’est un mot comme un autre.`,
    time: `Il faut un jour comme 2026-11-01, une heure comme 2026-11-01T14:30 ou une durée jusqu’à maintenant${nbsp}: 15m, 24h ou 7d.`,
    noWord: 'Il n’y a ni lettre ni chiffre à rechercher.',
    other: 'Cela ne peut pas être demandé ainsi.',
  },
  suggestions: 'Propositions',

  relatedEvents: 'Événements du même ID de corrélation',
  aboutActor: 'À propos de cet acteur',
  firstSeen: 'Vu pour la première fois',
  lastSeen: 'Vu pour la dernière fois',
  frequentActions: 'Actions les plus fréquentes',
  addresses: 'Adresses',
  openResource: (name) => `Ouvrir ${name} dans un nouvel onglet`,
  fromTime: 'Du, heure',
  toTime: 'Au, heure',
  rangeHelp: 'Sans heure, la journée entière compte.',
  compact: 'Lignes compactes',
  columns: 'Colonnes',
  keys: 'Clavier',
  keysText: [
    ['/', 'rechercher'],
    ['↑ ↓', 'parcourir la liste'],
    ['Entrée', 'ouvrir un événement'],
    ['Échap', 'le fermer'],
    ['Début Fin', 'première et dernière ligne'],
    ['← →', 'changer de page'],
    ['?', 'ces touches'],
  ],
  close: 'Fermer',
  copyCurl: 'Copier en cURL',
  copyGraphql: 'Copier en GraphQL',
  export: 'Exporter',
  exportFormats: {
    CSV: ['CSV', 'pour les tableurs'],
    NDJSON: ['NDJSON', 'pour les programmes, un événement par ligne'],
  },
  exportAsks: (count) =>
    count === null
      ? 'Tous les événements de cette liste, dans un fichier.'
      : counted(count, {
          one: '# événement de cette liste, dans un fichier.',
          many: '# d’événements de cette liste, dans un fichier.',
          other: 'Les # événements de cette liste, dans un fichier.',
        }),
  exportRunning: (done, total) => `Préparation${nbsp}: ${done} parcourus sur ${total}`,
  exportQueued: 'En attente de son tour…',
  exportDone: (count) =>
    counted(count, {
      one: `Le fichier est prêt${nbsp}: # événement`,
      many: `Le fichier est prêt${nbsp}: # d’événements`,
      other: `Le fichier est prêt${nbsp}: # événements`,
    }),
  exportFailed: 'L’export n’a pas pu être créé.',
  exportRefused: 'Votre accès ne permet pas d’exporter ce journal.',
  exportBusy: 'Trop d’exports sont en cours. Réessayez dans quelques minutes.',
  download: 'Télécharger',
  manifest: 'Manifeste avec somme de contrôle',

  keptFor: (days) => counted(days, { one: 'conservé # jour', many: 'conservé # de jours', other: 'conservé # jours' }),
  keptForever: 'conservé sans limite',
  // Alerts about what the list is filtered by.
  alertMe: 'M’alerter…',
  alertTitle: 'Alerte sur ces événements',
  alertMatches: (count) =>
    counted(count, {
      one: '# événement des 7 derniers jours correspond.',
      many: '# d’événements des 7 derniers jours correspondent.',
      other: '# événements des 7 derniers jours correspondent.',
    }),
  alertNotCounted: 'Le nombre d’événements concernés n’a pas pu être compté.',
  alertFromNow: 'Est compté ce qui est enregistré à partir de maintenant, à tout moment.',
  alertName: 'Nom',
  alertThreshold: 'Combien d’événements',
  alertWithin: 'En l’espace de',
  alertPer: 'Comptés',
  alertPers: { NONE: 'tous ensemble', ACTOR: 'pour chaque acteur', IP_ADDRESS: 'pour chaque adresse IP' },
  alertTarget: 'Qui est prévenu',
  alertByMail: 'Des personnes, par e-mail',
  alertAddresses: 'Adresses e-mail, séparées par des virgules',
  alertMake: 'Créer l’alerte',
  alertMade: (name) => `L’alerte « ${name} » est créée et compte à partir de maintenant.`,
  alertFlaws: {
    name: 'Il faut un nom, et pas trop long.',
    threshold: 'Il faut un nombre entier de 1 à 1 000.',
    addresses: 'Il faut de 1 à 10 adresses e-mail, chacune une seule fois.',
    mail: 'Ce service n’envoie pas d’e-mails. Choisissez un point de livraison.',
    endpoint: 'Ce point de livraison ne peut pas être prévenu de ces événements.',
    many: 'Votre organisation a déjà autant d’alertes qu’elle peut en avoir.',
    refused: 'Votre connexion ne permet pas d’alertes sur ce journal.',
    other: 'L’alerte n’a pas pu être créée.',
  },
  cancel: 'Annuler',
  savedViews: 'Vues enregistrées…',
  viewsTitle: 'Vues enregistrées',
  viewsEmpty: 'Rien n’est encore enregistré. Enregistrez ce que montre la liste pour le rouvrir d’ici.',
  saveView: 'Enregistrer cette vue…',
  saveViewTitle: 'Enregistrer cette vue',
  viewShared: 'partagée',
  viewShare: 'Partager avec tous ceux qui lisent ce journal',
  viewReplace: 'La remplacer par ce que montre la liste maintenant',
  viewSave: 'Enregistrer',
  viewDelete: 'Supprimer',
  editView: (name) => `Modifier « ${name} »`,
  deleteView: (name) => `Supprimer « ${name} » ?`,
  deleteViewText: 'Elle ne pourra pas être récupérée.',
  deleteSharedText: 'Elle disparaîtra pour tous ceux qui lisent ce journal et ne pourra pas être récupérée.',
  viewSaved: (name) => `« ${name} » est enregistrée.`,
  viewDeleted: (name) => `« ${name} » est supprimée.`,
  viewFlaws: {
    name: 'Il lui faut un nom de 100 caractères au plus.',
    question: 'Ce que demande la liste est trop long pour être enregistré, ou pas encore compréhensible.',
    many: 'Il y a déjà autant de vues enregistrées qu’il peut y en avoir. Supprimez-en une d’abord.',
    gone: 'Cette vue n’existe plus.',
    refused: 'Votre connexion ne le permet pas.',
    other: 'Cela n’a pas fonctionné. Réessayez plus tard.',
  },

  histogram: 'Événements dans le temps',
  histogramSummary: (counts, from, to) => `${counts}, du ${from} au ${to}`,
  histogramBar: (from, to) => (from === to ? from : `${from} – ${to}`),
  histogramCount: (count, failed) => {
    const events = counted(count, { one: '# événement', many: '# d’événements', other: '# événements' });
    if (failed === null) return events;
    return `${events}, ${counted(failed, { one: '# échec', many: '# d’échecs', other: '# échecs' })}`;
  },
  histogramTop: (count) => `échelle en racine carrée, jusqu’à ${count}`,
  linkedEvent: 'Événement lié',
  linkedEventMissing: 'L’événement lié n’existe pas, ou vous n’êtes pas autorisé à le voir.',
  linkedEventExpired: `L’événement lié a existé et a quitté le journal${nbsp}: sa durée de conservation est écoulée.`,
  metadata: 'Métadonnées',
  noMetadata: 'Aucune métadonnée',
  cut: 'tronqué',
  cutMeans: (paths) =>
    `Différent de ce qui a été envoyé${nbsp}: tronqué, ou avec � là où un caractère ne peut être conservé${nbsp}: ${paths}`,
  masked: 'masqué',
  maskedMeans: (paths) => `Non enregistré${nbsp}: une empreinte ou une adresse raccourcie figure ici${nbsp}: ${paths}`,
  held: 'gelé',
  heldMeans:
    'Une conservation légale protège cet événement\u00a0: il reste quel que soit son âge, et personne n’en est effacé.',
  items: (count) => counted(count, { one: '# élément', many: '# d’éléments', other: '# éléments' }),
  sentence: (actor, action, resource) =>
    resource === null ? `${actor}${nbsp}: ${action}` : `${actor}${nbsp}: ${action}, ${resource}`,
  changes: 'Modifications',
  changeBefore: 'avant',
  changeAfter: 'après',
  whoAndWhere: 'Qui et où',
  record: 'Enregistrement',
  raw: 'L’événement en JSON',
  later: (time) => `${time} plus tard`,
  valueMenu: (value) => `Que faire de ${value}`,
  excludeValue: (value) => `Exclure ${value}`,
  copyValue: (value) => `Copier ${value}`,
  excludeThis: 'Exclure cette valeur',
  copyThis: 'Copier',
  copyJson: 'Copier en JSON',
  copyLink: 'Copier le lien',
  listFailed: 'La liste n’a pas pu être chargée.',
  copied: 'Copié',
  notCopied: 'Le navigateur n’a pas autorisé la copie.',
  filterBy: (value) => `Filtrer par ${value}`,
  filterByThis: 'Filtrer par cette valeur',
  nothingText: 'Essayez avec moins de filtres, une autre orthographe ou une période plus longue.',
  withoutFilter: (name) => `Sans ${name}`,
  planShows:
    'Il montre qui a fait quoi, quand et d’où, avec la recherche, les filtres et le détail de chaque modification.',
  upgrade: 'Voir les offres',
  forbiddenTitle: 'Réservé aux administrateurs',
  forbiddenText: (roles) =>
    roles
      ? `Le journal d’audit peut être lu avec le rôle ${roles}.`
      : 'Le journal d’audit peut être lu par les administrateurs de votre organisation.',
  refusedScope:
    'Votre accès ne comprend pas la lecture du journal d’audit. La personne qui l’a configuré peut l’ajouter.',
  hiddenTitle: 'Rien à voir ici',
  hiddenText: 'Cette page n’est pas disponible.',
  productTitle: 'Jeton d’un autre produit',
  productText: (expected) =>
    `Cette page affiche le journal de ${quoted(expected)}, et le jeton appartient à un autre produit.`,
  signInTitle: 'Connectez-vous pour lire le journal d’audit',
  signInText: 'Ouvrez cette page depuis votre application, ou collez un jeton d’accès. Il reste dans cet onglet.',
  token: 'Jeton d’accès',
  organizationTitle: `Le journal d’audit de quelle organisation${nbsp}?`,
  organizationText: 'Ce jeton peut lire plusieurs organisations.',
  organization: 'ID de l’organisation',
  signIn: 'Continuer',
  endpointText: (endpoint, answer) =>
    `${endpoint} n’est pas un point d’accès GraphQL de Ledgerline${answer && ` (${answer})`}. Donnez à l’attribut ${quoted('endpoint')} ` +
    'l’adresse du service, terminée par /graphql.',
  originText: (server, origin) =>
    `${server} répond, mais ne laisse aucune page de ${origin} lire ses réponses. Démarrez le service avec ` +
    `LEDGERLINE_ALLOWED_ORIGINS=${origin}.`,
  policyText: (server) =>
    `La politique de sécurité du contenu de cette page interdit de se connecter à ${server}. Ajoutez cette adresse à son connect-src.`,
};
