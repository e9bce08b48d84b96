// urql with its normalised cache.
import { Client, fetchExchange, gql } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';

export const name = 'urql with graphcache';

export async function open({ url, fetch, documents }) {
  const client = new Client({ url, fetch, preferGetMethod: false, exchanges: [cacheExchange({}), fetchExchange] });
  const parsed = Object.fromEntries(Object.entries(documents).map(([name, text]) => [name, gql(text)]));
  const data = async (result) => {
    const { data, error } = await result.toPromise();
    if (error) throw error;
    return data;
  };
  return {
    ask: async (name, variables) => data(client.query(parsed[name], variables)),
    change: async (name, variables) => data(client.mutation(parsed[name], variables)),
    cached: async (name, variables) => data(client.query(parsed[name], variables, { requestPolicy: 'cache-only' })),
    close: async () => {},
  };
}
