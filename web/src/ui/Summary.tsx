import { useRef, useState } from 'preact/hooks';
import type { ListState, LogModel } from '../log/model.ts';
import { withPart } from '../view/view.ts';
import { useLog, type LogContext } from './context.ts';
import { ZoneNote } from './Pager.tsx';
import { Histogram } from './parts.ts';
import { rangeName } from './RangePicker.tsx';
import { DrawingPlace } from './places.tsx';

/** How many events the list has; what is said while, and where, that is not known. */
export function countName({ texts, format }: LogContext, state: ListState): string {
  const { total, isCounting, rows, offset, hasNext } = state;
  if (total !== null) return texts.results(format.count(total));
  if (isCounting || state.isFormer || state.status === 'loading') return texts.counting;
  // Where nobody knows what stands above, there may be more there too.
  const seen = (offset ?? 0) + rows.length;
  return hasNext || offset === null ? texts.notCounted(format.count(seen)) : texts.results(format.count(seen));
}

interface Props {
  state: ListState | null;
  model: LogModel;
  withDays: boolean;
  width: number;
}

/** The count and the range on top, and what both look like over time. */
export function Summary({ state, model, withDays, width }: Props) {
  const log = useLog();
  const { texts, view, change } = log;
  // What is drawn waits for the first rows.
  const isDrawn = useRef(false);
  isDrawn.current ||= state !== null && state.status !== 'loading';
  const [span, setSpan] = useState<string | null>(null);
  const range = rangeName(log) ?? (withDays ? span : null);
  const fault = state?.countFault ?? null;
  const isPart = view.period !== null && (view.from !== null || view.to !== null);
  const isShort = state && !state.hasNext && state.offset !== null && !state.isFormer && state.status === 'ready';
  return (
    <div class="histogram" part="histogram">
      <div class="summary-line">
        <strong class="total">
          {/* A text that is not understood has no number. */}
          {!state?.fault?.isOfQuery && <bdi>{state ? countName(log, state) : texts.counting}</bdi>}
        </strong>
        {fault && !isShort && !fault.isOfQuery && (
          <span class="not-counted">
            {fault.mayPass
              ? fault.kind === 'offline'
                ? texts.notCountedBecause.offline
                : texts.notCountedBecause.busy
              : texts.notCountedBecause.other}{' '}
            <button type="button" class="link" onClick={() => model.recount()}>
              {texts.countAgain}
            </button>
          </span>
        )}
        <span class="span">
          {range && (
            <span>
              <bdi>{range}</bdi>
            </span>
          )}
          {isPart && (
            <button type="button" class="link" onClick={() => change(withPart(view, null, null))}>
              {texts.wholeRange}
            </button>
          )}
          <ZoneNote />
        </span>
      </div>
      {withDays && (isDrawn.current ? <Histogram state={state} width={width} onSpan={setSpan} /> : <DrawingPlace />)}
    </div>
  );
}
