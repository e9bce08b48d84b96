import { counted } from '../pt.ts';
import type { LaterTexts } from './en.ts';

export const later: LaterTexts = {
  from: 'De',
  to: 'Até',
  narrowList: 'Digite para restringir',
  useValue: (value) => `Usar “${value}”`,
  nothingInList: 'Nada corresponde',

  queryFlaws: {
    oneOf: (values) => `Pode ser ${values}.`,
    value: 'Falta um valor depois dos dois-pontos ou da vírgula.',
    operator: (word) => `${word} não é um operador aqui. Entre aspas, é uma palavra como outra qualquer.`,
    time: 'Deve ser um dia como 2026-11-01, um horário como 2026-11-01T14:30 ou há quanto tempo: 15m, 24h ou 7d.',
    noWord: 'Não há letra nem número para pesquisar.',
    other: 'Não é possível perguntar assim.',
  },
  suggestions: 'Sugestões',

  relatedEvents: 'Eventos com o mesmo ID de correlação',
  aboutActor: 'Sobre este ator',
  firstSeen: 'Visto pela primeira vez',
  lastSeen: 'Visto pela última vez',
  frequentActions: 'Ações mais frequentes',
  addresses: 'Endereços',
  openResource: (name) => `Abrir ${name} em uma nova guia`,
  fromTime: 'De, horário',
  toTime: 'Até, horário',
  rangeHelp: 'Sem horário, vale o dia inteiro.',
  compact: 'Linhas compactas',
  columns: 'Colunas',
  keys: 'Teclado',
  keysText: [
    ['/', 'pesquisar'],
    ['↑ ↓', 'percorrer a lista'],
    ['Enter', 'abrir um evento'],
    ['Esc', 'fechá-lo'],
    ['Home End', 'primeira e última linha'],
    ['← →', 'mudar de página'],
    ['?', 'estas teclas'],
  ],
  close: 'Fechar',
  copyCurl: 'Copiar como cURL',
  copyGraphql: 'Copiar como GraphQL',
  export: 'Exportar',
  exportFormats: {
    CSV: ['CSV', 'para planilhas'],
    NDJSON: ['NDJSON', 'para programas, um evento por linha'],
  },
  exportAsks: (count) =>
    count === null
      ? 'Todos os eventos desta lista, em um arquivo.'
      : counted(count, {
          one: '# evento desta lista, em um arquivo.',
          many: '# de eventos desta lista, em um arquivo.',
          other: 'Todos os # eventos desta lista, em um arquivo.',
        }),
  exportRunning: (done, total) => `Preparando: ${done} de ${total} percorridos`,
  exportQueued: 'Aguardando a vez…',
  exportDone: (count) =>
    counted(count, {
      one: 'O arquivo está pronto: # evento',
      many: 'O arquivo está pronto: # de eventos',
      other: 'O arquivo está pronto: # eventos',
    }),
  exportFailed: 'Não foi possível criar a exportação.',
  exportRefused: 'Seu acesso não permite exportar este log.',
  exportBusy: 'Há exportações demais em andamento. Tente novamente em alguns minutos.',
  download: 'Baixar',
  manifest: 'Manifesto com soma de verificação',

  keptFor: (days) =>
    counted(days, { one: 'mantido por # dia', many: 'mantido por # de dias', other: 'mantido por # dias' }),
  keptForever: 'mantido para sempre',
  // Alerts about what the list is filtered by.
  alertMe: 'Alertar-me…',
  alertTitle: 'Alerta sobre estes eventos',
  alertMatches: (count) =>
    counted(count, {
      one: '# evento dos últimos 7 dias corresponde.',
      many: '# de eventos dos últimos 7 dias correspondem.',
      other: '# eventos dos últimos 7 dias correspondem.',
    }),
  alertNotCounted: 'Não foi possível contar quantos eventos correspondem.',
  alertFromNow: 'Conta-se o que for registrado a partir de agora, a qualquer hora.',
  alertName: 'Nome',
  alertThreshold: 'Quantos eventos',
  alertWithin: 'Dentro de',
  alertPer: 'Contados',
  alertPers: { NONE: 'todos juntos', ACTOR: 'por ator', IP_ADDRESS: 'por endereço IP' },
  alertTarget: 'Quem é avisado',
  alertByMail: 'Pessoas, por e-mail',
  alertAddresses: 'Endereços de e-mail, separados por vírgulas',
  alertMake: 'Criar alerta',
  alertMade: (name) => `O alerta “${name}” foi criado e conta a partir de agora.`,
  alertFlaws: {
    name: 'É preciso um nome, e não muito longo.',
    threshold: 'Tem de ser um número inteiro de 1 a 1.000.',
    addresses: 'Têm de ser de 1 a 10 endereços de e-mail, cada um uma vez.',
    mail: 'Este serviço não envia e-mails. Escolha um ponto de entrega.',
    endpoint: 'Este ponto de entrega não pode ser avisado destes eventos.',
    many: 'A sua organização já tem todos os alertas que pode ter.',
    refused: 'O seu acesso não permite alertas sobre este log.',
    other: 'Não foi possível criar o alerta.',
  },
  cancel: 'Cancelar',

  histogram: 'Eventos ao longo do tempo',
  histogramSummary: (counts, from, to) => `${counts}, de ${from} até ${to}`,
  histogramBar: (from, to) => (from === to ? from : `${from} – ${to}`),
  histogramCount: (count, failed) => {
    const events = counted(count, { one: '# evento', many: '# de eventos', other: '# eventos' });
    if (failed === null) return events;
    return `${events}, ${counted(failed, { one: '# falha', many: '# de falhas', other: '# falhas' })}`;
  },
  histogramTop: (count) => `escala de raiz quadrada, até ${count}`,
  linkedEvent: 'Evento do link',
  linkedEventMissing: 'O evento do link não existe, ou você não pode vê-lo.',
  linkedEventExpired: 'O evento do link existiu e saiu do log: o prazo de retenção terminou.',
  metadata: 'Metadados',
  noMetadata: 'Sem metadados',
  cut: 'cortado',
  cutMeans: (paths) =>
    `Diferente do que foi enviado: cortado, ou com � onde um caractere não pode ser mantido: ${paths}`,
  masked: 'mascarado',
  maskedMeans: (paths) => `Não armazenado: aqui está um resumo criptográfico ou um endereço abreviado: ${paths}`,
  held: 'retido',
  heldMeans:
    'Uma retenção legal preserva este evento: ele permanece por mais antigo que seja, e ninguém é apagado dele.',
  items: (count) => counted(count, { one: '# item', many: '# de itens', other: '# itens' }),
  sentence: (actor, action, resource) =>
    resource === null ? `${actor}: ${action}` : `${actor}: ${action}, ${resource}`,
  changes: 'Alterações',
  changeBefore: 'antes',
  changeAfter: 'depois',
  whoAndWhere: 'Quem e onde',
  record: 'Registro',
  raw: 'O evento em JSON',
  later: (time) => `${time} depois`,
  valueMenu: (value) => `O que fazer com ${value}`,
  excludeValue: (value) => `Excluir ${value} da lista`,
  copyValue: (value) => `Copiar ${value}`,
  excludeThis: 'Deixar este valor de fora',
  copyThis: 'Copiar',
  copyJson: 'Copiar como JSON',
  copyLink: 'Copiar link',
  listFailed: 'Não foi possível carregar a lista.',
  copied: 'Copiado',
  notCopied: 'O navegador não permitiu copiar.',
  filterBy: (value) => `Filtrar por ${value}`,
  filterByThis: 'Filtrar por este valor',
  nothingText: 'Tente menos filtros, outra grafia ou um período maior.',
  withoutFilter: (name) => `Sem ${name}`,
  planShows: 'Ele mostra quem fez o quê, quando e de onde, com pesquisa, filtros e detalhes de cada alteração.',
  upgrade: 'Ver planos',
  forbiddenTitle: 'Para administradores',
  forbiddenText: (roles) =>
    roles
      ? `O log de auditoria pode ser lido com a função ${roles}.`
      : 'O log de auditoria pode ser lido por administradores da sua organização.',
  refusedScope: 'Seu acesso não inclui a leitura do log de auditoria. Quem o configurou pode adicioná-la.',
  hiddenTitle: 'Nada para ver aqui',
  hiddenText: 'Esta página não está disponível.',
  productTitle: 'Token de outro produto',
  productText: (expected) => `Esta página mostra o log de “${expected}”, e o token pertence a outro produto.`,
  signInTitle: 'Entre para ler o log de auditoria',
  signInText: 'Abra esta página pelo seu aplicativo ou cole um token de acesso. Ele fica nesta aba.',
  token: 'Token de acesso',
  organizationTitle: 'Log de auditoria de quem?',
  organizationText: 'Este token pode ler mais de uma organização.',
  organization: 'ID da organização',
  signIn: 'Continuar',
  endpointText: (endpoint, answer) =>
    `${endpoint} não é um endpoint GraphQL do Ledgerline${answer && ` (${answer})`}. Defina no atributo “endpoint” o ` +
    'endereço do serviço, terminado em /graphql.',
  originText: (server, origin) =>
    `${server} responde, mas não deixa nenhuma página de ${origin} ler as respostas. Inicie o serviço com ` +
    `LEDGERLINE_ALLOWED_ORIGINS=${origin}.`,
  policyText: (server) =>
    `A política de segurança de conteúdo desta página proíbe a conexão com ${server}. Adicione esse endereço ao connect-src dela.`,
};
