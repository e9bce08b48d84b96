// Writes src/api/schema-types.d.ts, the types that gql.tada reads, from the committed schema.
// Run before every build and test, so that a query can never be checked against yesterday's schema.
import { readFile, writeFile } from 'node:fs/promises';
import { minifyIntrospection, outputIntrospectionFile } from '@gql.tada/internal';
import { buildSchema, introspectionFromSchema } from 'graphql';

const source = process.env.LEDGERLINE_SCHEMA ?? new URL('../../schema.graphql', import.meta.url);
const target = new URL('../src/api/schema-types.d.ts', import.meta.url);

const introspection = introspectionFromSchema(buildSchema(await readFile(source, 'utf8')), {
  descriptions: false,
});
const types = outputIntrospectionFile(minifyIntrospection(introspection), {
  fileType: '.d.ts',
  shouldPreprocess: true,
});
await writeFile(target, types);
