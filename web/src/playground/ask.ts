import { beside } from '../page/root.ts';

export interface Asked {
  query: string;
  variables?: unknown;
  operationName?: string | null | undefined;
}

/** Asks the service's own endpoint. */
export async function askServer(asked: Asked, token: string): Promise<any> {
  const response = await fetch(beside('graphql'), {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/graphql-response+json, application/json;q=0.9',
      ...(token ? { Authorization: `Bearer ${token}` } : {}),
    },
    body: JSON.stringify(asked),
  });
  return response.json();
}
