/**
 * Loads a module when it is first wanted. One that could not be had, because the network was away, is asked for again by
 * whoever wants it next.
 */
export function loader<Module>(load: () => Promise<Module>): () => Promise<Module> {
  let loading: Promise<Module> | null = null;
  let failed: unknown = null;
  let attempts = 0;
  const begin = () => {
    const again = addressIn(failed);
    attempts += 1;
    return again === null ? load() : (import(/* @vite-ignore */ `${again}?attempt=${attempts}`) as Promise<Module>);
  };
  return () =>
    (loading ??= begin().catch((error) => {
      loading = null;
      failed ??= error;
      throw error;
    }));
}

/**
 * The address of a module that could not be had, which browsers name in their error. They remember the failure for as long
 * as the page stands, so only another address leads to another attempt. Where an import map has the module's hash, another
 * address would lead around that, so there is none.
 */
function addressIn(error: unknown): string | null {
  const address = error === null ? undefined : /https?:\/\/[^\s?]+\.js/.exec(String(error))?.[0];
  if (address === undefined) return null;
  const name = address.slice(address.lastIndexOf('/'));
  const maps = [...document.querySelectorAll('script[type=importmap]')];
  return maps.some(({ textContent }) => textContent!.includes(name)) ? null : address;
}
