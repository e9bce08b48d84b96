// Executes every block of the documentation as a reader would: node docs/run.mjs [--postgres] [PAGE...]
//
// With --postgres the demo is on PostgreSQL. Pages that name the demo's file on SQLite cannot be followed then.
//
// README's first page is followed from the clone to the running demo, which the other pages find running, each with a
// shell of its own in the same folder. What a reader has and this test has not stands in `SUBSTITUTES`, in
// `stand-ins/` and in `ELSEWHERE` of pages.mjs, and nowhere else.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { buildSchema, parse, validate } from 'graphql';
import pg from 'pg';
import { openPage } from './browser.mjs';
import { lines, shape } from './compare.mjs';
import { dependencies, facts, program } from './facts.mjs';
import { pages, read, root } from './pages.mjs';
import { Reader } from './reader.mjs';

const { LEDGERLINE_BIN, LEDGERLINE_EXAMPLES, LEDGERLINE_TEST_POSTGRES_URL } = process.env;
for (const name of ['LEDGERLINE_BIN', 'LEDGERLINE_EXAMPLES', 'LEDGERLINE_TEST_POSTGRES_URL']) {
  if (!process.env[name]) throw new Error(`${name} is not set: see scripts/docs-test`);
}
const repository = 'https://github.com/ledgerline/ledgerline';
const schema = buildSchema(readFileSync(join(root, 'schema.graphql'), 'utf8'));
const manual = pages().map(read);
const wanted = process.argv.slice(2).filter((argument) => argument !== '--postgres');
const database = await freshDatabase('own');
const restored = await freshDatabase('restored');
const underneath = process.argv.includes('--postgres') ? await freshDatabase('demo') : undefined;
const [first, second, third] = [await freePort(), await freePort(), await freePort()];

/** What stands in a block, and what is executed instead. */
const SUBSTITUTES = [
  // Ports of this machine may be taken.
  ['127.0.0.1:8080', `127.0.0.1:${first}`],
  ['127.0.0.1:8081', `127.0.0.1:${second}`],
  ['127.0.0.1:8443', `127.0.0.1:${third}`],
  // Databases of the tests' PostgreSQL.
  ['postgres://ledgerline:PASSWORD@db/ledgerline_restored', restored.url],
  ['postgres://ledgerline:PASSWORD@db/ledgerline', database.url],
];

const work = mkdtempSync(join(tmpdir(), 'ledgerline-docs-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true, maxRetries: 5 }));
// `npx` finds the tools of the tests here, and asks no registry.
symlinkSync(join(root, 'tests/node/node_modules'), join(work, 'node_modules'));
const environment = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(LEDGERLINE_|npm_|MAKE|MFLAGS)/.test(name))),
  npm_config_offline: 'true',
  PATH: [join(import.meta.dirname, 'stand-ins'), process.env.PATH].join(delimiter),
  // What `make run` and `serve` listen on where nothing is said.
  LEDGERLINE_LISTEN: `127.0.0.1:${first}`,
  ...(underneath && { LEDGERLINE_DATABASE_URL: underneath.url }),
  DOCS_ROOT: root,
  DOCS_REPOSITORY: repository,
  DOCS_BINARY: LEDGERLINE_BIN,
  DOCS_EXAMPLES: LEDGERLINE_EXAMPLES,
};
const home = new Reader(work, join(work, '.home'), environment);
const counted = { executed: 0, compared: 0, elsewhere: 0, drawn: 0 };
const started = Date.now();
/** The command of README that the demo was last started with. */
let demo;
/** Tokens of administrators that the demo shows on its page, by organization. */
const tokens = new Map();
const failed = facts(manual);

try {
  for (const page of manual) {
    // README brings the demo up, and is followed whichever page is asked for.
    if (wanted.length && page.page !== 'README.md' && !wanted.includes(page.page)) continue;
    if (!(await follow(page)) && page.page === 'README.md') break;
  }
} finally {
  await home.stopAll();
  for (const each of [database, restored, underneath]) if (each) await onPostgres(`DROP DATABASE ${each.name}`);
}
for (const fault of failed) console.error(`\n${fault}`);
const seconds = Math.round((Date.now() - started) / 1000);
console.log(
  `documentation: ${counted.executed} blocks executed, ${counted.compared} compared with an answer, ` +
    `${counted.elsewhere} looked up, ${counted.drawn} drawings; ${seconds} s`,
);
if (failed.length) process.exit(1);

/** Follows a page from its beginning to its end, or to the first block that does not do what it says. */
async function follow({ page, blocks }) {
  const reader =
    page === 'README.md' ? home : new Reader(home.folder, join(work, `.${page.replaceAll('/', '-')}`), environment);
  const seen = { files: [], answer: undefined };
  try {
    for (const block of blocks) {
      try {
        await execute(block, reader, seen);
      } catch (error) {
        failed.push(`${block.place}: ${error.message}\n${block.text}`);
        return false;
      }
    }
    const unused = seen.files.filter(({ used }) => !used);
    failed.push(...unused.map(({ place, path }) => `${place}: no later command uses ${path}`));
    return unused.length === 0;
  } finally {
    if (reader !== home) {
      await reader.stopAll();
      // A page that needed the demo's port leaves the demo running, as it found it.
      if (home.services.length === 0) await home.serve(demo);
    }
  }
}

