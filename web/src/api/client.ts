import { Fault } from './fault.ts';
import type { ResultOf, TadaDocumentNode, VariablesOf } from './graphql.ts';

export interface ClientOptions {
  endpoint: string;
  token: string | null;
  /** Asked once when the server no longer accepts the token; null means that there is no other. */
  renewToken?: (() => Promise<string | null>) | undefined;
  fetch?: typeof fetch;
}

/** Asks the server, and turns everything that is not data into a Fault. */
export class Client {
  private token: string | null;
  private renewal: Promise<string | null> | null = null;
  private readonly fetch: typeof fetch;

  constructor(private readonly options: ClientOptions) {
    this.token = options.token;
    this.fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
  }

  async ask<Document extends TadaDocumentNode<any, any, any>>(
    document: Document,
    variables: VariablesOf<Document>,
    signal?: AbortSignal,
  ): Promise<ResultOf<Document>> {
    const body = JSON.stringify({ query: document, variables });
    const used = this.token ?? (await this.renew(null));
    try {
      return (await this.post(body, used, signal)) as ResultOf<Document>;
    } catch (fault) {
      if (!(fault instanceof Fault) || fault.kind !== 'unauthenticated') throw fault;
      const renewed = await this.renew(used);
      if (renewed === null) throw fault;
      return (await this.post(body, renewed, signal)) as ResultOf<Document>;
    }
  }

  /** One renewal for all the questions that were refused together. */
  private async renew(refused: string | null): Promise<string | null> {
    if (this.token !== refused) return this.token;
    const { renewToken } = this.options;
    if (!renewToken) return null;
    this.renewal ??= renewToken()
      .catch(() => null)
      .finally(() => (this.renewal = null));
    const token = await this.renewal;
    if (token === null || token === refused) return null;
    this.token = token;
    return token;
  }

  private async post(body: string, token: string | null, signal?: AbortSignal): Promise<unknown> {
    const headers: Record<string, string> = {
      'Content-Type': 'application/json',
      Accept: 'application/graphql-response+json, application/json;q=0.9',
    };
    if (token) headers.Authorization = `Bearer ${token}`;

    let response: Response;
    let text: string;
    try {
      response = await this.fetch(this.options.endpoint, {
        method: 'POST',
        headers,
        body,
        credentials: 'omit',
        signal: signal ?? null,
      });
      text = await response.text();
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new Fault('offline', String(error));
    }

    const { headers: told } = response;
    let answer: { data?: unknown; errors?: { message?: string; extensions?: Record<string, unknown> }[] };
    try {
      answer = JSON.parse(text);
    } catch {
      throw Fault.fromGraphQL({ message: `HTTP ${response.status}` }, response.status, told);
    }
    const error = answer.errors?.[0];
    if (error) throw Fault.fromGraphQL(error, response.status, told);
    if (!response.ok || !answer.data) {
      throw Fault.fromGraphQL({ message: `HTTP ${response.status}` }, response.status, told);
    }
    return answer.data;
  }
}
