// Addresses of the host's own pages, by type of resource.
import { webAddress } from './history.ts';

/** Templates such as `https://app.example/users/{id}`, by the type of resource that they are of. */
export type ResourceLinks = Readonly<Record<string, string>>;

/** What a host said, as far as it can be used: an object of texts, or its JSON. */
export function readResourceLinks(said: unknown): ResourceLinks {
  if (typeof said === 'string') {
    try {
      return readResourceLinks(JSON.parse(said));
    } catch {
      return {};
    }
  }
  if (typeof said !== 'object' || said === null) return {};
  return Object.fromEntries(Object.entries(said).filter(([, template]) => typeof template === 'string'));
}

interface Resource {
  type: string | null;
  externalId: string | null;
  name: string | null;
}

/**
 * The host's page of a resource; null where there is none. Only http and https are followed, values are percent-encoded,
 * and one that would lead elsewhere in the host's own paths, such as `..`, leads nowhere.
 */
export function resourceHref(links: ResourceLinks, { type, externalId, name }: Resource): string | null {
  if (type === null || !Object.hasOwn(links, type)) return null;
  const values: Record<string, string | null> = { id: externalId, type, name };
  let isComplete = true;
  const address = links[type]!.replace(/\{(id|type|name)\}/g, (_, key: string) => {
    const value = values[key] ?? '';
    if (/^\.{0,2}$/.test(value)) isComplete = false;
    return encoded(value);
  });
  return isComplete ? (webAddress(address)?.href ?? null) : null;
}

/** Half of a surrogate pair, which a text may have, is no character that could be encoded. */
const encoded = (value: string): string => encodeURIComponent(value.replace(/\p{Surrogate}/gu, '\ufffd'));
