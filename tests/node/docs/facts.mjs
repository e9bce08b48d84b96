// What the documentation says of the program by name, against the program: settings, commands, options, metrics, codes,
// attributes, files, tests, targets of make, and what compose.yaml sets.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import YAML from 'yaml';
import { root } from './pages.mjs';

const text = (path) => readFileSync(join(root, path), 'utf8');
const all = (text, pattern) => new Set([...text.matchAll(pattern)].map(([, name]) => name));
const help = (...command) => execFileSync(process.env.LEDGERLINE_BIN, [...command, '--help'], { encoding: 'utf8' });

const commands = all(help().split('Commands:')[1].split('Options:')[0], /^ {2}([\w-]+) /gm);
commands.delete('help');
const options = new Map([...commands].map((command) => [command, all(help(command), /^\s+(?:-\w, )?(--[\w-]+)/gm)]));
/** Settings as the program tells them: variable, flag and default. */
const settings = [
  ...help().matchAll(
    /^ +(--[\w-]+)[^\n]*\n(?:(?!^ +--|^ +-h).*\n)*? +\[env: (\w+)[^\n]*\n(?: +\[default: ([^\]]+)\])?/gm,
  ),
].map(([, flag, variable, standard]) => ({ flag, variable, standard }));
/** The program's own text. */
const sources = readdirSync(join(root, 'src'), { recursive: true })
  .filter((name) => name.endsWith('.rs'))
  .map((name) => text(join('src', name)))
  .join('\n');
const targets = all(text('Makefile'), /^([a-z-]+):/gm);
const scripts = new Set(
  ['web', 'tests/node'].flatMap((folder) => Object.keys(JSON.parse(text(`${folder}/package.json`)).scripts)),
);

/** Faults of all that the pages name. */
export function facts(pages) {
  return [
    ...pages.flatMap(variables),
    ...pages.flatMap(({ inline, page }) => (page === 'CHANGELOG.md' ? [] : inline.flatMap(named))),
    ...settingsTable(text('docs/operations.md')),
    ...same('commands', all(text('docs/operations.md'), /^\| `([a-z-]+)` \|/gm), commands),
    ...same('metrics', all(text('docs/operations.md'), /^\| `(ledgerline_\w+)`/gm), metrics()),
    ...same('codes of errors', all(text('docs/limits-and-errors.md'), /^\| `([A-Z_]+)`/gm), codes()),
    ...same('attributes of the viewer', attributesTable(), attributes()),
    ...limits(text('docs/limits-and-errors.md')),
    ...compose(),
  ];
}

function same(what, told, real) {
  const missing = [...real].filter((name) => !told.has(name));
  const invented = [...told].filter((name) => !real.has(name));
  if (real.size === 0) return [`${what}: none were found in the program`];
  return [
    ...missing.map((name) => `${what}: the documentation does not tell of ${name}`),
    ...invented.map((name) => `${what}: there is no ${name}`),
  ];
}

/** Variables of the program, of products, and of the tests and benchmarks. */
function known() {
  const files = ['scripts', 'products'].flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => `${folder}/${name}`),
  );
  const given = files.map(text).join('\n');
  return new Set([...settings.map(({ variable }) => variable), ...all(given, /\b(LEDGERLINE_[A-Z0-9_]+)\b/g)]);
}

function variables({ page, text, blocks }) {
  const names = known();
  // Products that a page makes up, and what Kubernetes sets for a Service called ledgerline-db.
  const made = all(
    blocks
      .filter(({ language }) => language === 'toml')
      .map(({ text }) => text)
      .join('\n'),
    /secret_env = "(\w+)"/g,
  );
  const wrong = [...all(text, /\b(LEDGERLINE_[A-Z0-9_]+)\b/g)].filter(
    (name) => !names.has(name) && !made.has(name) && !name.startsWith('LEDGERLINE_DB_') && name !== 'LEDGERLINE_KEY_',
  );
  return wrong.map((name) => `${page}: nothing reads ${name}`);
}

function settingsTable(page) {
  if (settings.length < 12) return [`only ${settings.length} settings were found in --help`];
  return settings.flatMap(({ variable, flag, standard }) => {
    const row = page.split('\n').find((line) => line.startsWith(`| \`${variable}\` |`));
    if (!row) return [`docs/operations.md: there is no row for ${variable}`];
    const parts = [`\`${flag}\``, ...(standard ? [`\`${standard}\``] : [])];
    return parts
      .filter((part) => !row.includes(part))
      .map((part) => `docs/operations.md: the row of ${variable} does not say ${part}`);
  });
}

