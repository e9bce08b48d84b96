import { useEffect, useRef, useState } from 'preact/hooks';
import { useLog } from './context.ts';

/** Long enough to hold a burst of key strokes together, short enough to feel immediate. */
const typingPauseMs = 180;

interface TypedProps {
  label: string;
  hint: string;
  value: string;
  class?: string;
  onTyped: (value: string) => void;
}

/** A field that asks while a person types. Escape empties it. */
export function TypedField({ label, hint, value, class: className = '', onTyped }: TypedProps) {
  const [text, setText] = useState(value);
  const pending = useRef<number>(0);
  // By the time the pause is over the view may be another; the latest handler knows it.
  const typed = useRef(onTyped);
  typed.current = onTyped;
  useEffect(() => {
    clearTimeout(pending.current);
    setText(value);
  }, [value]);
  useEffect(() => () => clearTimeout(pending.current), []);

  const take = (next: string, pause: number) => {
    setText(next);
    clearTimeout(pending.current);
    if (pause === 0) typed.current(next);
    else pending.current = window.setTimeout(() => typed.current(next), pause);
  };
  return (
    <label class={`field ${className}`}>
      <span>{label}</span>
      <input
        type="search"
        value={text}
        placeholder={hint}
        autocomplete="off"
        spellcheck={false}
        maxLength={256}
        onInput={(event) => take(event.currentTarget.value, typingPauseMs)}
        // Whoever goes on to another control has finished typing; what that control does comes after.
        onBlur={() => text !== value && take(text, 0)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') take(event.currentTarget.value, 0);
          if (event.key === 'Escape' && text) {
            event.preventDefault();
            take('', 0);
          }
        }}
      />
    </label>
  );
}

/** A field for one exact value more; Enter adds it to the filters. */
export function ValueField({ label, onAdd }: { label: string; onAdd: (value: string) => void }) {
  const { texts } = useLog();
  const [text, setText] = useState('');
  const add = () => {
    if (text.trim()) onAdd(text.trim());
    setText('');
  };
  return (
    <form
      class="field value-field"
      onSubmit={(event) => {
        event.preventDefault();
        add();
      }}
    >
      <label>
        <span>{label}</span>
        <input
          type="text"
          value={text}
          autocomplete="off"
          spellcheck={false}
          maxLength={2048}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      {text.trim() && (
        <button type="submit" class="button">
          {texts.add}
        </button>
      )}
    </form>
  );
}
