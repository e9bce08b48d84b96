import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import type { AuditEvent } from '../src/api/documents.ts';
import { eventJson } from '../src/json/event.ts';
import { asCurl, asGraphql } from '../src/ui/requests.ts';

test('an event is copied whole, its metadata byte for byte', () => {
  const metadataText = '{"big": 12345678901234567890, "price": 1.10, "price": 2}';
  const event = { id: 'evt_1', actor: { name: 'A }\n"B"' }, truncated: [], metadataText } as unknown as AuditEvent;
  const copied = eventJson(event);
  expect(copied).toContain(`"metadata": ${metadataText}`);
  expect(JSON.parse(copied)).toMatchObject({ id: 'evt_1', actor: { name: 'A }\n"B"' }, truncated: [] });
  expect(JSON.parse(copied)).not.toHaveProperty('metadataText');
});

test('a command survives the shell, whatever the filter holds', () => {
  const variables = { search: `it's "$HOME" \`id\` \\ ü` };
  const command = asCurl('https://log.example/graphql?a=1&b=2', 'query Q { a }', variables);
  const shown = execFileSync('sh', ['-c', command.replace(/^curl/, 'printf "%s\\n"')], { env: { TOKEN: 'secret' } });
  const lines = String(shown).split('\n');
  expect(lines[0]).toBe('https://log.example/graphql?a=1&b=2');
  expect(lines).toContain('authorization: Bearer secret');
  expect(JSON.parse(lines.at(-2)!)).toEqual({ query: 'query Q { a }', variables });
});

test('a document has its variables beside it, as a comment', () => {
  expect(asGraphql('\n  query Q {\n    a\n  }\n', { id: 'x' })).toBe(
    'query Q {\n  a\n}\n\n# Variables:\n# {\n#   "id": "x"\n# }\n',
  );
});
