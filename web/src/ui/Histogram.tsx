import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Bar } from '../log/buckets.ts';
import type { ListState } from '../log/model.ts';
import type { Count } from '../texts/count.ts';
import { withPart } from '../view/view.ts';
import { usePart, type LogContext } from './context.ts';
import { barsOf, heightsOf, isOutside, spanOf } from './histogram.ts';
import { DrawingPlace } from './places.tsx';
import { spanWords } from './RangePicker.tsx';
import '../styles/barsStyle.ts';

const narrow = 600;
const nothing = { days: [], failedDays: [], buckets: null };

/** What is drawn: the hours of a short time, else the days of the span, as many bars as can be told apart. */
function useBars(state: ListState | null, width: number): readonly Bar[] {
  const { view, zone, now } = usePart();
  const span = spanOf(view, zone, now);
  const most = width < narrow ? 46 : 92;
  const { days, failedDays, buckets } = state ?? nothing;
  return useMemo(
    () => buckets ?? barsOf(days, failedDays, span.from, span.to, most),
    [buckets, days, failedDays, span.from, span.to, most],
  );
}

/** The time that is drawn, in words. */
function spanName(log: LogContext, bars: readonly Bar[]): string | null {
  const [first, last] = [bars[0], bars.at(-1)];
  return first && last ? spanWords(log, first.from, last.to) : null;
}

/** Near an edge it would be cut off. */
const tipAt = (along: number) => (along < 0.15 ? ' at-start' : along > 0.85 ? ' at-end' : '');

interface Props {
  state: ListState | null;
  width: number;
  /** Told the time that is drawn, in words; null while there is nothing to draw. */
  onSpan: (span: string | null) => void;
}

/**
 * How many events there were over time, and how many failed. Dragging over the bars chooses a range, a click one bar; the
 * fields of the range do the same without a pointer, so the drawing itself is an image to assistive technology.
 */
export function Histogram({ state, width, onSpan }: Props) {
  const log = usePart();
  const { texts, format, view, change } = log;
  const bars = useBars(state, width);
  const span = spanName(log, bars);
  useLayoutEffect(() => onSpan(span), [span]);
  const { heights, most, isRoot } = useMemo(() => heightsOf(bars), [bars]);
  const [brush, setBrush] = useState<{ start: number; end: number } | null>(null);
  const [pointed, setPointed] = useState<number | null>(null);
  const drawing = useRef<HTMLDivElement>(null);

  const first = bars[0];
  const last = bars.at(-1);
  if (!first || !last) return <DrawingPlace />;

  const isStale = state?.isCounting ?? true;
  const sum = (of: (bar: Bar) => number) => bars.reduce((total, bar) => total + of(bar), 0);
  const isRightToLeft = () => getComputedStyle(drawing.current!).direction === 'rtl';
  const barAt = (event: PointerEvent): number => {
    const { left, right, width } = drawing.current!.getBoundingClientRect();
    const along = isRightToLeft() ? right - event.clientX : event.clientX - left;
    return Math.max(0, Math.min(bars.length - 1, Math.floor((along / width) * bars.length)));
  };
  const [start, end] = brush ? [Math.min(brush.start, brush.end), Math.max(brush.start, brush.end)] : [-1, -1];
  const finish = () => {
    if (!brush) return;
    setBrush(null);
    change(withPart(view, bars[start]!.from, bars[end]!.to));
  };
  const name = (bar: Bar) => texts.histogramBar(format.limit(bar.from), format.limit(bar.to));
  const shown = pointed === null ? undefined : bars[pointed];
  const middle = bars[Math.floor((bars.length - 1) / 2)]!;
  const isOfSeveralDays = first.from.slice(0, 10) !== last.to.slice(0, 10);
  const tick = (limit: string) => (limit.includes('T') ? format.clock(limit, isOfSeveralDays) : format.shortDay(limit));

  return (
    <figure class={isStale ? 'drawing stale' : 'drawing'} aria-label={texts.histogram}>
      <div class="scale" aria-hidden="true">
        <bdi title={isRoot ? texts.histogramTop(format.number(most)) : undefined}>
          {isStale ? '' : `${isRoot ? '√ ' : ''}${format.number(most)}`}
        </bdi>
      </div>
      <div
        ref={drawing}
        class="bars"
        role="img"
        aria-label={
          isStale
            ? texts.counting
            : texts.histogramSummary(
                texts.histogramCount(format.count(sum(({ count }) => count)), failedOf(sum(({ failed }) => failed))),
                format.limit(first.from),
                format.limit(last.to),
              )
        }
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          drawing.current!.setPointerCapture(event.pointerId);
          setBrush({ start: barAt(event), end: barAt(event) });
        }}
        onPointerMove={(event) => {
          setPointed(barAt(event));
          if (brush) setBrush({ ...brush, end: barAt(event) });
        }}
        onPointerLeave={() => setPointed(null)}
        onPointerUp={finish}
        onPointerCancel={() => setBrush(null)}
      >
        {bars.map((bar, index) => {
          const isIn = brush ? index >= start && index <= end : !isOutside(bar, view);
          const isPart = brush !== null || view.from !== null || view.to !== null;
          return (
            <span key={bar.from} class={`bar${isPart ? (isIn ? ' chosen' : ' outside') : ''}`}>
              <span class="count" style={{ height: `${heights[index]! * 100}%` }}>
                {bar.failed > 0 && (
                  <span class="failed" style={{ height: `${(bar.failed / Math.max(bar.count, bar.failed)) * 100}%` }} />
                )}
              </span>
            </span>
          );
        })}
        {shown && !isStale && (
          <div
            class={`tip${tipAt(pointed! / bars.length)}`}
            style={{ insetInlineStart: `${((pointed! + 0.5) / bars.length) * 100}%` }}
            aria-hidden="true"
          >
            <strong>
              <bdi>{name(shown)}</bdi>
            </strong>
            <bdi>{texts.histogramCount(format.count(shown.count), failedOf(shown.failed))}</bdi>
          </div>
        )}
      </div>
      <figcaption aria-hidden="true">
        <bdi>{tick(first.from)}</bdi>
        <bdi>{tick(middle.from)}</bdi>
        <bdi>{tick(last.from)}</bdi>
      </figcaption>
    </figure>
  );

  function failedOf(failed: number): Count | null {
    return failed > 0 ? format.count(failed) : null;
  }
}
