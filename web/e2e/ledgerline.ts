// The server as the tests use it: tokens from its command line, events through its own API.
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import type { Page } from 'playwright-core';
import { inject } from 'vitest';

export interface Bearer {
  product: string;
  /** None for the platform's own people, who name one as they go. */
  organization: string | null;
  scopes?: string;
  plan?: string | null;
  role?: string | null;
  /** Who it is for. */
  subject?: string;
  /** The logs that it is narrowed to, each as `level:id`. */
  logs?: readonly string[];
}

export interface DemoProduct {
  name: string;
  label: string;
  token: string;
  organization: string;
  role: string | null;
  plan: string | null;
  title: string | null;
  columns: { kind: string; label: string }[];
  filters: { kind: string; label: string | null; allLabel: string | null; hint: string | null }[];
  actorKinds: { kind: string; label: string }[];
  levels: { name: string; label: string; parent: string | null; includeNested: boolean }[];
  paging: string;
  dateFilter: string;
  actions: { name: string; label: string; category: { code: string; label: string } | null }[];
}

export function tokenFor({
  product,
  organization,
  scopes = 'audit:read',
  plan,
  role,
  subject,
  logs = [],
}: Bearer): string {
  const { binary, env } = inject('ledgerline');
  const flags = ['--product', product, '--scopes', scopes];
  if (organization) flags.push('--organization', organization);
  if (plan) flags.push('--plan', plan);
  if (role) flags.push('--role', role);
  if (subject) flags.push('--subject', subject);
  for (const log of logs) flags.push('--log', log);
  return execFileSync(binary, ['token', ...flags], { env })
    .toString()
    .trim();
}

export async function ask(token: string, query: string, variables: unknown = {}): Promise<any> {
  const response = await fetch(`${inject('ledgerline').base}/graphql`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  const answer = await response.json();
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data;
}

let known: Promise<Map<string, DemoProduct>> | undefined;

/** The demo's products, by asking the server with the tokens of its links. */
export function demoProducts(): Promise<Map<string, DemoProduct>> {
  known ??= Promise.all(inject('ledgerline').demoTokens.map(describeToken)).then((found) => {
    const products = new Map<string, DemoProduct>();
    for (const product of found) if (product && !products.has(product.name)) products.set(product.name, product);
    return products;
  });
  return known;
}

async function describeToken(token: string): Promise<DemoProduct | null> {
  const { viewer, catalog } = await ask(
    token,
    `{ viewer { organization role plan canReadAuditLog { allowed }
         product { name label title paging dateFilter columns { kind label } filters { kind label allLabel hint }
           actorKinds { kind label } levels { name label parent includeNested } } }
       catalog { actions { name label category { code label } } } }`,
  );
  if (!viewer.canReadAuditLog.allowed || !viewer.organization) return null;
  const { organization, role, plan, product } = viewer;
  return { ...product, token, organization, role, plan, actions: catalog.actions };
}

export async function demoProduct(name: string): Promise<DemoProduct> {
  const product = (await demoProducts()).get(name);
  if (!product) throw new Error(`the demo's page has no readable link for ${name}`);
  return product;
}

/** An organization that nobody else uses, so that a test knows every event in it. */
export class Organization {
  readonly token: string;

  constructor(
    readonly product: DemoProduct,
    readonly id = `e2e-${randomUUID()}`,
  ) {
    this.token = this.tokenWith({ scopes: 'audit:read audit:record' });
  }

  tokenWith(change: Partial<Bearer>): string {
    const { name, role, plan } = this.product;
    return tokenFor({ product: name, organization: this.id, role, plan, ...change });
  }

  async record(events: readonly Record<string, unknown>[]): Promise<void> {
    const { recordAuditEvents } = await ask(
      this.token,
      `mutation ($input: RecordAuditEventsInput!) {
         recordAuditEvents(input: $input) { refused results { error { message field } } }
       }`,
      { input: { events } },
    );
    if (recordAuditEvents.refused > 0) throw new Error(JSON.stringify(recordAuditEvents.results));
  }

  /** Events a minute apart, the last one now; `change` says what is special about each. */
  async recordMany(count: number, change: (index: number) => Record<string, unknown> = () => ({})): Promise<void> {
    const now = Date.now();
    await this.record(
      Array.from({ length: count }, (_, index) => ({
        action: this.product.actions[0]!.name,
        actor: { kind: 'USER', id: 'user_1', name: `Person ${index + 1}`, email: 'person@example.com' },
        occurredAt: new Date(now - (count - index) * 60_000).toISOString(),
        ...change(index),
      })),
    );
  }
}

/** Opens the hosted page as its links do, and waits until it has something to say. */
export async function openLog(page: Page, token: string, query = ''): Promise<void> {
  // Another fragment alone would be no navigation.
  await page.goto('about:blank');
  await page.goto(`${inject('ledgerline').base}/log${query}#token=${encodeURIComponent(token)}`);
  await settled(page);
}

/** Waits until the list, or the message in its place, stands. */
export async function settled(page: Page): Promise<void> {
  await page.locator('.results[aria-busy=false], .message').first().waitFor();
}

export const rows = (page: Page) => page.locator('tr.row');
