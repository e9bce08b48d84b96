import { segments } from '../words/search.ts';
import { useLog } from './context.ts';

/** Text of a record: isolated from the page's writing direction, with what the search found marked. */
export function Marked({ text }: { text: string }) {
  const { marker } = useLog();
  return (
    <bdi>
      {segments(text, marker).map(({ text: part, marked }, index) => (marked ? <mark key={index}>{part}</mark> : part))}
    </bdi>
  );
}
