// Metadata as it was sent. JSON.parse would round long numbers, drop repeated keys and reorder numeric ones;
// a record must be shown with none of that, so the text is read here with its numbers kept as text.

export type JsonNode =
  | { kind: 'object'; entries: readonly { key: string; value: JsonNode }[] }
  | { kind: 'array'; items: readonly JsonNode[] }
  | { kind: 'string'; text: string }
  | { kind: 'literal'; text: string };

/** Reads valid JSON; anything else comes back as one string, so that it is still shown. */
export function readJson(source: string): JsonNode {
  try {
    JSON.parse(source);
  } catch {
    return { kind: 'string', text: source };
  }
  return new Reader(source).value();
}

/** Walks text that JSON.parse has already found valid, so it need not check. */
class Reader {
  private at = 0;
  constructor(private readonly source: string) {}

  value(): JsonNode {
    this.skipBlanks();
    const first = this.source[this.at];
    if (first === '{') return this.object();
    if (first === '[') return this.array();
    if (first === '"') return { kind: 'string', text: this.string() };
    const start = this.at;
    while (this.at < this.source.length && !/[\s,\]}]/.test(this.source[this.at]!)) this.at++;
    return { kind: 'literal', text: this.source.slice(start, this.at) };
  }

  private object(): JsonNode {
    const entries: { key: string; value: JsonNode }[] = [];
    while (this.next('}')) {
      const key = this.string();
      this.skipBlanks();
      this.at++;
      entries.push({ key, value: this.value() });
    }
    return { kind: 'object', entries };
  }

  private array(): JsonNode {
    const items: JsonNode[] = [];
    while (this.next(']')) items.push(this.value());
    return { kind: 'array', items };
  }

  /** Steps over the opening bracket or the comma; false at the closing bracket, which it steps over too. */
  private next(closing: string): boolean {
    this.skipBlanks();
    if (this.source[this.at] !== closing) {
      this.at++;
      this.skipBlanks();
      if (this.source[this.at] !== closing) return true;
    }
    this.at++;
    return false;
  }

  private string(): string {
    const start = this.at++;
    while (this.source[this.at] !== '"') this.at += this.source[this.at] === '\\' ? 2 : 1;
    return JSON.parse(this.source.slice(start, ++this.at));
  }

  private skipBlanks(): void {
    while (/\s/.test(this.source[this.at] ?? '')) this.at++;
  }
}

/** What a branch holds, by the names of its members or the places of its items. */
export function childrenOf(node: JsonNode): readonly { name: string; value: JsonNode }[] {
  if (node.kind === 'object') return node.entries.map(({ key, value }) => ({ name: key, value }));
  if (node.kind === 'array') return node.items.map((value, index) => ({ name: String(index), value }));
  return [];
}

/** A value as one line of text: `red, green`, `{on: true}`. */
export function inOneLine(node: JsonNode): string {
  switch (node.kind) {
    case 'object':
      return `{${node.entries.map(({ key, value }) => `${key}: ${inOneLine(value)}`).join(', ')}}`;
    case 'array':
      return node.items.length === 1 ? inOneLine(node.items[0]!) : `[${node.items.map(inOneLine).join(', ')}]`;
    default:
      return node.text;
  }
}
