// The questions of the parts that are loaded later.
import { eventFields } from './documents.ts';
import { graphql } from './graphql.ts';

/** How many events a list has. */
export const totalQuery = graphql(`
  query Total($organization: ID, $log: AuditLogInput, $includeNested: Boolean, $filter: AuditEventFilter, $query: String, $queryTimeZone: String) {
    auditEvents(organization: $organization, log: $log, includeNested: $includeNested, filter: $filter, query: $query, queryTimeZone: $queryTimeZone,
      first: 0) { totalCount }
  }
`);

/** The event that a link points at, wherever it stands in the list. */
export const eventQuery = graphql(
  `
  query Event($id: ID!) {
    auditEvent(id: $id) { ...EventFields }
  }
`,
  [eventFields],
);

/** People and machines of the organization, for the actor filter. */
export const actorsQuery = graphql(`
  query Actors($organization: ID, $matching: String) {
    actors(organization: $organization, matching: $matching, first: 20) { kind externalId name email label kindLabel }
  }
`);

/** For how long events are kept; only whoever manages the log may ask. */
export const retentionQuery = graphql(`
  query Retention($organization: ID) {
    auditRetention(organization: $organization) { levels { level days } }
  }
`);
