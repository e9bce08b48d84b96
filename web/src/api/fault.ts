/** What went wrong, in the kinds that a reader would act on differently. */
export type FaultKind =
  | 'unauthenticated'
  | 'forbidden'
  | 'plan'
  | 'missing'
  | 'input'
  | 'busy'
  /** Who is asking cannot be checked: the issuer of the token does not answer. */
  | 'unchecked'
  | 'offline'
  /** The element was put on its page in a way that cannot work. */
  | 'setup'
  | 'server';

const kinds: Record<string, FaultKind> = {
  UNAUTHENTICATED: 'unauthenticated',
  FORBIDDEN: 'forbidden',
  PLAN_REQUIRED: 'plan',
  NOT_FOUND: 'missing',
  EXPIRED: 'missing',
  BAD_USER_INPUT: 'input',
  QUERY_TOO_COMPLEX: 'input',
  OVERLOADED: 'busy',
  RATE_LIMITED: 'busy',
  UNAVAILABLE: 'busy',
};

interface GraphQLErrorBody {
  message?: string;
  extensions?: Record<string, unknown>;
}

/** An answer that is no data: the server's own words, and what may be quoted to support. */
export class Fault extends Error {
  constructor(
    readonly kind: FaultKind,
    message: string,
    readonly code: string | null = null,
    readonly requestId: string | null = null,
    readonly field: string | null = null,
    readonly requiredPlans: readonly string[] = [],
    readonly retryAfterMs: number | null = null,
    /** Where in the text of a query it is, in characters, and what would have been right. */
    readonly place: { from: number; to: number; suggestions: readonly string[] } | null = null,
  ) {
    super(message);
    this.name = 'Fault';
  }

  /** Whether the same question may be answered a little later. */
  get mayPass(): boolean {
    return this.kind === 'busy' || this.kind === 'unchecked' || this.kind === 'offline';
  }

  /** Whether it is about who is asking: then the gate knows more. */
  get isRefusal(): boolean {
    return ['unauthenticated', 'forbidden', 'plan', 'missing'].includes(this.kind);
  }

  /** What was typed cannot be understood; the rows of the former question still stand. */
  get isOfQuery(): boolean {
    return this.kind === 'input' && (this.field === 'query' || this.field === 'search');
  }

  /** A cursor of a link that no longer fits its filter; the list can begin again from its first page. */
  get isStaleCursor(): boolean {
    return this.kind === 'input' && (this.field === 'after' || this.field === 'before');
  }

  static fromGraphQL(error: GraphQLErrorBody, status: number, headers: Headers): Fault {
    const extensions = error.extensions ?? {};
    const code = typeof extensions.code === 'string' ? extensions.code : null;
    const isUnchecked = code === 'UNAVAILABLE' && typeof extensions.issuer === 'string';
    const kind = isUnchecked ? 'unchecked' : (code && kinds[code]) || kindOf(status);
    const seconds = Number(headers.get('retry-after') ?? Number.NaN);
    return new Fault(
      kind,
      error.message ?? '',
      code,
      typeof extensions.requestId === 'string' ? extensions.requestId : headers.get('x-request-id'),
      typeof extensions.field === 'string' ? extensions.field : null,
      texts(extensions.requiredPlans),
      typeof extensions.retryAfterMs === 'number' ? extensions.retryAfterMs : seconds >= 0 ? seconds * 1000 : null,
      typeof extensions.from === 'number' && typeof extensions.to === 'number'
        ? { from: extensions.from, to: extensions.to, suggestions: texts(extensions.suggestions) }
        : null,
    );
  }
}

const texts = (list: unknown): readonly string[] => (Array.isArray(list) ? list.map(String) : []);

/** An answer without a code of ours, such as a proxy's. */
function kindOf(status: number): FaultKind {
  if (status === 401) return 'unauthenticated';
  return [429, 502, 503, 504].includes(status) ? 'busy' : 'server';
}
