import type { Column, Product } from '../api/documents.ts';
import type { Texts } from '../texts.ts';

/** The columns that a host names, such as `time` or `ip-address`, by the product's headings where it has them. */
export function columnsOf(names: readonly string[], product: Product, texts: Texts): Column[] {
  const { fields } = texts;
  const headings: Record<Column['kind'], string> = {
    TIME: fields.occurredAt,
    ACTION: fields.action,
    CATEGORY: fields.category,
    ACTOR: fields.actor,
    RESOURCE: fields.resources,
    IP_ADDRESS: fields.ipAddress,
    OUTCOME: fields.outcome,
    DETAILS: texts.details,
    LOG: fields.log,
  };
  const kinds = names.map((name) => name.toUpperCase().replaceAll('-', '_'));
  const known = kinds.filter((kind): kind is Column['kind'] => Object.hasOwn(headings, kind));
  if (known.length < kinds.length) {
    const all = Object.keys(headings).join(', ').toLowerCase();
    console.warn(`<ledgerline-log>: columns are some of ${all}, and not all of ${names.join(', ')}`);
  }
  return [...new Set(known)].map(
    (kind) => product.columns.find((column) => column.kind === kind) ?? { kind, label: headings[kind] },
  );
}
