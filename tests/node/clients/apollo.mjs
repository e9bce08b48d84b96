// Apollo Client with the cache that it comes with.
import { ApolloClient, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { loadDevMessages, loadErrorMessages } from '@apollo/client/dev';

loadDevMessages();
loadErrorMessages();

export const name = 'Apollo Client';

export async function open({ url, fetch, documents }) {
  const client = new ApolloClient({ link: new HttpLink({ uri: url, fetch }), cache: new InMemoryCache() });
  const parsed = Object.fromEntries(Object.entries(documents).map(([name, text]) => [name, gql(text)]));
  return {
    ask: async (name, variables) => (await client.query({ query: parsed[name], variables })).data,
    change: async (name, variables) => (await client.mutate({ mutation: parsed[name], variables })).data,
    /** What the cache alone says of an answer that was read before; null where it no longer knows all of it. */
    cached: async (name, variables) => client.cache.readQuery({ query: parsed[name], variables }),
    close: async () => client.stop(),
  };
}
