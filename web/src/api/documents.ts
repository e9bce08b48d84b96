// Every question the viewer asks. test/documents.test.ts validates each against the committed schema.
import { graphql, type ResultOf, type VariablesOf } from './graphql.ts';

export const eventFields = graphql(`
  fragment EventFields on AuditEvent @_unmask {
    id sequence action actionLabel
    category { code label shortLabel }
    actor { kind externalId name email label kindLabel }
    onBehalfOf { kind externalId name email label kindLabel }
    resources { type externalId name }
    log { level externalId name deletedAt }
    outcome occurredAt recordedAt ipAddress userAgent
    correlationId source sourceEventId recordedBy metadataText truncated masked erased held
  }
`);

/** Who is asking, what they may do, and how their product wants its log shown. */
export const sessionQuery = graphql(`
  query Session($organization: ID) {
    viewer {
      subject name email organization role plan scopes
      product {
        name label title planTitle paging dateFilter actionDisplay redirectHref upgradeHref
        columns { kind label }
        filters { kind label allLabel hint }
        levels { name label parent includeNested }
        actorKinds { kind label }
      }
      canReadAuditLog(organization: $organization) {
        allowed reason hidden message requiredPlans requiredPlanLabels requiredRoleLabels
      }
      logs(organization: $organization) { level externalId name deletedAt }
      logChoices(organization: $organization) { level externalId name }
    }
    catalog {
      open openPrefixes
      categories { code label shortLabel description }
      actions { name label description category { code } }
    }
  }
`);

/** One page of rows, and nothing that has to be counted: a count that fails must not take the rows with it. */
export const pageQuery = graphql(
  `
  query Page($organization: ID, $log: AuditLogInput, $includeNested: Boolean, $filter: AuditEventFilter, $query: String, $queryTimeZone: String,
    $first: Int, $after: String, $last: Int, $before: String) {
    auditEvents(organization: $organization, log: $log, includeNested: $includeNested, filter: $filter, query: $query, queryTimeZone: $queryTimeZone,
      first: $first, after: $after, last: $last, before: $before) {
      edges { cursor node { ...EventFields } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
`,
  [eventFields],
);

/** Where a page stands in its list, for one that a link led to. */
export const positionQuery = graphql(`
  query Position($organization: ID, $log: AuditLogInput, $includeNested: Boolean, $filter: AuditEventFilter, $query: String, $queryTimeZone: String,
    $first: Int, $after: String, $last: Int, $before: String) {
    auditEvents(organization: $organization, log: $log, includeNested: $includeNested, filter: $filter, query: $query, queryTimeZone: $queryTimeZone,
      first: $first, after: $after, last: $last, before: $before) { pageNumber }
  }
`);

/**
 * What the whole match looks like: asked beside the rows, so that counting never holds them up. The days are the
 * list's own, or, where it is a part of a longer time, those of the `span`, so that it can be seen in its place;
 * `failedSpan` has the failures.
 */
export const overviewQuery = graphql(`
  query Overview($organization: ID, $log: AuditLogInput, $includeNested: Boolean, $filter: AuditEventFilter, $query: String, $queryTimeZone: String,
    $span: AuditEventFilter, $failedSpan: AuditEventFilter, $timeZone: String!, $days: Boolean!,
    $spanDays: Boolean!, $failures: Boolean!) {
    auditEvents(organization: $organization, log: $log, includeNested: $includeNested, filter: $filter, query: $query, queryTimeZone: $queryTimeZone, first: 0) {
      totalCount
      facets(timeZone: $timeZone) {
        categories { exact buckets { value count } }
        actions { exact buckets { value label count } }
        outcomes { exact buckets { value count } }
        days @include(if: $days) { day count }
      }
    }
    recorded: auditEvents(organization: $organization, log: $log, includeNested: $includeNested, filter: $filter,
      query: $query, queryTimeZone: $queryTimeZone, orderBy: {field: SEQUENCE, direction: DESC}, first: 1) { nodes { sequence } }
    span: auditEvents(organization: $organization, log: $log, includeNested: $includeNested, filter: $span, query: $query, queryTimeZone: $queryTimeZone,
      first: 0) @include(if: $spanDays) { facets(timeZone: $timeZone) { days { day count } } }
    failedSpan: auditEvents(organization: $organization, log: $log, includeNested: $includeNested, filter: $failedSpan,
      query: $query, queryTimeZone: $queryTimeZone, first: 0) @include(if: $failures) { facets(timeZone: $timeZone) { days { day count } } }
  }
`);

/**
 * How many events now stand before the first row: the same list, backwards from its cursor. And those of it that were
 * recorded last, some of which may belong further down.
 */
export const newerQuery = graphql(`
  query Newer($organization: ID, $log: AuditLogInput, $includeNested: Boolean, $filter: AuditEventFilter, $query: String, $queryTimeZone: String,
    $first: Int, $last: Int, $before: String) {
    auditEvents(organization: $organization, log: $log, includeNested: $includeNested, filter: $filter, query: $query, queryTimeZone: $queryTimeZone,
      first: $first, last: $last, before: $before) {
      nodes { id }
    }
    recorded: auditEvents(organization: $organization, log: $log, includeNested: $includeNested, filter: $filter,
      query: $query, queryTimeZone: $queryTimeZone, orderBy: {field: SEQUENCE, direction: DESC}, first: 50) { nodes { id sequence } }
  }
`);

export type AuditEvent = ResultOf<typeof eventFields>;
export type Actor = AuditEvent['actor'];
export type Resource = AuditEvent['resources'][number];
export type SessionAnswer = ResultOf<typeof sessionQuery>;
export type LogChoice = NonNullable<SessionAnswer['viewer']>['logChoices'][number];
export type Viewer = NonNullable<SessionAnswer['viewer']>;
export type Catalog = NonNullable<SessionAnswer['catalog']>;
export type Product = Viewer['product'];
export type Column = Product['columns'][number];
export type FilterKind = Product['filters'][number]['kind'];
export type Level = Product['levels'][number];
export type Page = NonNullable<ResultOf<typeof pageQuery>['auditEvents']>;
export type Edge = Page['edges'][number];
export type Overview = NonNullable<ResultOf<typeof overviewQuery>['auditEvents']>;
export type DayCount = NonNullable<NonNullable<ResultOf<typeof overviewQuery>['span']>['facets']>['days'][number];
export type PageVariables = VariablesOf<typeof pageQuery>;
export type EventFilter = NonNullable<PageVariables['filter']>;
export type Outcome = NonNullable<AuditEvent['outcome']>;
export type ActorKind = Actor['kind'];
export type PeriodPreset = NonNullable<EventFilter['period']>['preset'];
