import { useLayoutEffect, useRef } from 'preact/hooks';
import { periodPresets, recents, withDays, withPeriod } from '../view/view.ts';
import { usePart } from './context.ts';
import { periodName } from './RangePicker.tsx';

/** Minutes and days that end now, or from one minute to another. */
export function RangePanel({ onClose: close }: { onClose: () => void }) {
  const { texts, view, change, zone } = usePart();
  const isChosen = view.from !== null || view.to !== null || view.period !== null;
  const presets = useRef<HTMLDivElement>(null);
  // It may come after its panel has opened.
  useLayoutEffect(() => presets.current?.querySelector('button')?.focus(), []);
  return (
    <>
      <div class="presets" ref={presets}>
        {[null, ...recents, ...periodPresets].map((period) => (
          <button
            key={period ?? 'any'}
            type="button"
            class="option"
            aria-pressed={period === null ? !isChosen : view.period === period && !view.from && !view.to}
            onClick={() => {
              change(withPeriod(view, period));
              close();
            }}
          >
            {period === null ? texts.anyTime : periodName(texts, period)}
          </button>
        ))}
      </div>
      <form
        class="limits"
        onSubmit={(event) => {
          event.preventDefault();
          close();
        }}
      >
        <LimitFields
          day={texts.from}
          time={texts.fromTime}
          value={view.from}
          onChange={(from) => change(withDays(view, from, view.to))}
        />
        <LimitFields
          day={texts.to}
          time={texts.toTime}
          value={view.to}
          onChange={(to) => change(withDays(view, view.from, to))}
        />
        <p class="aside">
          {texts.rangeHelp} <bdi>{texts.timesIn(zone)}</bdi>
        </p>
      </form>
    </>
  );
}

interface LimitProps {
  day: string;
  time: string;
  value: string | null;
  onChange: (limit: string | null) => void;
}

/** A day, and a time of it where the whole day is too much. */
function LimitFields({ day, time, value, onChange }: LimitProps) {
  const [date = '', clock = ''] = value?.split('T') ?? [];
  return (
    <div class="limit">
      <label class="field">
        <span>{day}</span>
        <input
          type="date"
          min="1900-01-01"
          max="9999-12-31"
          value={date}
          onChange={(event) => {
            const { value: chosen, validity } = event.currentTarget;
            if (validity.valid) onChange(chosen ? (clock ? `${chosen}T${clock}` : chosen) : null);
          }}
        />
      </label>
      <label class="field time">
        <span class="unseen">{time}</span>
        <input
          type="time"
          value={clock}
          disabled={!date}
          onChange={(event) => {
            const { value: chosen, validity } = event.currentTarget;
            if (validity.valid && date) onChange(chosen ? `${date}T${chosen.slice(0, 5)}` : date);
          }}
        />
      </label>
    </div>
  );
}
