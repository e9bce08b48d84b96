// Exports: the list as a file, made by the service while one waits.
import { graphql, type ResultOf, type VariablesOf } from './graphql.ts';

const exportFields = graphql(`
  fragment ExportFields on AuditExport @_unmask {
    id status done total count downloadUrl manifestUrl
  }
`);

export const createExportMutation = graphql(
  `
  mutation CreateExport($input: CreateAuditExportInput!) {
    createAuditExport(input: $input) { export { ...ExportFields } }
  }
`,
  [exportFields],
);

export const exportQuery = graphql(
  `
  query Export($id: ID!) {
    auditExport(id: $id) { ...ExportFields }
  }
`,
  [exportFields],
);

/** Exports of the list, to learn whether there can be any. */
export const exportsQuery = graphql(`
  query MayExport($organization: ID) {
    auditExports(organization: $organization, first: 1) { id }
  }
`);

export type Export = ResultOf<typeof exportFields>;
export type ExportFormat = VariablesOf<typeof createExportMutation>['input']['format'];
