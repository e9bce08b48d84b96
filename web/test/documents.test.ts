import { readFileSync } from 'node:fs';
import { buildSchema, parse, validate } from 'graphql';
import { describe, expect, test } from 'vitest';
import * as documents from '../src/api/documents.ts';
import { examples } from '../src/playground/examples.ts';

const schema = buildSchema(
  readFileSync(process.env.LEDGERLINE_SCHEMA ?? new URL('../../schema.graphql', import.meta.url), 'utf8'),
);
const faults = (text: string) => validate(schema, parse(text)).map(({ message }) => message);

describe('every question fits the committed schema', () => {
  for (const [name, text] of Object.entries(documents)) {
    test(name, () => expect(faults(String(text))).toEqual([]));
  }
  for (const { name, query } of examples) {
    test(`playground: ${name}`, () => expect(faults(query)).toEqual([]));
  }
});
