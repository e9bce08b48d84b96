import { Fault } from './fault.ts';
import type { ResultOf, TadaDocumentNode, VariablesOf } from './graphql.ts';
import { loader } from '../load.ts';
import { endpointAddress, SetupFault } from './setup.ts';

const loadNoAnswer = loader(() => import('./noAnswer.ts'));

export interface ClientOptions {
  endpoint: string;
  token: string | null;
  /** Asked once when the server no longer accepts the token; null means that there is no other. */
  renewToken?: (() => Promise<string | null>) | null;
  fetch?: typeof fetch;
}

/** Asks the server, and turns everything that is not data into a Fault. */
export class Client {
  readonly endpoint: string;
  /** What the product's labels are asked for in. */
  language = '*';
  renewToken: (() => Promise<string | null>) | null;
  private token: string | null;
  private renewal: Promise<string | null> | null = null;
  private readonly fetch: typeof fetch;
  /** Whether it was ever the endpoint that answered: then the address is right, and the origin allowed. */
  private hasAnswered = false;

  constructor(options: ClientOptions) {
    this.endpoint = options.endpoint;
    this.token = options.token;
    this.renewToken = options.renewToken ?? null;
    this.fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
  }

  /** The address that it asks, as anybody could. */
  get address(): string {
    return new URL(this.endpoint, globalThis.location?.href).href;
  }

  /** Another token for what is asked from now on, and for what is refused with the former one meanwhile. */
  useToken(token: string | null): void {
    this.token = token;
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
    const { renewToken } = this;
    if (!renewToken) return null;
    this.renewal ??= renewToken()
      .catch(() => null)
      .finally(() => (this.renewal = null));
    const token = await this.renewal;
    // The host may have set one meanwhile, which is as fresh.
    if (this.token !== refused) return this.token;
    if (token === null || token === refused) return null;
    this.token = token;
    return token;
  }

  private async post(body: string, token: string | null, signal?: AbortSignal): Promise<unknown> {
    const headers: Record<string, string> = {
      'Content-Type': 'application/json',
      Accept: 'application/graphql-response+json, application/json;q=0.9',
      'Accept-Language': this.language,
    };
    if (token) headers.Authorization = `Bearer ${token}`;

    const endpoint = endpointAddress(this.endpoint);
    let response: Response;
    let text: string;
    try {
      response = await this.fetch(endpoint, {
        method: 'POST',
        headers,
        body,
        credentials: 'omit',
        signal: signal ?? null,
      });
      text = await response.text();
    } catch (error) {
      if (signal?.aborted) throw error;
      const offline = () => new Fault('offline', String(error));
      throw this.hasAnswered
        ? offline()
        : await loadNoAnswer().then(({ whyNoAnswer }) => whyNoAnswer(endpoint, error), offline);
    }

    const { headers: told } = response;
    let answer: { data?: unknown; errors?: { message?: string; extensions?: Record<string, unknown> }[] };
    try {
      answer = JSON.parse(text);
    } catch {
      throw this.notOurs(response);
    }
    const error = answer?.errors?.[0];
    if (error) {
      this.hasAnswered = true;
      throw Fault.fromGraphQL(error, response.status, told);
    }
    if (!response.ok || !answer?.data) throw this.notOurs(response);
    this.hasAnswered = true;
    return answer.data;
  }

  /** An answer that the endpoint would not give: a proxy's, or that of another address. */
  private notOurs({ status, headers }: Response): Fault {
    const fault = Fault.fromGraphQL({ message: `HTTP ${status}` }, status, headers);
    const isOfProxy = this.hasAnswered || fault.kind !== 'server' || status >= 500;
    return isOfProxy ? fault : new SetupFault('endpoint', this.endpoint, `HTTP ${status}`);
  }
}
