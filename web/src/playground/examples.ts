/** What the page knows about the log when an example is chosen. */
export interface Known {
  /** An action that the product's catalog accepts. */
  action: string;
  /** Where the last page of the whole list ended. */
  endCursor: string | null;
}

export interface Example {
  name: string;
  query: string;
  variables?: (known: Known) => unknown;
}

/** The operations that read the whole list: a cursor of a filtered one would not fit "Next page". */
export const wholeLists = ['NewestEvents', 'NextPage'];

/** The questions most people start with, in the order in which they build on each other. test/documents.test.ts validates each against the committed schema. */
export const examples: readonly Example[] = [
  {
    name: 'Who am I, and may I read?',
    query: `query Viewer {
  viewer {
    subject
    organization
    role
    plan
    scopes
    product { name label columns { kind label } }
    canReadAuditLog { allowed reason requiredPlans hidden message }
    canRecord { allowed reason }
  }
}
`,
  },
  {
    name: 'The catalog of actions',
    query: `query Catalog {
  catalog {
    open
    openPrefixes
    categories {
      code
      label
      shortLabel
      actions { name label level defaultOutcome }
    }
  }
}
`,
  },
  {
    name: 'Newest events',
    query: `query NewestEvents {
  auditEvents(first: 10) {
    totalCount
    nodes {
      id
      occurredAt
      action
      actionLabel
      actor { kind label email }
      resource { type externalId name }
      outcome
      metadata
    }
    pageInfo { hasNextPage endCursor }
  }
}
`,
  },
  {
    name: 'Next page',
    query: `query NextPage($after: String) {
  auditEvents(first: 10, after: $after) {
    pageNumber
    pageCount
    nodes { occurredAt action actor { label email } }
    pageInfo { hasNextPage endCursor }
  }
}
`,
    variables: ({ endCursor }) => ({ after: endCursor }),
  },
  {
    name: 'Filter',
    query: `query Filtered($filter: AuditEventFilter) {
  auditEvents(first: 10, filter: $filter) {
    totalCount
    nodes { occurredAt action actor { label email } }
    pageInfo { hasNextPage endCursor }
  }
}
`,
    variables: ({ action }) => ({
      filter: { actions: [action], period: { preset: 'LAST_90_DAYS', timeZone: zoneOfReader() } },
    }),
  },
  {
    name: 'Search',
    query: `query Search($words: String!) {
  auditEvents(first: 10, search: $words) {
    totalCount
    nodes { occurredAt action actor { label email } metadata }
  }
}
`,
    variables: () => ({ words: 'a*' }),
  },
  {
    name: 'Record an event',
    query: `mutation Record($input: RecordAuditEventInput!) {
  recordAuditEvent(input: $input) {
    status
    sequence
    event { id occurredAt recordedAt action }
  }
}
`,
    variables: ({ action }) => ({
      input: {
        action,
        actor: { kind: 'USER', id: 'user_playground', name: 'Playground', email: 'playground@example.com' },
        metadata: { note: 'recorded from the playground' },
      },
    }),
  },
];

function zoneOfReader(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
}
