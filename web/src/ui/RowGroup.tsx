import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

interface Props {
  /** Drawn in any case, such as the rows that the keyboard is in. */
  isPinned: boolean;
  children: () => ComponentChildren;
}

/** How far beyond the window rows are drawn before they come into sight. */
const margin = '1500px 0px';

/**
 * Some rows of a long list. Far from what is in sight their place is kept, as high as they were, and they are not drawn:
 * so a list of thousands stays quick, and nothing moves under the reader.
 */
export function RowGroup({ isPinned, children }: Props) {
  const body = useRef<HTMLTableSectionElement>(null);
  const [height, setHeight] = useState<number | null>(null);
  useLayoutEffect(() => {
    const observer = new IntersectionObserver(
      (entries) => {
        const entry = entries.at(-1)!;
        if (entry.isIntersecting) setHeight(null);
        else setHeight((kept) => kept ?? entry.boundingClientRect.height);
      },
      { rootMargin: margin },
    );
    observer.observe(body.current!);
    return () => observer.disconnect();
  }, []);
  const isDrawn = isPinned || height === null;
  return (
    <tbody role="rowgroup" ref={body}>
      {isDrawn ? (
        children()
      ) : (
        <tr role="presentation" class="place">
          <td role="presentation" style={{ height: `${height}px` }} />
        </tr>
      )}
    </tbody>
  );
}
