import { counted } from '../es.ts';
import type { LaterTexts } from './en.ts';

export const later: LaterTexts = {
  from: 'Desde',
  to: 'Hasta',
  narrowList: 'Escriba para acotar',
  useValue: (value) => `Usar «${value}»`,
  nothingInList: 'Sin coincidencias',

  queryFlaws: {
    oneOf: (values) => `Puede ser ${values}.`,
    value: 'Falta un valor después de los dos puntos o de la coma.',
    operator: (word) => `${word} no es un operador aquí. Entre comillas es una palabra como otra.`,
    time: 'Debe ser un día como 2026-11-01, una hora como 2026-11-01T14:30 o cuánto hace: 15m, 24h o 7d.',
    noWord: 'No contiene ninguna letra ni número que buscar.',
    other: 'No se puede preguntar así.',
  },
  suggestions: 'Sugerencias',

  relatedEvents: 'Eventos con el mismo ID de correlación',
  aboutActor: 'Sobre este actor',
  firstSeen: 'Visto por primera vez',
  lastSeen: 'Visto por última vez',
  frequentActions: 'Acciones más frecuentes',
  addresses: 'Direcciones',
  openResource: (name) => `Abrir ${name} en una pestaña nueva`,
  fromTime: 'Desde, hora',
  toTime: 'Hasta, hora',
  rangeHelp: 'Sin hora, cuenta el día entero.',
  compact: 'Filas compactas',
  columns: 'Columnas',
  keys: 'Teclado',
  keysText: [
    ['/', 'buscar'],
    ['↑ ↓', 'recorrer la lista'],
    ['Intro', 'abrir un evento'],
    ['Esc', 'cerrarlo'],
    ['Inicio Fin', 'primera y última fila'],
    ['← →', 'cambiar de página'],
    ['?', 'estas teclas'],
  ],
  close: 'Cerrar',
  copyCurl: 'Copiar como cURL',
  copyGraphql: 'Copiar como GraphQL',
  export: 'Exportar',
  exportFormats: {
    CSV: ['CSV', 'para hojas de cálculo'],
    NDJSON: ['NDJSON', 'para programas, un evento por línea'],
  },
  exportAsks: (count) =>
    count === null
      ? 'Todos los eventos de esta lista, en un archivo.'
      : counted(count, {
          one: '# evento de esta lista, en un archivo.',
          many: '# de eventos de esta lista, en un archivo.',
          other: 'Los # eventos de esta lista, en un archivo.',
        }),
  exportRunning: (done, total) => `Preparando: ${done} de ${total} revisados`,
  exportQueued: 'Esperando turno…',
  exportDone: (count) =>
    counted(count, {
      one: 'El archivo está listo: # evento',
      many: 'El archivo está listo: # de eventos',
      other: 'El archivo está listo: # eventos',
    }),
  exportFailed: 'No se pudo crear la exportación.',
  exportRefused: 'Su sesión no permite exportar este registro.',
  exportBusy: 'Se están creando demasiadas exportaciones. Vuelva a intentarlo en unos minutos.',
  download: 'Descargar',
  manifest: 'Manifiesto con suma de verificación',

  keptFor: (days) =>
    counted(days, {
      one: 'se conserva # día',
      many: 'se conserva # de días',
      other: 'se conserva # días',
    }),
  keptForever: 'se conserva para siempre',
  // Alerts about what the list is filtered by.
  alertMe: 'Avisarme…',
  alertTitle: 'Alerta sobre estos eventos',
  alertMatches: (count) =>
    counted(count, {
      one: '# evento de los últimos 7 días coincide.',
      many: '# de eventos de los últimos 7 días coinciden.',
      other: '# eventos de los últimos 7 días coinciden.',
    }),
  alertNotCounted: 'No se pudo contar cuántos eventos coinciden.',
  alertFromNow: 'Se cuenta lo que se registre a partir de ahora, a cualquier hora.',
  alertName: 'Nombre',
  alertThreshold: 'Cuántos eventos',
  alertWithin: 'En un plazo de',
  alertPer: 'Se cuentan',
  alertPers: { NONE: 'todos juntos', ACTOR: 'por cada actor', IP_ADDRESS: 'por cada dirección IP' },
  alertTarget: 'A quién se avisa',
  alertByMail: 'A personas, por correo',
  alertAddresses: 'Direcciones de correo, separadas por comas',
  alertMake: 'Crear alerta',
  alertMade: (name) => `La alerta «${name}» está creada y cuenta desde ahora.`,
  alertFlaws: {
    name: 'Necesita un nombre, y no muy largo.',
    threshold: 'Tiene que ser un número entero de 1 a 1000.',
    addresses: 'Tienen que ser de 1 a 10 direcciones de correo, cada una una vez.',
    mail: 'Este servicio no envía correo. Elija un punto de entrega.',
    endpoint: 'A este punto de entrega no se le puede avisar de estos eventos.',
    many: 'Su organización ya tiene todas las alertas que puede tener.',
    refused: 'Su inicio de sesión no permite alertas sobre este registro.',
    other: 'No se pudo crear la alerta.',
  },
  cancel: 'Cancelar',

  histogram: 'Eventos a lo largo del tiempo',
  histogramSummary: (counts, from, to) => `${counts}, de ${from} a ${to}`,
  histogramBar: (from, to) => (from === to ? from : `${from} – ${to}`),
  histogramCount: (count, failed) => {
    const events = counted(count, { one: '# evento', many: '# de eventos', other: '# eventos' });
    return failed === null ? events : `${events}, ${failed.text} con error`;
  },
  histogramTop: (count) => `escala de raíz cuadrada, hasta ${count}`,
  linkedEvent: 'Evento enlazado',
  linkedEventMissing: 'El evento enlazado no existe o usted no puede verlo.',
  linkedEventExpired: 'El evento enlazado existió y ya salió del registro: terminó su plazo de conservación.',
  metadata: 'Metadatos',
  noMetadata: 'Sin metadatos',
  cut: 'recortado',
  cutMeans: (paths) => `No como se envió: recortado, o con � donde un carácter no se puede conservar: ${paths}`,
  masked: 'enmascarado',
  maskedMeans: (paths) => `No almacenado: aquí figura un resumen criptográfico o una dirección abreviada: ${paths}`,
  held: 'retenido',
  heldMeans: 'Una retención legal conserva este evento: permanece por antiguo que sea, y no se suprime a nadie de él.',
  items: (count) => counted(count, { one: '# elemento', many: '# de elementos', other: '# elementos' }),
  sentence: (actor, action, resource) =>
    resource === null ? `${actor}: ${action}` : `${actor}: ${action}, ${resource}`,
  changes: 'Cambios',
  changeBefore: 'antes',
  changeAfter: 'después',
  whoAndWhere: 'Quién y dónde',
  record: 'Asiento',
  raw: 'El evento como JSON',
  later: (time) => `${time} después`,
  valueMenu: (value) => `Qué hacer con ${value}`,
  excludeValue: (value) => `Excluir ${value}`,
  copyValue: (value) => `Copiar ${value}`,
  excludeThis: 'Excluir este valor',
  copyThis: 'Copiar',
  copyJson: 'Copiar como JSON',
  copyLink: 'Copiar enlace',
  listFailed: 'No se pudo cargar la lista.',
  copied: 'Copiado',
  notCopied: 'El navegador no permitió copiar.',
  filterBy: (value) => `Filtrar por ${value}`,
  filterByThis: 'Filtrar por este valor',
  nothingText: 'Pruebe con menos filtros, otra grafía o un intervalo mayor.',
  withoutFilter: (name) => `Sin ${name}`,
  planShows: 'Muestra quién hizo qué, cuándo y desde dónde, con búsqueda, filtros y los detalles de cada cambio.',
  upgrade: 'Ver planes',
  forbiddenTitle: 'Para administradores',
  forbiddenText: (roles) =>
    roles
      ? `El registro de auditoría se puede leer con el rol ${roles}.`
      : 'El registro de auditoría lo pueden leer los administradores de su organización.',
  refusedScope: 'Su acceso no incluye leer el registro de auditoría. Quien lo configuró puede añadirlo.',
  hiddenTitle: 'Nada que ver aquí',
  hiddenText: 'Esta página no está disponible.',
  productTitle: 'Token de otro producto',
  productText: (expected) => `Esta página muestra el registro de «${expected}», y el token pertenece a otro producto.`,
  signInTitle: 'Inicie sesión para leer el registro de auditoría',
  signInText: 'Abra esta página desde su aplicación o pegue un token de acceso. Permanece en esta pestaña.',
  token: 'Token de acceso',
  organizationTitle: '¿El registro de auditoría de quién?',
  organizationText: 'Este token puede leer más de una organización.',
  organization: 'ID de la organización',
  signIn: 'Continuar',
  endpointText: (endpoint, answer) =>
    `${endpoint} no es un endpoint GraphQL de Ledgerline${answer && ` (${answer})`}. Ponga en el atributo «endpoint» la ` +
    'dirección del servicio, terminada en /graphql.',
  originText: (server, origin) =>
    `${server} responde, pero no permite que ninguna página de ${origin} lea sus respuestas. Inicie el servicio con ` +
    `LEDGERLINE_ALLOWED_ORIGINS=${origin}.`,
  policyText: (server) =>
    `La política de seguridad de contenido de esta página prohíbe conectarse a ${server}. Añada esa dirección a su connect-src.`,
};
