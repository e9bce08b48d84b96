// GraphiQL, on the service's own endpoint.
import './workers.ts';
import { GraphiQL } from 'graphiql';
import 'graphiql/style.css';
import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { getOperationAST, parse, type OperationDefinitionNode } from 'graphql';
import { createElement as h, useEffect } from 'react';
import { createRoot } from 'react-dom/client';
import { askServer } from './ask.ts';
import { wholeLists, type Example, type Known } from './examples.ts';

type Params = Parameters<Parameters<typeof GraphiQL>[0]['fetcher']>[0];

export interface Editor {
  /** Opens an example in a tab of its own, or goes to the tab where it is open. */
  show(example: Example): void;
  use(token: string): void;
}

/** The tabs as the frame may change them. Null until GraphiQL is there. */
interface Tabs {
  open(query: string, variables: string): void;
  goTo(query: string): boolean;
}

export function openEditor(place: HTMLElement, mayWrite: (what: string) => Promise<boolean>): Editor {
  const root = createRoot(place);
  const known: Known = { action: 'user.login', endCursor: null };
  let token: string | null = null;
  let learned = Promise.resolve();
  let tabs: Tabs | null = null;
  let wanted: Example | null = null;

  const fetcher = async ({ operationName, ...params }: Params) => {
    const operation = operationIn(params.query, operationName);
    if (operation?.operation === 'mutation') {
      const what = operation.selectionSet.selections.map((one) => ('name' in one ? one.name.value : '')).join(', ');
      if (!(await mayWrite(what))) return { errors: [{ message: 'It was not sent.' }] } as any;
    }
    // For a moment after an example was chosen GraphiQL still names the operation of the one before.
    const name = operation?.name?.value;
    const answer = await askServer({ ...params, ...(name ? { operationName: name } : {}) }, token ?? '');
    if (name && wholeLists.includes(name)) {
      known.endCursor = answer.data?.auditEvents?.pageInfo?.endCursor ?? known.endCursor;
    }
    return answer;
  };

  const open = async (example: Example) => {
    wanted = example;
    await learned;
    if (wanted !== example || !tabs) return;
    wanted = null;
    const { query, variables } = example;
    if (!tabs.goTo(query)) tabs.open(query, variables ? JSON.stringify(variables(known), null, 2) : '');
  };
  const takeTabs = (given: Tabs) => {
    tabs = given;
    if (wanted) void open(wanted);
  };

  return {
    show: (example) => void open(example),
    use: (fresh) => {
      if (fresh === token) return;
      token = fresh;
      known.endCursor = null;
      // The examples that name an action name one of this product's, or a closed catalog would refuse them.
      learned = askServer({ query: '{ catalog { actions { name } } }' }, fresh).then(
        ({ data }) => void (known.action = data?.catalog?.actions[0]?.name ?? known.action),
        () => {},
      );
      tabs = null;
      // A new token may see another schema, or see it for the first time: GraphiQL asks again when it is made anew.
      root.render(
        h(
          GraphiQL,
          {
            key: fresh,
            fetcher,
            isHeadersEditorEnabled: false,
            defaultEditorToolsVisibility: 'variables',
            defaultQuery: '',
          },
          h(TabKeeper, { takeTabs }),
        ),
      );
    },
  };
}

/** Gives the frame a hold of GraphiQL's tabs, once its editors are there. */
function TabKeeper({ takeTabs }: { takeTabs: (tabs: Tabs) => void }) {
  const { addTab, changeTab } = useGraphiQLActions();
  const queryEditor = useGraphiQL((state) => state.queryEditor);
  const variableEditor = useGraphiQL((state) => state.variableEditor);
  const all = useGraphiQL((state) => state.tabs);
  const active = useGraphiQL((state) => state.activeTabIndex);
  useEffect(() => {
    if (!queryEditor || !variableEditor) return;
    takeTabs({
      open: (query, variables) => {
        const isEmpty = queryEditor.getValue().trim() === '' && variableEditor.getValue().trim() === '';
        if (!isEmpty) addTab();
        queryEditor.setValue(query);
        variableEditor.setValue(variables);
      },
      goTo: (query) => {
        // What stands in the editor now is in its tab a little later.
        const index = all.findIndex((tab, at) => (at === active ? queryEditor.getValue() : tab.query) === query);
        if (index >= 0 && index !== active) changeTab(index);
        return index >= 0;
      },
    });
  }, [queryEditor, variableEditor, all, active]);
  return null;
}

/** The operation that is about to be sent; none where the text is not GraphQL. */
function operationIn(query: string, name: string | null | undefined): OperationDefinitionNode | null {
  try {
    const document = parse(query);
    return getOperationAST(document, name) ?? getOperationAST(document) ?? null;
  } catch {
    return null;
  }
}
