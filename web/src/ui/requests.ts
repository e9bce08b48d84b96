// What the page asks, as a developer would ask it again.

/** A command line; the token is a variable of the shell, so that it stands in no history. */
export function asCurl(endpoint: string, query: string, variables: object): string {
  const body = JSON.stringify({ query: tidy(query), variables });
  return [
    `curl ${quoted(endpoint)}`,
    `  -H 'content-type: application/json'`,
    `  -H "authorization: Bearer $TOKEN"`,
    `  -d ${quoted(body)}`,
  ].join(' \\\n');
}

/** A document with its variables as a comment. */
export function asGraphql(query: string, variables: object): string {
  const told = JSON.stringify(variables, null, 2).replace(/^/gm, '# ');
  return `${tidy(query)}\n\n# Variables:\n${told}\n`;
}

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

/** Without the indentation that all of it has in this source. */
function tidy(query: string): string {
  const lines = query.split('\n').filter((line) => line.trim());
  const common = Math.min(...lines.map((line) => line.search(/\S/)));
  return lines.map((line) => line.slice(common)).join('\n');
}
