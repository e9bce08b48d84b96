// Saved views: those that the reader sees, and what can be done with them.
import { graphql, type ResultOf, type VariablesOf } from './graphql.ts';

/** The views that the reader sees, and whether they may share some. */
export const viewsQuery = graphql(`
  query SavedViews($organization: ID) {
    auditSavedViews(organization: $organization) { id label query shared isOwn mayChange mayDelete }
    viewer { canShareSavedViews(organization: $organization) { allowed } }
  }
`);

export const createViewMutation = graphql(`
  mutation CreateView($input: CreateSavedViewInput!) {
    createSavedView(input: $input) { view { id label } }
  }
`);

export const updateViewMutation = graphql(`
  mutation UpdateView($input: UpdateSavedViewInput!) {
    updateSavedView(input: $input) { view { id label } }
  }
`);

export const deleteViewMutation = graphql(`
  mutation DeleteView($input: SavedViewInput!) {
    deleteSavedView(input: $input) { view { id label } }
  }
`);

export type SavedView = NonNullable<ResultOf<typeof viewsQuery>['auditSavedViews']>[number];
export type ViewChanges = VariablesOf<typeof updateViewMutation>['input'];
