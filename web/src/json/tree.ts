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

/** The leaves in one line, for a table cell: `provider: GitHub, port: 5432`. */
export function summarise(node: JsonNode, limit = 160): string {
  const parts: string[] = [];
  let length = 0;
  const visit = (current: JsonNode, name: string): void => {
    if (length > limit) return;
    if (current.kind === 'object') {
      for (const { key, value } of current.entries) visit(value, key);
    } else if (current.kind === 'array') {
      for (const item of current.items) visit(item, name);
    } else {
      const part = name ? `${name}: ${current.text}` : current.text;
      parts.push(part);
      length += part.length + 2;
    }
  };
  visit(node, '');
  return parts.join(', ');
}
