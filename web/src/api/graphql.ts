import type { initGraphQLTada } from 'gql.tada';
import type { introspection } from './schema-types.d.ts';

type Tag = initGraphQLTada<{
  introspection: introspection;
  scalars: { ID: string; DateTime: string; BigInt: string; JSON: unknown };
}>;

/**
 * Types a query from the schema and gives its text back.
 *
 * gql.tada brings a parser of its own to run time; the server needs the text alone, so only its types are used
 * here. Fragments are appended as they are; `@_unmask`, a note to those types, is nothing the server knows.
 */
export const graphql = ((text: string, fragments: readonly unknown[] = []) =>
  [text, ...fragments].join('\n').replaceAll(' @_unmask', '')) as unknown as Tag;

export type { ResultOf, VariablesOf, TadaDocumentNode } from 'gql.tada';
