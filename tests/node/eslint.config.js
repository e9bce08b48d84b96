// The Relay rules and the documentation rules of graphql-eslint, on the committed schema.
import graphql from '@graphql-eslint/eslint-plugin';

const schema = 'schema.graphql';

export default [
  {
    files: ['**/*.graphql'],
    languageOptions: { parser: graphql.parser, parserOptions: { graphQLConfig: { schema } } },
    plugins: { '@graphql-eslint': graphql },
    rules: {
      '@graphql-eslint/relay-arguments': 'error',
      '@graphql-eslint/relay-connection-types': 'error',
      // The `nodes` shortcut beside `edges` is GitHub's habit, and ours.
      '@graphql-eslint/relay-edge-types': [
        'error',
        { withEdgeSuffix: true, shouldImplementNode: true, listTypeCanWrapOnlyEdgeType: false },
      ],
      '@graphql-eslint/relay-page-info': 'error',
      '@graphql-eslint/require-description': [
        'error',
        {
          types: true,
          FieldDefinition: true,
          InputValueDefinition: true,
          EnumValueDefinition: true,
          DirectiveDefinition: true,
        },
      ],
      '@graphql-eslint/no-unreachable-types': 'error',
      // `Query.queryCompletions` is about the text of a query box: there the word is not the type's.
      '@graphql-eslint/no-typename-prefix': 'off',
      '@graphql-eslint/no-hashtag-description': 'error',
      '@graphql-eslint/unique-field-definition-names': 'error',
      '@graphql-eslint/unique-type-names': 'error',
      '@graphql-eslint/require-deprecation-reason': 'error',
    },
  },
];
