// Relay's store, network and compiler, with a real environment.
import { execFile } from 'node:child_process';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import runtime from 'relay-runtime';

const { Environment, Network, RecordSource, Store, commitMutation, createOperationDescriptor, fetchQuery, getRequest } =
  runtime;

export const name = 'Relay';

/** Relay's compiler wants a file for each operation, named as the operation begins, and the schema as text. */
async function compiled(documents, sdl) {
  const folder = await mkdtemp(join(tmpdir(), 'relay-'));
  try {
    await mkdir(join(folder, 'src'));
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    await writeFile(join(folder, 'schema.graphql'), sdl);
    for (const [name, text] of Object.entries(documents)) {
      const [, kind, rest] = /^(query|mutation) \w+(.*)$/s.exec(text);
      const operation = `${kind} ${name}${kind === 'query' ? 'Query' : 'Mutation'}${rest}`;
      await writeFile(join(folder, 'src', `${name}.js`), `graphql\`${operation}\`;\n`);
    }
    const config = {
      src: 'src',
      schema: 'schema.graphql',
      language: 'javascript',
      eagerEsModules: true,
      artifactDirectory: 'out',
    };
    await mkdir(join(folder, 'out'));
    await writeFile(join(folder, 'relay.config.json'), JSON.stringify(config));
    const compiler = createRequire(import.meta.url)('relay-compiler');
    await promisify(execFile)(compiler, ['relay.config.json'], { cwd: folder });
    const read = async ([name, text]) => {
      const file = join(folder, 'out', `${name}${text.startsWith('query') ? 'Query' : 'Mutation'}.graphql.js`);
      return [name, (await import(pathToFileURL(file))).default];
    };
    return Object.fromEntries(await Promise.all(Object.entries(documents).map(read)));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The page as Relay's pagination has it: a list that grows in the store. */
const grows = (page) =>
  page.replace('Page', 'List').replace('$after) {', '$after) @connection(key: "List_auditEvents") {');

export async function open({ url, fetch, documents, sdl }) {
  const artifacts = await compiled({ ...documents, List: grows(documents.Page) }, sdl);
  const network = Network.create(async ({ text }, variables) => {
    const body = JSON.stringify({ query: text, variables });
    return (await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).json();
  });
  const environment = new Environment({ network, store: new Store(new RecordSource()) });
  const operation = (name, variables) => createOperationDescriptor(getRequest(artifacts[name]), variables);
  return {
    ask: async (name, variables) => {
      // Kept, as a page on the screen keeps it: Relay forgets what nobody shows.
      environment.retain(operation(name, variables));
      return fetchQuery(environment, artifacts[name], variables).toPromise();
    },
    change: (name, variables) =>
      new Promise((resolve, reject) =>
        commitMutation(environment, {
          mutation: artifacts[name],
          variables,
          onError: reject,
          onCompleted: (data, errors) => (errors ? reject(errors) : resolve(data)),
        }),
      ),
    cached: async (name, variables) => {
      const snapshot = environment.lookup(operation(name, variables).fragment);
      return snapshot.isMissingData ? null : snapshot.data;
    },
    /** The events of the growing list, after one more page. */
    grown: async (variables) => {
      environment.retain(operation('List', { ...variables, after: null }));
      await fetchQuery(environment, artifacts.List, variables).toPromise();
      const { data } = environment.lookup(operation('List', { ...variables, after: null }).fragment);
      return data.auditEvents.edges.map(({ node }) => node);
    },
    close: async () => {},
  };
}
