// jq's own code as WebAssembly, for machines that have no jq: `jq FILTER`, from standard input.
import { readFileSync } from 'node:fs';
import { raw } from 'jq-wasm';

const [filter] = process.argv.slice(2);
console.log(filter === '--version' ? 'jq-wasm' : await raw(readFileSync(0, 'utf8'), filter));
