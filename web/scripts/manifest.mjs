// custom-elements.json, which editors and documentation tools read (https://github.com/webcomponents/custom-elements-manifest):
// from the declarations in src/element/types.ts and their comments.
import { readFileSync } from 'node:fs';
import ts from 'typescript';

const kebab = (name) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

export function manifest() {
  const path = new URL('../src/element/types.ts', import.meta.url);
  const file = ts.createSourceFile('types.ts', readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
  const members = (name) => {
    const found = file.statements.find((one) => ts.isInterfaceDeclaration(one) && one.name.text === name);
    return found.members.map((member) => ({
      name: member.name.text,
      text: member.type.getText(file),
      description: ts
        .getJSDocCommentsAndTags(member)
        .map((comment) => ts.getTextOfJSDocComment(comment.comment))
        .join('\n'),
    }));
  };
  const settings = members('LedgerlineLogSettings');
  const state = members('LedgerlineLogState');
  const described = ({ description }) => (description ? { description } : {});
  return {
    schemaVersion: '1.0.0',
    modules: [
      {
        kind: 'javascript-module',
        path: 'ledgerline-log.js',
        declarations: [
          {
            kind: 'class',
            customElement: true,
            name: 'LedgerlineLog',
            tagName: 'ledgerline-log',
            superclass: { name: 'HTMLElement' },
            description: 'An audit log for any page.',
            attributes: [
              ...settings.map((one) => ({
                name: kebab(one.name),
                fieldName: one.name,
                type: { text: one.text },
                ...described(one),
              })),
              {
                name: 'token',
                fieldName: 'token',
                type: { text: 'string | null' },
                ...described(state.find(({ name }) => name === 'token')),
              },
            ],
            members: [...settings, ...state].map((one) => ({
              kind: 'field',
              name: one.name,
              type: { text: one.text },
              ...described(one),
              ...(settings.includes(one) ? { attribute: kebab(one.name), reflects: true } : {}),
            })),
            events: members('LedgerlineLogEventDetails').map((one) => ({
              name: one.name,
              type: { text: `CustomEvent<${one.text}>` },
              ...described(one),
            })),
            cssProperties: themed(),
          },
        ],
        exports: [
          {
            kind: 'js',
            name: 'LedgerlineLog',
            declaration: { name: 'LedgerlineLog', module: 'ledgerline-log.js' },
          },
          {
            kind: 'custom-element-definition',
            name: 'ledgerline-log',
            declaration: { name: 'LedgerlineLog', module: 'ledgerline-log.js' },
          },
        ],
      },
    ],
  };
}

/** The custom properties that the style sheets read. */
function themed() {
  const css = readFileSync(new URL('../src/styles/base.css', import.meta.url), 'utf8');
  const found = css.matchAll(/var\((--ledgerline-[a-z-]+), *([^;]*)\);/g);
  return [...found].map(([, name, standard]) => ({ name, default: standard }));
}
