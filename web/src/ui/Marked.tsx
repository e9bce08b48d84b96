import type { ComponentChildren } from 'preact';
import { pieces } from '../words/visible.ts';
import { useLog } from './context.ts';

/** Text of a record: isolated from the page's writing direction, with what the search found marked. */
export function Marked({ text }: { text: string }) {
  const { marker } = useLog();
  return (
    <bdi>
      {(marker?.(text) ?? [{ text, marked: false }]).map(({ text: part, marked }, index) =>
        marked ? (
          <mark key={index}>
            <Visible text={part} />
          </mark>
        ) : (
          <Visible key={index} text={part} />
        ),
      )}
    </bdi>
  );
}

/** Text that somebody else wrote, with what cannot be seen in it shown by its code. */
export function Visible({ text }: { text: string }): ComponentChildren {
  const { texts } = useLog();
  return pieces(text).map(({ text: part, code }, index) =>
    code === null ? (
      part
    ) : (
      <span key={index} class="code-point" title={texts.hiddenCharacter(code)}>
        {code}
      </span>
    ),
  );
}
