import type { ComponentChildren } from 'preact';
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Completion } from '../api/completions.ts';
import type { ListState } from '../log/model.ts';
import { isFilter, isUsual, settled } from '../view/query.ts';
import { questionFor } from '../view/request.ts';
import { questionOf, refine } from '../view/view.ts';
import { isTerm, partAt, queryParts, type QueryPart } from '../words/query.ts';
import { Chips, chipsOf } from './Chips.tsx';
import { useLog } from './context.ts';
import { filterWords } from './names.ts';
import { Completions, QueryFlaw } from './parts.ts';

/** Long enough to hold a burst of key strokes together, short enough to feel immediate. */
const typingPauseMs = 180;

/** What is in the box besides the filters: terms that are finished, as chips, and the text behind them. */
interface Content {
  terms: readonly string[];
  text: string;
}

/** A part of the text that the service does not understand, and which piece of it. */
export interface Flaw {
  part: QueryPart;
  from: number;
  to: number;
  suggestions: readonly string[];
}

const contentOf = (search: string): Content => {
  const parts = queryParts(search);
  const words = parts.filter((part) => !isTerm(part));
  return { terms: parts.filter(isTerm).map(({ text }) => text), text: words.map(({ text }) => text).join(' ') };
};

/**
 * One box for whatever is looked for: words, fields and what to leave out. A term that is finished, by a blank, Enter or
 * leaving the box, becomes a chip; where a filter can say the same, it becomes that filter. The pattern is "editable
 * combobox with list autocomplete" (https://www.w3.org/WAI/ARIA/apg/patterns/combobox/).
 */
