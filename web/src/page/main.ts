import { LedgerlineLog } from '../element.tsx';
import { directionOf, languageOf, localeFor } from '../texts.ts';
import { beside } from './root.ts';
import { storeToken, takeToken } from './token.ts';
import './page.css';

const token = takeToken();
const log = new LedgerlineLog();
const query = new URLSearchParams(location.search);
const locale = localeFor([query.get('lang')], navigator.languages);
const organization = query.get('organization');
document.documentElement.lang = languageOf(locale);
document.documentElement.dir = directionOf(locale);
log.setAttribute('endpoint', beside('graphql'));
log.setAttribute('locale', locale);
log.setAttribute('standalone', '');
log.setAttribute('sync-url', '');
if (organization) log.setAttribute('organization', organization);
log.token = token;
log.addEventListener('ledgerline-token', (event) => storeToken((event as CustomEvent<{ token: string }>).detail.token));

log.addEventListener('ledgerline-organization', (event) => {
  query.set('organization', (event as CustomEvent<{ organization: string }>).detail.organization);
  history.replaceState(history.state, '', `${location.pathname}?${query}`);
});

const main = document.createElement('main');
main.append(log);
document.body.append(main);

// A second link opened in the same tab only changes the fragment.
addEventListener('hashchange', () => {
  log.token = takeToken();
});
