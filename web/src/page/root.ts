/** Scripts of the built pages lie in `assets/`, so the service is one step up, below whichever path it is shown. */
const script = import.meta.url;

/** The address of something of the service's own. */
export function beside(path: string): string {
  return new URL(import.meta.env.DEV ? `/${path}` : `../${path}`, script).href;
}
