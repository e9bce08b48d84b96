// The pages of the documentation and their blocks of code.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { remark } from 'remark';
import remarkGfm from 'remark-gfm';

export const root = join(import.meta.dirname, '../../..');

/** Languages of blocks that are written to a file, which a later command of the page uses. */
const FILES = ['ts', 'toml', 'json', 'csv', 'html', 'ini'];

/**
 * What a block may be, by its language and the mark after it. Whatever is not here fails: a block is executed or
 * compared with what was, or says by one word of a closed list why it cannot be.
 */
export const KINDS = {
  sh: ['run', 'server', 'elsewhere'],
  graphql: ['run', 'as'],
  json: ['answer'],
  text: ['output', 'diagram'],
  toml: ['append', 'dependencies', 'issuers'],
  html: ['page'],
  ini: ['elsewhere'],
  sql: ['grants'],
  rust: ['example'],
};

/** Why a command is not executed here. Its programs, options, variables and targets of make are looked up all the same. */
export const ELSEWHERE = {
  docker: 'it needs a Docker daemon, and images from a registry',
  systemd: 'it needs a machine that systemd runs on, and its administrator',
  citus: 'it needs a cluster of Citus',
  receivers: 'scripts/test-receivers runs it, with programs that the tests do not bring',
  long: 'it takes minutes to hours, or runs this very test',
};

/**
 * @typedef {object} Block
 * @property {string} place page and line, such as `docs/reading.md:12`
 * @property {string} language
 * @property {string} mark `run` where there is none
 * @property {string} value what stands after the mark's `=`
 * @property {string} text
 */

/** Pages in the order that a reader meets them: README, the chapters as SUMMARY lists them, then the other pages. */
export function pages() {
  const named = (folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name));
  const all = [...named(''), ...named('docs'), ...named('docs/access'), ...named('web')];
  const chapters = [...readFileSync(join(root, 'docs/SUMMARY.md'), 'utf8').matchAll(/\]\(([^)]+\.md)\)/g)];
  const first = ['README.md', ...chapters.map(([, name]) => `docs/${name}`)];
  const missing = all.filter((page) => page.startsWith('docs/') && page !== 'docs/SUMMARY.md' && !first.includes(page));
  if (missing.length) throw new Error(`docs/SUMMARY.md does not list ${missing.join(', ')}`);
  return [...first, ...all.filter((page) => !first.includes(page))];
}

/** Text, inline code and blocks of a page. */
export function read(page) {
  const text = readFileSync(join(root, page), 'utf8');
  const blocks = [];
  const inline = [];
  const visit = (node) => {
    const place = `${page}:${node.position?.start.line}`;
    if (node.type === 'code') blocks.push(block(place, node));
    if (node.type === 'inlineCode') inline.push({ place, text: node.value });
    // The site has the pages of docs/ alone.
    const leadsUp = node.url?.startsWith('..') && relative('docs', join(dirname(page), node.url)).startsWith('..');
    if (page.startsWith('docs/') && leadsUp) throw new Error(`${place}: ${node.url} leads out of the site`);
    node.children?.forEach(visit);
  };
  visit(remark().use(remarkGfm).parse(text));
  return { page, text, blocks, inline };
}

/** A block, if something executes it. */
export function block(place, { lang, meta, value: text }) {
  const [mark, ...rest] = (meta ?? 'run').split('=');
  const value = rest.join('=');
  const kinds = [...(KINDS[lang] ?? []), ...(FILES.includes(lang) ? ['file'] : [])];
  if (!kinds.includes(mark)) {
    const may = kinds.length
      ? `a block of ${lang} is one of ${kinds.join(', ')}`
      : `languages are ${Object.keys(KINDS).join(', ')}, ${FILES.join(', ')}`;
    throw new Error(`${place}: "${lang ?? ''} ${meta ?? ''}" is not executed by anything; ${may}`);
  }
  if (mark === 'elsewhere' && !ELSEWHERE[value]) {
    throw new Error(`${place}: elsewhere is one of ${Object.keys(ELSEWHERE).join(', ')}, not "${value}"`);
  }
  return { place, language: lang, mark, value, text };
}
