// What stands around an event: others of the same correlation id, and what its actor does otherwise.
import { graphql, type ResultOf } from './graphql.ts';

export const relatedQuery = graphql(`
  query Related($organization: ID, $log: AuditLogInput, $includeNested: Boolean, $filter: AuditEventFilter, $query: String,
    $queryTimeZone: String) {
    auditEvents(organization: $organization, log: $log, includeNested: $includeNested, filter: $filter, query: $query,
      queryTimeZone: $queryTimeZone, orderBy: {field: OCCURRED_AT, direction: ASC}, first: 50) {
      totalCount
      nodes { id action actionLabel outcome occurredAt actor { kind externalId name email label kindLabel } }
    }
  }
`);

export const actorQuery = graphql(`
  query ActorCard($organization: ID, $log: AuditLogInput, $includeNested: Boolean, $filter: AuditEventFilter, $query: String,
    $queryTimeZone: String, $timeZone: String!) {
    auditEvents(organization: $organization, log: $log, includeNested: $includeNested, filter: $filter, query: $query,
      queryTimeZone: $queryTimeZone, first: 1) {
      totalCount
      nodes { occurredAt }
      facets(timeZone: $timeZone) {
        actions { exact buckets { value label count } }
        ipAddresses { exact buckets { value count } }
        outcomes { exact buckets { value count } }
      }
    }
    first: auditEvents(organization: $organization, log: $log, includeNested: $includeNested, filter: $filter, query: $query,
      queryTimeZone: $queryTimeZone, orderBy: {field: OCCURRED_AT, direction: ASC}, first: 1) { nodes { occurredAt } }
  }
`);

export type Related = NonNullable<ResultOf<typeof relatedQuery>['auditEvents']>;
export type ActorAnswer = ResultOf<typeof actorQuery>;
