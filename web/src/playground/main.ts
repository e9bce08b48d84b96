import { GraphiQL } from 'graphiql';
import 'graphiql/style.css';
import { createElement as h, useCallback, useEffect, useRef, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { beside } from '../page/root.ts';
import { storeToken, takeToken } from '../page/token.ts';
import { examples, type Known } from './examples.ts';
import './playground.css';

type Params = Parameters<Parameters<typeof GraphiQL>[0]['fetcher']>[0];

async function ask({ operationName, ...body }: Params, token: string): Promise<any> {
  // For a moment after an example was chosen GraphiQL still names the operation of the one before.
  const named = operationName && body.query.includes(operationName) ? { ...body, operationName } : body;
  const response = await fetch(beside('graphql'), {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/graphql-response+json, application/json;q=0.9',
      ...(token ? { Authorization: `Bearer ${token}` } : {}),
    },
    body: JSON.stringify(named),
  });
  return response.json();
}

/** The example that the address names by the beginning of its name, else the first. */
const beginning = new URLSearchParams(location.search).get('example')?.toLowerCase();
const wanted = examples.find(({ name }) => beginning && name.toLowerCase().startsWith(beginning)) ?? examples[0]!;

/** GraphiQL on the server's own endpoint, with the token that the viewer of this tab uses. */
function Playground() {
  const [token, setToken] = useState(() => takeToken() ?? '');
  const [shown, setShown] = useState({ query: wanted.query, variables: '' });
  const known = useRef<Known>({ action: 'user.login', endCursor: null });

  useEffect(() => {
    const take = () => setToken(takeToken() ?? '');
    addEventListener('hashchange', take);
    return () => removeEventListener('hashchange', take);
  }, []);
  useEffect(() => {
    if (!token) return;
    // The examples that name an action name one of this product's, or a closed catalog would refuse them.
    ask({ query: '{ catalog { actions { name } } }' }, token)
      .then(
        (answer) => (known.current.action = answer.data?.catalog?.actions[0]?.name ?? known.current.action),
        () => {},
      )
      .then(() => choose(wanted.name));
  }, [token]);

  // GraphiQL reads the schema again whenever it is given another function.
  const fetcher = useCallback(
    async (params: Params) => {
      const answer = await ask(params, token);
      known.current.endCursor = answer.data?.auditEvents?.pageInfo?.endCursor ?? known.current.endCursor;
      return answer;
    },
    [token],
  );
  const choose = (name: string) => {
    const example = examples.find((one) => one.name === name);
    if (!example) return;
    const variables = example.variables ? JSON.stringify(example.variables(known.current), null, 2) : '';
    setShown({ query: example.query, variables });
  };

  return h(
    'div',
    { className: 'playground' },
    h(
      'header',
      { className: 'bar' },
      h('a', { href: beside('log') }, 'Audit log'),
      h(
        'label',
        null,
        'Example ',
        h(
          'select',
          { defaultValue: wanted.name, onChange: (event: any) => choose(event.target.value) },
          examples.map(({ name }) => h('option', { key: name }, name)),
        ),
      ),
      h(
        'label',
        { className: 'token' },
        'Token ',
        h('input', {
          type: 'password',
          autoComplete: 'off',
          spellCheck: false,
          placeholder: 'Bearer token; stays in this tab',
          value: token,
          onChange: (event: any) => {
            const typed = event.target.value.trim();
            storeToken(typed);
            setToken(typed);
          },
        }),
      ),
    ),
    // A new token may see another schema, or see it for the first time: GraphiQL asks again when it is made anew.
    h(GraphiQL, {
      key: token,
      fetcher,
      query: shown.query,
      variables: shown.variables,
      isHeadersEditorEnabled: false,
      defaultEditorToolsVisibility: 'variables',
    }),
  );
}

const root = document.createElement('div');
root.id = 'root';
document.body.append(root);
createRoot(root).render(h(Playground));
