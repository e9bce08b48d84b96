const key = 'ledgerline.token';

/**
 * The token of this tab. One that arrives in the address's fragment is moved to the session's storage and wiped
 * from the address bar, so that it stands in no history entry, no screenshot and no shared link.
 */
export function takeToken(): string | null {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const arrived = fragment.get('token');
  if (arrived !== null) {
    storeToken(arrived);
    history.replaceState(history.state, '', location.pathname + location.search);
  }
  return sessionStorage.getItem(key);
}

export function storeToken(token: string): void {
  if (token) sessionStorage.setItem(key, token);
  else sessionStorage.removeItem(key);
}