export function QueryBox({ state, end }: { state: ListState | null; end: ComponentChildren }) {
  const log = useLog();
  const { texts, view, change, session } = log;
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const caret = useRef<number | null>(null);
  const pending = useRef(0);
  const [content, setContent] = useState(() => contentOf(view.search));
  const [cursor, setCursor] = useState<number | null>(null);
  const [options, setOptions] = useState<readonly Completion[]>([]);
  const [active, setActive] = useState(-1);
  const [scrolled, setScrolled] = useState(0);
  const written = useRef(view.search);
  const latest = useRef({ view, change });
  latest.current = { view, change };

  // The text changed elsewhere: a chip was pressed, or somebody went back.
  useEffect(() => {
    if (view.search === written.current) return;
    clearTimeout(pending.current);
    written.current = view.search;
    setContent(contentOf(view.search));
  }, [view.search]);
  useEffect(() => () => clearTimeout(pending.current), []);
  useLayoutEffect(() => {
    if (caret.current !== null) input.current?.setSelectionRange(caret.current, caret.current);
    caret.current = null;
  }, [content]);

  const close = () => {
    setCursor(null);
    setOptions([]);
    setActive(-1);
  };

  const flaw = flawOf();
  const isRefused = (part: string) => flaw?.part.text === part;
  // It stands where it can be mended: in the text again, in front of what is being typed.
  useEffect(() => {
    if (!flaw || !content.terms.includes(flaw.part.text)) return;
    const at = input.current?.selectionStart ?? content.text.length;
    // With its blank, so that whoever types on begins another word.
    const begin = `${flaw.part.text} `;
    caret.current = input.current?.matches(':focus') ? at + begin.length : null;
    close();
    setContent({
      terms: content.terms.filter((term) => term !== flaw.part.text),
      text: `${begin}${content.text}`,
    });
  }, [flaw?.part.text]);

  function flawOf(): Flaw | null {
    const { fault, asked } = state ?? {};
    // Of the former question it would be found in some other part of this one.
    if (!fault?.isOfQuery || !fault.place || questionOf(asked!) !== questionOf(log.asked)) return null;
    const { query } = questionFor(log.asked, null, log.zone, 0);
    const found = query === null ? null : partAt(query, fault.place.from, fault.place.to);
    return found && { ...found, suggestions: fault.place.suggestions };
  }

  /** Asks for all of it but a term that is still being typed and asks for nothing yet. */
  const send = (terms: readonly string[], text: string) => {
    clearTimeout(pending.current);
    let last = queryParts(text).at(-1);
    if (last && !isTerm(last)) last = undefined;
    const { catalog } = session;
    const isUnfinished = last && last.to === text.length && !isRefused(last.text) && !isUsual(last, catalog);
    // Behind a term a blank asks for nothing else, and a question that only looks new would take the flaw's words away.
    const asked = last ? text.slice(0, isUnfinished ? last.from : last.to) : text;
    const search = [...terms, asked.trimStart()].filter((one) => one !== '').join(' ');
    const { view: present, change: tell } = latest.current;
    const next = settled(refine(present, { search: search.trim() === '' ? '' : search }));
    if (next.search === present.search && next.lists === present.lists && next.not === present.not) return;
    written.current = next.search;
    tell(next, 'typing');
  };

  /** Takes what is in the field; of what is finished there, terms become chips. */
  const take = (text: string, at: number | null, isDone = false) => {
    const finished = queryParts(text).filter(
      (part) =>
        isTerm(part) &&
        (isDone || part.to < text.length) &&
        part.values.every((value) => value.text !== '') &&
        !isRefused(part.text),
    );
    let rest = text;
    let place = at;
    for (const { from, to } of finished.toReversed()) {
      const after = /\s/u.test(rest[to] ?? '') ? to + 1 : to;
      if (place !== null && place > from) place = Math.max(from, place - (after - from));
      rest = rest.slice(0, from) + rest.slice(after);
    }
    const terms = [...content.terms, ...finished.filter((part) => !isFilter(part)).map((part) => part.text)];
    caret.current = place;
    setContent({ terms, text: rest });
    const all = [...content.terms, ...finished.map((part) => part.text)];
    clearTimeout(pending.current);
    if (finished.length > 0) setOptions([]);
    if (isDone || finished.length > 0) send(all, rest);
    else pending.current = window.setTimeout(() => send(all, rest), typingPauseMs);
    return { rest, place };
  };
  const complete = ({ text, from, to }: Completion) => {
    const all = [...content.text];
    const before = all.slice(0, from).join('') + text;
    const after = all.slice(to).join('');
    // A field waits for its value; all else is finished.
    const isField = text.endsWith(':');
    const { place } = take(`${before}${isField ? '' : ' '}${after.trimStart()}`, before.length + (isField ? 0 : 1));
    setOptions([]);
    setActive(-1);
    setCursor(isField ? place : null);
    input.current?.focus();
  };

  const words = filterWords(log, 'SEARCH');
  const chips = chipsOf(log, ({ text }) => content.terms.includes(text));
  // Without a cursor there is no list, whatever was found for where it stood.
  const isOpen = cursor !== null && options.length > 0;
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing || event.ctrlKey || event.metaKey) return;
    const field = event.currentTarget as HTMLInputElement;
    const move = (to: number) => setActive((to + options.length) % options.length);
    switch (event.key) {
      case 'ArrowDown':
        if (isOpen) move(active + 1);
        else setCursor(field.selectionStart);
        break;
      case 'ArrowUp':
        if (!isOpen) return;
        move(active < 0 ? options.length - 1 : active - 1);
        break;
      case 'Enter':
        if (options[active]) complete(options[active]!);
        else {
          take(content.text, null, true);
          close();
        }
        break;
      case 'Escape':
        if (isOpen) close();
        else if (content.text) take('', 0, true);
        else return;
        event.stopPropagation();
        break;
      case 'Backspace':
        if (field.selectionStart !== 0 || field.selectionEnd !== 0 || chips.length === 0) return;
        change(chips.at(-1)!.without, 'typing');
        break;
      default:
        return;
    }
    event.preventDefault();
  };
  const flawId = `${id}-flaw`;
  const flawAt = flaw ? content.text.indexOf(flaw.part.text) : -1;
  return (
    <>
      <div class="box query">
        <Glass />
        <Chips chips={chips} />
        <label class="field search">
          <span>{words?.label ?? texts.search}</span>
          <input
            ref={input}
            type="text"
            inputmode="search"
            enterkeyhint="search"
            role="combobox"
            dir="auto"
            value={content.text}
            placeholder={words?.hint ?? texts.searchHint}
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            maxLength={1000}
            aria-autocomplete="list"
            aria-expanded={isOpen}
            aria-controls={isOpen ? `${id}-list` : undefined}
            aria-activedescendant={isOpen && active >= 0 ? `${id}-${active}` : undefined}
            aria-invalid={flaw !== null}
            aria-describedby={flaw ? flawId : undefined}
            onInput={(event) => {
              const { value, selectionStart } = event.currentTarget;
              if (event.isComposing) {
                setContent({ ...content, text: value });
                return;
              }
              const { place } = take(value, selectionStart);
              setActive(-1);
              setCursor(place);
            }}
            onCompositionEnd={(event) => take(event.currentTarget.value, event.currentTarget.selectionStart)}
            // Whoever goes on to another control has finished typing; what that control does comes after.
            onBlur={() => {
              close();
              if (content.text) take(content.text, null, true);
            }}
            onScroll={(event) => setScrolled(event.currentTarget.scrollLeft)}
            onKeyDown={onKeyDown}
          />
          {flaw && flawAt >= 0 && (
            <div class="flaw-line" dir="auto" aria-hidden="true">
              <span style={{ marginInlineStart: `${-Math.abs(scrolled)}px` }}>
                {content.text.slice(0, flawAt + flaw.from)}
                <span class="flaw-mark">{content.text.slice(flawAt + flaw.from, flawAt + flaw.to)}</span>
              </span>
            </div>
          )}
        </label>
        {end}
        {cursor !== null && (
          <Completions
            id={id}
            text={content.text}
            at={cursor}
            active={active}
            options={options}
            onOptions={(found: readonly Completion[]) => {
              setOptions(found);
              setActive(-1);
            }}
            onTake={complete}
          />
        )}
      </div>
      {flaw && (
        <QueryFlaw
          id={flawId}
          flaw={flaw}
          hasRows={state !== null && state.rows.length > 0}
          onMend={(mended: string) => {
            const text = flawAt < 0 ? content.text : content.text.replace(flaw.part.text, () => mended);
            take(text, null, true);
            input.current?.focus();
          }}
        />
      )}
    </>
  );
}

export function Glass() {
  return (
    <svg class="glass" viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
      <path d="M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.3 10.3 14 14" />
    </svg>
  );
}
