// The types of an event are those of schema.graphql.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { GraphQLEnumType, GraphQLInputObjectType, buildSchema, isNonNullType } from 'graphql';
import ts from 'typescript';

const root = join(import.meta.dirname, '../../..');
const schema = buildSchema(readFileSync(join(root, 'schema.graphql'), 'utf8'));
const source = ts.createSourceFile(
  'event.ts',
  readFileSync(join(import.meta.dirname, '../src/event.ts'), 'utf8'),
  ts.ScriptTarget.Latest,
);

/** Names of a declaration's members, with a `!` where they are required; or of an enumeration's values. */
function declared(name: string): string[] {
  for (const statement of source.statements) {
    if (ts.isInterfaceDeclaration(statement) && statement.name.text === name) {
      return statement.members.map((member) => `${member.name?.getText(source)}${member.questionToken ? '' : '!'}`);
    }
    if (ts.isTypeAliasDeclaration(statement) && statement.name.text === name) {
      return [...statement.type.getText(source).matchAll(/'(\w+)'/g)].map(([, value]) => value as string);
    }
  }
  throw new Error(`no ${name}`);
}

for (const [name, type] of [
  ['AuditEvent', 'RecordAuditEventInput'],
  ['Actor', 'ActorInput'],
  ['Resource', 'ResourceInput'],
  ['LogRef', 'LogRefInput'],
  ['ActorKind', 'ActorKind'],
  ['Outcome', 'Outcome'],
] as const) {
  test(`${name} is ${type} of the schema`, () => {
    const of = schema.getType(type);
    const expected =
      of instanceof GraphQLInputObjectType
        ? Object.values(of.getFields()).map((field) => `${field.name}${isNonNullType(field.type) ? '!' : ''}`)
        : (of as GraphQLEnumType).getValues().map((value) => value.name);
    assert.deepEqual(declared(name).sort(), expected.sort());
  });
}
