/** What went wrong, in the kinds that a reader would act on differently. */
export type FaultKind =
  | 'unauthenticated'
  | 'forbidden'
  | 'plan'
  | 'missing'
  | 'input'
  | 'busy'
  | 'offline'
  | 'server';

const kinds: Record<string, FaultKind> = {
  UNAUTHENTICATED: 'unauthenticated',
  FORBIDDEN: 'forbidden',
  PLAN_REQUIRED: 'plan',
  NOT_FOUND: 'missing',
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
  ) {
    super(message);
    this.name = 'Fault';
  }

  /** A cursor of a link that no longer fits its filter; the list can begin again from its first page. */
  get isStaleCursor(): boolean {
    return this.kind === 'input' && (this.field === 'after' || this.field === 'before');
  }

  static fromGraphQL(error: GraphQLErrorBody, status: number, headerRequestId: string | null): Fault {
    const extensions = error.extensions ?? {};
    const code = typeof extensions.code === 'string' ? extensions.code : null;
    const kind = (code && kinds[code]) || (status === 401 ? 'unauthenticated' : 'server');
    const plans = Array.isArray(extensions.requiredPlans) ? extensions.requiredPlans.map(String) : [];
    return new Fault(
      kind,
      error.message ?? '',
      code,
      typeof extensions.requestId === 'string' ? extensions.requestId : headerRequestId,
      typeof extensions.field === 'string' ? extensions.field : null,
      plans,
    );
  }
}