async function execute(block, reader, seen) {
  const text = SUBSTITUTES.reduce((text, [from, to]) => text.replaceAll(from, to), block.text);
  const kind = `${block.language} ${block.mark}`;
  if (block.mark === 'file') {
    reader.write(block.value, text + '\n');
    if (block.language === 'ts') must(types(join(reader.folder, block.value)));
    seen.files.push({ place: block.place, path: block.value, used: false });
    counted.executed += 1;
    return;
  }
  const uses = (path) =>
    block.value === path || block.text.includes(path) || (path.includes('/') && block.text.includes(dirname(path)));
  for (const file of seen.files) file.used ||= uses(file.path);
  switch (kind) {
    case 'sh run':
      seen.answer = await reader.run(text);
      break;
    case 'sh server': {
      // On the port of a service that runs, a reader stops that one first.
      if (!text.includes('--listen')) {
        for (const each of new Set([home, reader])) await each.stopAll((service) => !service.text.includes('--listen'));
      }
      const { said } = await reader.serve(text);
      if (reader === home) demo = text;
      seen.answer = { out: said, err: '' };
      if (reader === home) await takeTokens();
      break;
    }
    case 'graphql run':
    case 'graphql as':
      seen.answer = { out: JSON.stringify(await ask(text, block.value || 'org_aurora')), err: '' };
      break;
    case 'json answer':
      must(shape(JSON.parse(text), JSON.parse(answerOf(seen).out)));
      counted.compared += 1;
      return;
    case 'text output':
      must(lines(text, answerOf(seen).out + answerOf(seen).err));
      counted.compared += 1;
      return;
    case 'text diagram':
      counted.drawn += 1;
      return;
    case 'toml append': {
      reader.append(block.value, `\n${text}\n`);
      const folder = block.value.split('/').slice(0, -1).join('/');
      await reader.run(`target/demo/ledgerline migrate --products ${folder} --database-url sqlite://data/looked-at.db`);
      break;
    }
    case 'toml issuers':
      reader.write('issuers/tickets.toml', withIssuers(text));
      await reader.run('target/demo/ledgerline migrate --products issuers --database-url sqlite://data/looked-at.db');
      break;
    case 'toml dependencies':
      must(dependencies(text));
      break;
    case 'rust example': {
      // Built by `cargo test`, and run by a command of the page.
      const path = `examples/${block.value}.rs`;
      // What our own lints want to be told is not the reader's.
      const shown = readFileSync(join(root, path), 'utf8').replace(/^#!\[.*\]\n/m, '');
      if (shown.trim() !== block.text.trim()) throw new Error(`it must be the text of ${path}`);
      seen.files.push({ place: block.place, path: `--example ${block.value}`, used: false });
      break;
    }
    case 'sql grants':
      // Executed by `tests/it/roles.rs`, which reads it here.
      if (!readFileSync(join(root, 'tests/it/roles.rs'), 'utf8').includes(block.place.split(':')[0]))
        throw new Error('no test runs it');
      break;
    case 'html page':
      await openPage(text, `http://127.0.0.1:${second}`, tokens.get('org_aurora'));
      break;
    default:
      if (block.mark !== 'elsewhere') throw new Error(`nothing executes ${kind}`);
      must(program(block));
      counted.elsewhere += 1;
      return;
  }
  counted.executed += 1;
}

function answerOf(seen) {
  if (!seen.answer) throw new Error('nothing before it answers anything');
  return seen.answer;
}

function must(faults) {
  if (faults.length) throw new Error(faults.join('\n'));
}

/** Faults that TypeScript finds in a program. */
function types(file) {
  const web = join(root, 'web/node_modules');
  const options = [
    '--noEmit',
    '--strict',
    '--target',
    'es2022',
    '--module',
    'nodenext',
    '--types',
    'node',
    '--typeRoots',
    join(web, '@types'),
  ];
  const { status, stdout } = spawnSync(join(web, '.bin/tsc'), [...options, file], { encoding: 'utf8' });
  return status === 0 ? [] : [stdout];
}

/** A product file with sections of issuers, or with claims of one. */
function withIssuers(sections) {
  const issuer = '[[issuers]]\npreset = "okta"\nissuer = "https://login.tickets.example"\naudience = "audit"\n';
  const level = '[[levels]]\nname = "organization"\nlabel = "Organization"\n[catalog]\nopen = true\n';
  const viewer = '[viewer]\npaging = "MORE"\ndate_filter = "NONE"\naction_display = "NAME"\n';
  const column = '[[viewer.columns]]\nkind = "TIME"\nlabel = "Time"\n';
  const issuers = (sections.startsWith('[[issuers]]') ? '' : issuer) + sections;
  const head = 'name = "tickets"\nlabel = "Ticket Desk"\nretention = "forever"\n';
  return `${head}${issuers}\n[access]\n${level}${viewer}${column}`;
}

/** What the service answers to a query, as the administrator of one of the demo's organizations. */
async function ask(query, organization) {
  must(validate(schema, parse(query)).map((error) => error.message));
  const token = tokens.get(organization);
  if (!token) throw new Error(`the demo shows no token for ${organization}`);
  const response = await fetch(`http://127.0.0.1:${first}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  const answer = await response.json();
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer;
}

/** Takes the tokens of the demo's page: of each organization its administrator comes first. */
async function takeTokens() {
  const page = await (await fetch(`http://127.0.0.1:${first}/`)).text();
  for (const [, token] of page.matchAll(/log#token=([\w.-]+)/g)) {
    const { org } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
    if (!tokens.has(org)) tokens.set(org, token);
  }
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A new database on the PostgreSQL of the tests. */
async function freshDatabase(what) {
  const name = `ledgerline_docs_${what}_${process.pid}`;
  await onPostgres(`CREATE DATABASE ${name}`);
  const url = new URL(LEDGERLINE_TEST_POSTGRES_URL);
  url.pathname = `/${name}`;
  return { name, url: url.href };
}

async function onPostgres(statement) {
  const client = new pg.Client({ connectionString: LEDGERLINE_TEST_POSTGRES_URL });
  await client.connect();
  await client.query(statement);
  await client.end();
}