/** Rows of the tables of limits, by their beginnings, and the constants of the program that each of them tells. */
const LIMITS = {
  'action name': ['ACTION_CHARS'],
  'address and user agent': ['HEADER_BYTES'],
  'other ids, names, types': ['TEXT_BYTES'],
  'idempotency key, category': ['TEXT_BYTES'],
  'resources of an event': ['RESOURCES'],
  'event, as JSON': ['EVENT_BYTES'],
  'depth of metadata': ['METADATA_DEPTH'],
  'paths in `truncated`': ['PATHS', 'PATH_BYTES'],
  'depth of nested logs': ['LOG_DEPTH'],
  'events of one request': ['BATCH'],
  'query depth': ['DEPTH', 'ROOT_FIELDS', 'SELECTIONS'],
  'query cost': ['COST'],
  page: ['PAGE_DEFAULT', 'PAGE_MAX'],
  search: ['SEARCH_CHARS', 'SEARCH_WORDS'],
  'query box': ['QUERY_CHARS'],
  'values of one filter list': ['FILTER_VALUES'],
  'a `word*` prefix': ['PREFIX_POSTINGS'],
  'totals and facets': ['TESTED_ROWS'],
  'buckets of a facet': ['BUCKETS'],
  'recording queue': ['REQUESTS', 'REQUESTS_OF_ONE'],
  'statements that wait to be read': ['WAITING', 'WAITING_IN_ALL'],
  'rules of an organization': ['RULES', 'THRESHOLD', 'WINDOW', 'ADDRESSES', 'ADDRESS_BYTES'],
};

function limits(page) {
  const rows = page.split('\n').filter((line) => line.startsWith('| '));
  return Object.entries(LIMITS).flatMap(([beginning, constants]) => {
    const row = rows.find((line) => line.startsWith(`| ${beginning}`));
    if (!row) return [`docs/limits-and-errors.md: there is no row for ${beginning}`];
    return constants.flatMap((name) => {
      const values = all(sources, new RegExp(`const ${name}: \\w+ = ([\\d_]+);`, 'g'));
      const told = [...values].map((value) => Number(value.replaceAll('_', '')).toLocaleString('en-US'));
      if (told.some((value) => new RegExp(`(?<![\\d,])${value}(?![\\d,]\\d)`).test(row))) return [];
      return [
        `docs/limits-and-errors.md: ${beginning} is ${told.join(' or ') || `${name}, which is nowhere`}, and not "${row}"`,
      ];
    });
  });
}

function metrics() {
  return all(sources, /"(ledgerline_\w+)"/g);
}

function codes() {
  return all(text('schema.graphql').split('enum ErrorCode {')[1].split('\n}')[0], /^ {2}([A-Z_]+)$/gm);
}

