import { describe, expect, test } from 'vitest';
import { readJson, type JsonNode } from '../src/json/tree.ts';

/** Writes a node back as text, so that a test can compare it with what was sent. */
function written(node: JsonNode): string {
  switch (node.kind) {
    case 'object':
      return `{${node.entries.map(({ key, value }) => `${JSON.stringify(key)}:${written(value)}`).join(',')}}`;
    case 'array':
      return `[${node.items.map(written).join(',')}]`;
    case 'string':
      return JSON.stringify(node.text);
    case 'literal':
      return node.text;
  }
}

describe('metadata is shown as it was sent', () => {
  test.each([
    '{}',
    '[]',
    '{"a":[],"b":{}}',
    '{"big":12345678901234567890,"exact":1.10,"e":1E400,"neg":-0}',
    '{"twice":1,"twice":2,"10":"b","9":"a"}',
    '{"a b":"x","a.b":"}","":null,"deep":{"er":[true,false,[null]]}}',
    '"text"',
  ])('%s', (text) => expect(written(readJson(text))).toBe(text));

  test('with blanks anywhere, and every escape', () => {
    const text = ' { "a" : [ 1 , "\\"\\\\\\u00e9\\n" ] , "b" : { } } ';
    expect(written(readJson(text))).toBe('{"a":[1,"\\"\\\\é\\n"],"b":{}}');
  });

  test('even when it is no JSON', () => expect(readJson('{broken')).toEqual({ kind: 'string', text: '{broken' }));
});
