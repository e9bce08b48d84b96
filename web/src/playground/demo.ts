import { beside } from '../page/root.ts';

/** Somebody of the demo, with the token that its first page gives them. */
export interface Person {
  name: string;
  organization: string;
  product: string;
  token: string;
}

/** The people of the demo, as its first page lists them; none where the service is no demo. */
export async function demoPeople(): Promise<readonly Person[]> {
  try {
    const page = await (await fetch(beside(''))).text();
    const { title, links } = new DOMParser().parseFromString(page, 'text/html');
    if (title !== 'Ledgerline demo') return [];
    return [...links].flatMap((link) => {
      const token = /^playground#token=(.+)$/.exec(link.getAttribute('href') ?? '')?.[1];
      const row = link.closest('tr');
      if (!token || !row) return [];
      const said = (selector: string) => row.querySelector(selector)?.textContent?.trim() ?? '';
      const name = [said('td a'), said('td small')].filter(Boolean).join(', ');
      const product = row.closest('section')?.querySelector('h2')?.textContent ?? '';
      return [{ name, organization: said('th'), product, token }];
    });
  } catch {
    return [];
  }
}
