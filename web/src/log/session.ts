import type { Client } from '../api/client.ts';
import { sessionQuery, type Catalog, type Product, type Viewer } from '../api/documents.ts';
import { Fault } from '../api/fault.ts';

/** A token that may read: who it is for and how their product shows its log. */
export interface Session {
  viewer: Viewer;
  catalog: Catalog;
}

/** Why there is nothing to read, as the viewer query says it. */
export type Closed =
  | { reason: 'hidden' }
  | { reason: 'plan'; requiredPlans: readonly string[]; planLabels: readonly string[] }
  /**
   * `roleLabels` are those that would do, where the role is what stands in the way; else it is the scope, or the log that
   * the token is for. `message` is the server's sentence, for the host's developers.
   */
  | { reason: 'forbidden'; cause: 'role' | 'scope' | 'log'; message: string | null; roleLabels: readonly string[] }
  | { reason: 'missing' }
  | { reason: 'product'; expected: string }
  /** The token is for no organization in particular (staff), and none was named. */
  | { reason: 'organization' };

export type Gate = { open: Session } | { closed: Closed; product: Product };

/** Asks what the token may do before anything else, so that no refused question is ever sent. */
export async function openGate(
  client: Client,
  expectedProduct: string | null,
  organization: string | null,
  signal?: AbortSignal,
): Promise<Gate> {
  const { viewer, catalog } = await client.ask(sessionQuery, { organization }, signal);
  if (!viewer || !catalog) throw new Fault('server', 'viewer is null');
  const { product } = viewer;
  if (expectedProduct && product.name !== expectedProduct) {
    return { closed: { reason: 'product', expected: expectedProduct }, product };
  }
  const access = viewer.canReadAuditLog;
  if (access.allowed) {
    const isNamed = organization !== null || viewer.organization !== null;
    return isNamed ? { open: { viewer, catalog } } : { closed: { reason: 'organization' }, product };
  }
  if (access.hidden) return { closed: { reason: 'hidden' }, product };
  if (access.reason === 'PLAN_REQUIRED') {
    const { requiredPlans, requiredPlanLabels: planLabels } = access;
    return { closed: { reason: 'plan', requiredPlans, planLabels }, product };
  }
  if (access.reason === 'NOT_FOUND') return { closed: { reason: 'missing' }, product };
  const { message, requiredRoleLabels: roleLabels } = access;
  const cause = roleLabels.length > 0 ? 'role' : viewer.scopes.some(reads) ? 'log' : 'scope';
  return { closed: { reason: 'forbidden', cause, message, roleLabels }, product };
}

/** Whether two answers to who may read what are one and the same. */
export function isSame(former: object, gate: Gate): boolean {
  return 'open' in former && 'open' in gate && JSON.stringify(former.open) === JSON.stringify(gate.open);
}

/** Scopes that reading takes; staff have one more besides. */
const reads = (scope: string) => scope === 'audit:read';
