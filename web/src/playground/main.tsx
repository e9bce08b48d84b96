// The playground's frame: who asks, and which example. GraphiQL itself is loaded when it is opened.
import { render } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { beside } from '../page/root.ts';
import { storeToken, takeToken } from '../page/token.ts';
import { Ask, type Question } from './Ask.tsx';
import { demoPeople, type Person } from './demo.ts';
import type { Editor } from './editor.ts';
import { examples } from './examples.ts';
import { TokenHelper } from './TokenHelper.tsx';
import './playground.css';

/** The example that the address names by the beginning of its name, else the first. */
const beginning = new URLSearchParams(location.search).get('example')?.toLowerCase();
const wanted = examples.findIndex(({ name }) => beginning && name.toLowerCase().startsWith(beginning));

function Playground() {
  const [token, setToken] = useState(() => takeToken() ?? '');
  const [people, setPeople] = useState<readonly Person[] | null>(null);
  const [current, setCurrent] = useState(Math.max(0, wanted));
  const [isOpen, setOpen] = useState(token !== '');
  const [question, setQuestion] = useState<Question | null>(null);
  const place = useRef<HTMLDivElement>(null);
  const editor = useRef<Promise<Editor> | null>(null);
  /** What was said yes to holds for that token. */
  const allowed = useRef(new Set<string>());

  useEffect(() => {
    const take = () => setToken(takeToken() ?? '');
    addEventListener('hashchange', take);
    void demoPeople().then(setPeople);
    return () => removeEventListener('hashchange', take);
  }, []);

  // Asked at the moment of writing, of what is known then.
  const mayWrite = useRef<(what: string) => Promise<boolean>>(async () => false);
  mayWrite.current = (what) => {
    if ((people?.length ?? 0) > 0 || allowed.current.has(token)) return Promise.resolve(true);
    return new Promise((answer) => {
      const settle = (isAllowed: boolean) => {
        if (isAllowed) allowed.current.add(token);
        setQuestion(null);
        answer(isAllowed);
      };
      setQuestion({ what, token, settle });
    });
  };

  useEffect(() => {
    if (!isOpen) return;
    editor.current ??= import('./editor.ts').then(({ openEditor }) =>
      openEditor(place.current!, (what) => mayWrite.current(what)),
    );
    void editor.current.then((opened) => opened.use(token));
  }, [isOpen, token]);
  useEffect(() => {
    if (isOpen) void editor.current?.then((opened) => opened.show(examples[current]!));
  }, [isOpen, current]);

  const use = (typed: string) => {
    storeToken(typed);
    setToken(typed);
    if (typed) setOpen(true);
  };
  const choose = (index: number) => {
    setCurrent(index);
    setOpen(true);
    // The one that is chosen already may have been closed, or left for another tab.
    if (index === current) void editor.current?.then((opened) => opened.show(examples[index]!));
  };
  const next = examples[current + 1];

  return (
    <div class="playground">
      <header class="bar">
        <a href={beside('log')}>Audit log</a>
        <div class="example">
          <label>
            Example{' '}
            <select value={current} onChange={(event) => choose(Number(event.currentTarget.value))}>
              {examples.map(({ name }, index) => (
                <option key={name} value={index}>
                  {index + 1}. {name}
                </option>
              ))}
            </select>
          </label>
          <button type="button" disabled={!next} title={next?.name} onClick={() => choose(current + 1)}>
            Next
          </button>
        </div>
        <TokenHelper token={token} people={people} onToken={use} />
      </header>
      <main>
        {!isOpen && (
          <div class="closed">
            <h1>Ledgerline playground</h1>
            <p>Ask the service by GraphQL, beginning with the examples: they run in the order of the list.</p>
            <button type="button" class="primary" onClick={() => setOpen(true)}>
              Open the editor
            </button>
          </div>
        )}
        <div class="editor" ref={place} hidden={!isOpen} />
      </main>
      {question && <Ask {...question} />}
    </div>
  );
}

render(<Playground />, document.body);
