// Every audit of the npm package graphql-http against the service at BASE_URL, as whoever TOKEN speaks for.
import { serverAudits } from 'graphql-http';

const { BASE_URL, TOKEN } = process.env;
if (!BASE_URL || !TOKEN) throw new Error('BASE_URL and TOKEN say what to audit: see scripts/with-demo');

const fetchFn = (url, init = {}) =>
  fetch(url, { ...init, headers: { ...init.headers, authorization: `Bearer ${TOKEN}` } });
let failed = 0;
const audits = serverAudits({ url: `${BASE_URL}/graphql`, fetchFn });
for (const audit of audits) {
  const result = await audit.fn();
  if (result.status === 'ok') continue;
  failed += 1;
  console.error(`${result.status} ${audit.id} ${audit.name}: ${result.reason}`);
}
console.log(`GraphQL over HTTP: ${audits.length - failed} of ${audits.length} audits passed`);
if (audits.length === 0 || failed > 0) process.exit(1);