/** Those that the element watches, by the names of their properties, and those that its style sheets alone look at. */
function attributes() {
  const list = text('web/src/element/settings.ts').split('export const settings = {')[1].split('}')[0];
  const named = [...all(list, /^ {2}(\w+):/gm)];
  const watched = ['token', ...named.map((name) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`))];
  const styled = all(text('web/src/styles/base.css'), /:host\(\[([a-z-]+)/g);
  // Every element has that one.
  styled.delete('hidden');
  return new Set([...watched, ...styled]);
}

function attributesTable() {
  const table = text('docs/viewer.md').split('| attribute |')[1].split('\n\n')[0];
  return all(table, /`([a-z-]+)`(?=[^\n|]*\|[^|]*\|$)/gm);
}

/** Faults of what stands between backquotes: commands, targets, paths and tests. */
function named({ place, text: code }) {
  const faults = program({ place, language: 'inline', text: code });
  if (
    /^(?:src|tests|web|docs|scripts|products|benches|entity|migration|examples)\/[\w./-]*$/.test(code) &&
    !built(code) &&
    ![root, join(root, place, '..')].some((folder) => existsSync(join(folder, code)))
  ) {
    faults.push(`${place}: there is no ${code}`);
  }
  const [, module, name] = /^([a-z_/]+)::([a-z_0-9]+)$/.exec(code) ?? [];
  if (module) {
    const file = [`tests/it/${module}.rs`, `tests/it/${module}/mod.rs`, `tests/${module}.rs`].find((path) =>
      existsSync(join(root, path)),
    );
    if (file && !new RegExp(`fn ${name}\\(`).test(text(file))) faults.push(`${place}: ${file} has no test ${name}`);
  }
  return faults;
}

function built(path) {
  return /^(?:web\/)?(?:dist|test-results|src\/api\/schema-types\.d\.ts)/.test(path);
}

/** Faults of commands that are not executed: their grammar, and the names in them. */
export function program({ place, language, text: code }) {
  const faults = [];
  if (language === 'sh') {
    const { status, stderr } = spawnSync('bash', ['-n'], { input: code, encoding: 'utf8' });
    if (status !== 0) faults.push(`${place}: ${stderr}`);
  }
  for (const [, target] of code.matchAll(/(?:^|[;&] *)make ([a-z-]+)/gm)) {
    if (!targets.has(target)) faults.push(`${place}: make has no target ${target}`);
  }
  for (const [, script] of code.matchAll(/\bnpm (?:run )?(?:--\S+ )*([a-z0-9]+)/g)) {
    if (!['ci', 'install', 'run'].includes(script) && !scripts.has(script))
      faults.push(`${place}: there is no npm script ${script}`);
  }
  for (const [line, command] of code.replaceAll('\\\n', ' ').matchAll(/(?:^|[\s/=])ledgerline (\w[\w-]*)[^\n|;&]*/gm)) {
    if (!options.has(command)) {
      faults.push(`${place}: ledgerline has no command ${command}`);
      continue;
    }
    const wrong = [...all(line, /(?<=\s)(--[\w-]+)/g)].filter((option) => !options.get(command).has(option));
    faults.push(...wrong.map((option) => `${place}: ledgerline ${command} has no ${option}`));
  }
  return faults;
}

/** Faults of dependencies that a page names: their versions are those of Cargo.lock. */
export function dependencies(toml) {
  const lock = text('Cargo.lock');
  return toml.split('\n').flatMap((line) => {
    const [, name, version] = /^([\w-]+) = (?:\{ version = )?"([\d.]+)"/.exec(line) ?? [];
    if (!name) return [`"${line}" is no dependency`];
    const locked = all(lock, new RegExp(`name = "${name}"\\nversion = "([^"]+)"`, 'g'));
    return [...locked].some((each) => `${each}.`.startsWith(`${version}.`))
      ? []
      : [`${name} ${version} is not the one of Cargo.lock: ${[...locked].join(', ')}`];
  });
}

/** compose.yaml and Dockerfile, which no test builds: keys of the format, files that are there, variables that are read. */
function compose() {
  const { services, volumes = {}, ...others } = YAML.parse(text('compose.yaml'));
  const names = known();
  const taken = ['build', 'depends_on', 'environment', 'healthcheck', 'image', 'ports', 'restart', 'volumes'];
  const faults = Object.keys(others).map((key) => `compose.yaml: ${key} is not understood by this test`);
  for (const [name, service] of Object.entries(services)) {
    faults.push(
      ...Object.keys(service)
        .filter((key) => !taken.includes(key))
        .map((key) => `compose.yaml: ${name}.${key} is not understood by this test`),
    );
    const set = Object.keys(service.environment ?? {}).filter((each) => each.startsWith('LEDGERLINE_'));
    faults.push(...set.filter((each) => !names.has(each)).map((each) => `compose.yaml: nothing reads ${each}`));
    faults.push(
      ...Object.keys(service.depends_on ?? {})
        .filter((each) => !services[each])
        .map((each) => `compose.yaml: there is no service ${each}`),
    );
    const kept = (service.volumes ?? []).map((each) => each.split(':')[0]).filter((each) => !/^[./]/.test(each));
    faults.push(...kept.filter((each) => !(each in volumes)).map((each) => `compose.yaml: there is no volume ${each}`));
    if (service.build && !existsSync(join(root, service.build, 'Dockerfile')))
      faults.push(`compose.yaml: ${service.build} has no Dockerfile`);
  }
  for (const [, copied] of text('Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)) {
    faults.push(
      ...copied
        .split(' ')
        .filter((path) => !existsSync(join(root, path)))
        .map((path) => `Dockerfile: there is no ${path} to copy`),
    );
  }
  return faults;
}
