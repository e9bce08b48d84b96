// What could be meant by what somebody is typing into the query box.
import { graphql, type ResultOf } from './graphql.ts';

export const completionsQuery = graphql(`
  query Completions($organization: ID, $text: String!, $at: Int) {
    queryCompletions(organization: $organization, text: $text, at: $at) { text label from to }
  }
`);

export type Completion = NonNullable<ResultOf<typeof completionsQuery>['queryCompletions']>[number];
