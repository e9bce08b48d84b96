import { counted, counts } from '../tr.ts';
import type { LaterTexts } from './en.ts';

export const later: LaterTexts = {
  from: 'Başlangıç',
  to: 'Bitiş',
  narrowList: 'Daraltmak için yazın',
  useValue: (value) => `“${value}” değerini kullan`,
  nothingInList: 'Eşleşme yok',

  queryFlaws: {
    oneOf: (values) => `Şunlardan biri olabilir: ${values}.`,
    value: 'İki nokta veya virgülden sonra bir değer eksik.',
    operator: (word) => `${word} burada bir işleç değildir. Tırnak içinde diğerleri gibi bir sözcüktür.`,
    time: '2026-11-01 gibi bir gün, 2026-11-01T14:30 gibi bir saat veya geçen süre olmalıdır: 15m, 24h ya da 7d.',
    noWord: 'İçinde aranacak bir harf veya rakam yok.',
    other: 'Bu şekilde sorulamaz.',
  },
  suggestions: 'Öneriler',

  relatedEvents: 'Aynı ilişkilendirme kimliğine sahip olaylar',
  aboutActor: 'Bu aktör hakkında',
  firstSeen: 'İlk görülme',
  lastSeen: 'Son görülme',
  frequentActions: 'En sık işlemler',
  addresses: 'Adresler',
  openResource: (name) => `${name} yeni sekmede aç`,
  fromTime: 'Başlangıç saati',
  toTime: 'Bitiş saati',
  rangeHelp: 'Saat verilmezse günün tamamı sayılır.',
  compact: 'Sıkışık satırlar',
  columns: 'Sütunlar',
  keys: 'Klavye',
  keysText: [
    ['/', 'ara'],
    ['↑ ↓', 'listede gez'],
    ['Enter', 'olayı aç'],
    ['Esc', 'olayı kapat'],
    ['Home End', 'ilk ve son satır'],
    ['← →', 'sayfa değiştir'],
    ['?', 'bu tuşlar'],
  ],
  close: 'Kapat',
  copyCurl: 'cURL olarak kopyala',
  copyGraphql: 'GraphQL olarak kopyala',
  exportFormats: {
    CSV: ['CSV', 'hesap tabloları için'],
    NDJSON: ['NDJSON', 'programlar için, her satırda bir olay'],
  },
  exportAsks: (count) =>
    count === null
      ? 'Bu listedeki tüm olaylar, dosya olarak.'
      : counted(count, counts('Bu listedeki # olay, dosya olarak.')),
  exportRunning: (done, total) => `Hazırlanıyor: ${done} / ${total} incelendi`,
  exportQueued: 'Sırasını bekliyor…',
  exportDone: (count) => counted(count, counts('Dosya hazır: # olay')),
  exportFailed: 'Dışa aktarma oluşturulamadı.',
  exportRefused: 'Oturumunuz bu günlüğün dışa aktarılmasına izin vermiyor.',
  exportBusy: 'Çok fazla dışa aktarma sürüyor. Birkaç dakika sonra yeniden deneyin.',
  download: 'İndir',
  manifest: 'Sağlama toplamı içeren bildirim',

  histogram: 'Zaman içinde olaylar',
  histogramSummary: (counts, from, to) => `${counts}, ${from} – ${to}`,
  histogramBar: (from, to) => (from === to ? from : `${from} – ${to}`),
  histogramCount: (count, failed) => {
    const events = counted(count, counts('# olay'));
    return failed === null ? events : `${events}, ${failed.text} başarısız`;
  },
  histogramTop: (count) => `karekök ölçeği, en çok ${count}`,
  linkedEvent: 'Bağlantıdaki olay',
  linkedEventMissing: 'Bağlantıdaki olay yok ya da görme izniniz yok.',
  linkedEventExpired: 'Bağlantıdaki olay vardı ve günlükten çıktı: saklama süresi doldu.',
  metadata: 'Meta veriler',
  noMetadata: 'Meta veri yok',
  cut: 'kısaltıldı',
  cutMeans: (paths) => `Gönderildiği gibi değil: kısaltıldı ya da saklanamayan karakterlerin yerinde � var: ${paths}`,
  masked: 'maskelendi',
  maskedMeans: (paths) => `Saklanmadı: burada bir özet değeri ya da kısaltılmış bir adres duruyor: ${paths}`,
  held: 'yasal saklamada',
  heldMeans: 'Yasal saklama bu olayı korur: ne kadar eskirse eskisin kalır ve içinden kimse silinmez.',
  items: (count) => counted(count, counts('# öğe')),
  sentence: (actor, action, resource) =>
    resource === null ? `${actor}: ${action}` : `${actor}: ${action}, ${resource}`,
  changes: 'Değişiklikler',
  changeBefore: 'önce',
  changeAfter: 'sonra',
  whoAndWhere: 'Kim ve nerede',
  record: 'Kayıt',
  raw: 'Olay, JSON olarak',
  later: (time) => `${time} sonra`,
  valueMenu: (value) => `${value} için seçenekler`,
  excludeValue: (value) => `Hariç tut: ${value}`,
  copyValue: (value) => `Kopyala: ${value}`,
  excludeThis: 'Bu değeri hariç tut',
  copyThis: 'Kopyala',
  copyJson: 'JSON olarak kopyala',
  copyLink: 'Bağlantıyı kopyala',
  listFailed: 'Liste yüklenemedi.',
  copied: 'Kopyalandı',
  notCopied: 'Tarayıcı kopyalamaya izin vermedi.',
  filterBy: (value) => `Filtrele: ${value}`,
  filterByThis: 'Bu değere göre filtrele',
  nothingText: 'Daha az filtre, başka bir yazım ya da daha geniş bir aralık deneyin.',
  withoutFilter: (name) => `Şu olmadan: ${name}`,
  planShows:
    'Kimin neyi ne zaman ve nereden yaptığını arama, filtreler ve her değişikliğin ayrıntılarıyla birlikte gösterir.',
  upgrade: 'Planları gör',
  forbiddenTitle: 'Yöneticiler için',
  forbiddenText: (roles) =>
    roles
      ? `Denetim günlüğü şu rolle okunabilir: ${roles}.`
      : 'Denetim günlüğünü kuruluşunuzun yöneticileri okuyabilir.',
  refusedScope: 'Oturumunuz denetim günlüğünü okumayı kapsamıyor. Oturumu ayarlayan kişi bunu ekleyebilir.',
  hiddenTitle: 'Burada görülecek bir şey yok',
  hiddenText: 'Bu sayfa kullanılamıyor.',
  productTitle: 'Başka bir ürünün belirteci',
  productText: (expected) => `Bu sayfa “${expected}” günlüğünü gösterir; belirteç ise başka bir ürüne ait.`,
  signInTitle: 'Denetim günlüğünü okumak için oturum açın',
  signInText: 'Bu sayfayı uygulamanızdan açın ya da bir erişim belirteci yapıştırın. Belirteç bu sekmede kalır.',
  token: 'Erişim belirteci',
  organizationTitle: 'Hangi kuruluşun denetim günlüğü?',
  organizationText: 'Bu belirteç birden fazla kuruluşu okuyabilir.',
  organization: 'Kuruluş kimliği',
  signIn: 'Devam et',
  endpointText: (endpoint, answer) =>
    `${endpoint} bir Ledgerline GraphQL uç noktası değil${answer && ` (${answer})`}. “endpoint” özniteliğine hizmetin ` +
    'sonu /graphql olan adresini yazın.',
  originText: (server, origin) =>
    `${server} yanıt veriyor, ancak ${origin} sayfalarının yanıtlarını okumasına izin vermiyor. Hizmeti şununla başlatın: ` +
    `LEDGERLINE_ALLOWED_ORIGINS=${origin}.`,
  policyText: (server) =>
    `Bu sayfanın içerik güvenliği ilkesi şu adrese bağlanmayı yasaklıyor: ${server}. Bu adresi connect-src listesine ekleyin.`,
};
