import type { ComponentChildren } from 'preact';
import { spelled } from '../words/visible.ts';
import { notKeys, type ListKey, type NotKey } from '../view/view.ts';
import { copyText } from './clipboard.ts';
import { usePart } from './context.ts';
import { Marked } from './Marked.tsx';
import { MenuButton } from './MenuButton.tsx';

const longText = 300;

interface ValueProps {
  text: string;
  /** What it can be filtered by; without it, it can be copied alone. */
  filter?: ListKey;
  /** What is filtered by and copied, where it differs from what is shown. */
  value?: string;
  code?: boolean;
}

/** A value of an event. Pressed, it offers the events that have it, those that have not, and itself for another place. */
export function Value({ text, filter, value = text, code }: ValueProps) {
  const { texts, view, toggleFilter, exclude, announce } = usePart();
  // A 2,000-character id would be read out whole.
  const name = spelled(text.length > 60 ? `${text.slice(0, 60)}…` : text);
  const notKey = notKeys.find((key): key is NotKey => key === filter);
  const copy = async () => announce((await copyText(text)) ? texts.copied : texts.notCopied);
  return (
    <MenuButton
      class={text.length > longText ? 'value long' : 'value'}
      label={
        code ? (
          <code>
            <Marked text={text} />
          </code>
        ) : (
          <Marked text={text} />
        )
      }
      panelName={texts.valueMenu(name)}
      panelClass="value-menu"
    >
      {(close) => (
        <>
          {filter && !view.lists[filter].includes(value) && (
            <Choice
              label={texts.filterByThis}
              name={texts.filterBy(name)}
              onClick={() => toggleFilter(filter, value)}
            />
          )}
          {notKey && !view.not[notKey].includes(value) && (
            <Choice label={texts.excludeThis} name={texts.excludeValue(name)} onClick={() => exclude(notKey, value)} />
          )}
          <Choice
            label={texts.copyThis}
            name={texts.copyValue(name)}
            onClick={() => {
              void copy();
              close();
            }}
          />
        </>
      )}
    </MenuButton>
  );
}

function Choice({ label, name, onClick }: { label: ComponentChildren; name: string; onClick: () => void }) {
  return (
    <button type="button" class="option" aria-label={name} onClick={onClick}>
      {label}
    </button>
  );
}
