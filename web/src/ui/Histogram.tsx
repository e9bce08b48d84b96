import { useMemo, useRef, useState } from 'preact/hooks';
import type { DayCount } from '../api/documents.ts';
import { withDays } from '../view/view.ts';
import { useLog } from './context.ts';
import { barsOf, chosenDays } from './histogram.ts';

const height = 48;
/** A few days are drawn as a few bars, not as blocks as wide as the page. */
const widestBarRem = 3;
const leastCaptionRem = 16;
/** Narrower drawings have no room for a hint between their dates. */
const hintFrom = 14;

/**
 * How many events each day had. Dragging over the bars chooses a range, a click one bar; the date fields do
 * the same without a pointer, so the drawing itself is an image to assistive technology.
 */
export function Histogram({ days }: { days: readonly DayCount[] }) {
  const { texts, format, view, zone, now, change } = useLog();
  const chosen = chosenDays(view, zone, now);
  const bars = useMemo(() => barsOf(days, chosen.from, chosen.to), [days, chosen.from, chosen.to]);
  const [brush, setBrush] = useState<{ start: number; end: number } | null>(null);
  const drawing = useRef<SVGSVGElement>(null);

  const first = bars[0];
  const last = bars.at(-1);
  // The place is kept while there is nothing to draw, so that the table below does not jump.
  if (!first || !last) return <div class="histogram" />;

  const most = Math.max(1, ...bars.map(({ count }) => count));
  const total = bars.reduce((sum, { count }) => sum + count, 0);
  const barAt = (event: PointerEvent): number => {
    const { left, width } = drawing.current!.getBoundingClientRect();
    return Math.max(0, Math.min(bars.length - 1, Math.floor(((event.clientX - left) / width) * bars.length)));
  };
  const finish = () => {
    if (!brush) return;
    const [start, end] = [Math.min(brush.start, brush.end), Math.max(brush.start, brush.end)];
    setBrush(null);
    change(withDays(view, bars[start]!.from, bars[end]!.to));
  };
  const isOutside = (from: string, to: string) =>
    (chosen.from !== null && to < chosen.from) || (chosen.to !== null && from > chosen.to);

  return (
    <figure class="histogram" aria-label={texts.histogram}>
      <svg
        ref={drawing}
        style={{ maxWidth: `${bars.length * widestBarRem}rem` }}
        role="img"
        aria-label={texts.histogramSummary(format.number(total), format.day(first.from), format.day(last.to))}
        viewBox={`0 0 ${bars.length} ${height}`}
        preserveAspectRatio="none"
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          drawing.current!.setPointerCapture(event.pointerId);
          setBrush({ start: barAt(event), end: barAt(event) });
        }}
        onPointerMove={(event) => brush && setBrush({ ...brush, end: barAt(event) })}
        onPointerUp={finish}
        onPointerCancel={() => setBrush(null)}
      >
        {bars.map(({ from, to, count }, index) => {
          const size = count === 0 ? 0 : Math.max(2, (count / most) * height);
          return (
            <g key={from} class={isOutside(from, to) ? 'bar outside' : 'bar'}>
              <title>{texts.histogramBar(format.day(from), format.day(to), format.number(count))}</title>
              <rect class="room" x={index} y={0} width={1} height={height} />
              <rect class="count" x={index + 0.08} y={height - size} width={0.84} height={size} />
            </g>
          );
        })}
        {brush && (
          <rect
            class="brush"
            x={Math.min(brush.start, brush.end)}
            y={0}
            width={Math.abs(brush.end - brush.start) + 1}
            height={height}
          />
        )}
      </svg>
      <figcaption style={{ maxWidth: `${Math.max(bars.length * widestBarRem, leastCaptionRem)}rem` }}>
        <bdi>{format.day(first.from)}</bdi>
        {bars.length >= hintFrom && <span class="hint">{texts.histogramHint}</span>}
        {last.to !== first.from && <bdi>{format.day(last.to)}</bdi>}
      </figcaption>
    </figure>
  );
}
