// The line of CapyDB's document, word for word, with curl and jq: the service at BASE_URL stands behind a gateway at
// https://capydb.dev/api/capydb, as whoever TOKEN speaks for. Where there is no jq, jq's own code runs as WebAssembly.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generate } from 'selfsigned';

const { BASE_URL, TOKEN } = process.env;
if (!BASE_URL || !TOKEN) throw new Error('BASE_URL and TOKEN say what to read: see scripts/with-demo');

/** As the document has it. */
const LINE = `curl -s -H "X-API-Key: $CAPYDB_API_KEY" \\
"https://capydb.dev/api/capydb/v1/projects/$PROJECT_ID/audit-events?limit=50" \\
| jq '.audit_events[] | {action, actor_kind, created_at}'`;
const PREFIX = '/api/capydb';
const PROJECT = 'prj_of_the_line';

const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
const expected = [];
for (const [action, kind, word] of [
  ['project.import_started', 'USER', 'dashboard_user'],
  ['api_key.created', 'API_KEY', 'api_key'],
  ['cutover.acked', 'STAFF', 'platform_operator'],
]) {
  const body = JSON.stringify({ action, actor: { kind }, log: { level: 'project', id: PROJECT } });
  const answer = await fetch(`${BASE_URL}/v1/audit-events`, { method: 'POST', headers, body });
  assert.equal(answer.status, 201, await answer.clone().text());
  const { event } = await answer.json();
  expected.unshift({ action, actor_kind: word, created_at: event.occurred_at });
}

const folder = mkdtempSync(join(tmpdir(), 'ledgerline-rest-'));
const { private: key, cert } = await generate([{ name: 'commonName', value: 'capydb.dev' }], {
  extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'capydb.dev' }] }],
});
const gateway = createServer({ key, cert }, (asked, answer) => {
  if (!asked.url.startsWith(`${PREFIX}/`)) return answer.writeHead(404).end();
  const { hostname, port } = new URL(BASE_URL);
  const { method, headers } = asked;
  request({ hostname, port, method, headers, path: asked.url.slice(PREFIX.length) }, (told) => {
    answer.writeHead(told.statusCode, told.headers);
    told.pipe(answer);
  }).end();
});
await new Promise((listening) => gateway.listen(0, '127.0.0.1', listening));
try {
  // What the line does not say, curl's own file does: who capydb.dev is here, and that its certificate is good.
  writeFileSync(join(folder, 'cert.pem'), cert);
  const settings = [
    `connect-to = "capydb.dev:443:127.0.0.1:${gateway.address().port}"`,
    `cacert = "${join(folder, 'cert.pem')}"`,
    'noproxy = "*"',
  ];
  writeFileSync(join(folder, '.curlrc'), settings.join('\n'));
  if (spawnSync('jq', ['--version']).status !== 0) {
    const program = fileURLToPath(new URL('jq.mjs', import.meta.url));
    writeFileSync(join(folder, 'jq'), `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`);
    chmodSync(join(folder, 'jq'), 0o755);
  }
  const env = { PATH: `${folder}:${process.env.PATH}`, CURL_HOME: folder, CAPYDB_API_KEY: TOKEN, PROJECT_ID: PROJECT };
  const { out, err, code } = await run('bash', ['-o', 'pipefail', '-c', LINE], env);
  assert.equal(code, 0, err);
  // jq prints one object after the other.
  const rows = JSON.parse(`[${out.trim().replaceAll('}\n{', '},{')}]`);
  assert.deepEqual(rows, expected);
  console.log(`CapyDB's line: ${rows.length} events, by curl and ${(await run('jq', ['--version'], env)).out.trim()}`);
} finally {
  gateway.close();
  rmSync(folder, { recursive: true });
}

function run(program, args, env) {
  return new Promise((ended) => {
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const said = { out: '', err: '' };
    child.stdout.on('data', (text) => (said.out += text));
    child.stderr.on('data', (text) => (said.err += text));
    child.on('close', (code) => ended({ ...said, code }));
  });
}
