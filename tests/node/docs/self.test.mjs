// The test of the documentation, tested: what is wrong in a page is found.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lines, shape } from './compare.mjs';
import { dependencies, facts, program } from './facts.mjs';
import { block, pages, read } from './pages.mjs';

const fenced = (lang, meta, value = '') => block('page:1', { lang, meta, value });

test('a block that nothing executes is refused', () => {
  for (const [lang, meta] of [
    [null, null],
    ['python', null],
    ['sh', 'later'],
    ['text', null],
    ['sh', 'elsewhere=slow'],
    ['graphql', 'answer'],
  ]) {
    assert.throws(() => fenced(lang, meta), /page:1/, `${lang} ${meta}`);
  }
  assert.equal(fenced('sh', null).mark, 'run');
  assert.equal(fenced('ts', 'file=a.mts').value, 'a.mts');
});

test('an answer of another shape is found', () => {
  const shown = { status: 'RECORDED', event: { id: 'evt_…' }, nodes: [{ n: 1 }] };
  const answered = { status: 'RECORDED', event: { id: 'evt_12' }, nodes: [{ n: 7 }, { n: 8 }] };
  assert.deepEqual(shape(shown, answered), []);
  for (const other of [
    { ...answered, status: 'ALREADY_RECORDED' },
    { ...answered, event: { id: 'log_12' } },
    { ...answered, event: null },
    { ...answered, nodes: [] },
    { ...answered, nodes: [{ n: '7' }] },
    { ...answered, more: 1 },
  ]) {
    assert.equal(shape(shown, other).length, 1, JSON.stringify(other));
  }
});

test('a line that was not printed, or not there, is found', () => {
  assert.deepEqual(lines('a …\nc', 'a b\nx\nc\n'), []);
  assert.equal(lines('c\na …', 'a b\nx\nc\n').length, 1);
  assert.equal(lines('a', 'a b\n').length, 1);
});

test('targets, commands, options and dependencies that are none are found', () => {
  const faults = (text, language = 'sh') => program({ place: 'page:1', language, text });
  assert.deepEqual(faults('make test && npm run build\nledgerline copy --from a --to b'), []);
  for (const text of ['make tests', 'npm run biuld', 'ledgerline copi', 'ledgerline copy \\\n  --form a', 'if true']) {
    assert.equal(faults(text).length, 1, text);
  }
  assert.equal(dependencies('serde_json = "1"').length, 0);
  assert.equal(dependencies('serde_json = "2"').length, 1);
});

test('names that the program does not have are found', () => {
  const manual = pages().map(read);
  assert.deepEqual(facts(manual), []);
  const inline = ['src/nothing.rs', 'recording::nothing_is_tested', 'make nothing'].map((text) => ({
    place: 'docs/page.md:1',
    text,
  }));
  const page = { page: 'docs/page.md', text: 'LEDGERLINE_LISTN', blocks: [], inline };
  assert.equal(facts([...manual, page]).length, 4);
});
