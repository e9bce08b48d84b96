// Alert rules: whether the reader may make some, whom one can tell, and to make it.
import { graphql, type ResultOf, type VariablesOf } from './graphql.ts';

/** Rules of the organization, to learn whether there can be any. */
export const alertsQuery = graphql(`
  query MayAlert($organization: ID) {
    auditAlertRules(organization: $organization) { id }
  }
`);

export const alertTargetsQuery = graphql(`
  query AlertTargets($organization: ID) {
    auditEndpoints(organization: $organization) { id label status }
  }
`);

export const createAlertMutation = graphql(`
  mutation CreateAlert($input: CreateAlertRuleInput!) {
    createAlertRule(input: $input) { rule { id label } }
  }
`);

export type AlertTarget = NonNullable<ResultOf<typeof alertTargetsQuery>['auditEndpoints']>[number];
export type AlertInput = VariablesOf<typeof createAlertMutation>['input'];
export type AlertPer = NonNullable<AlertInput['per']>;
