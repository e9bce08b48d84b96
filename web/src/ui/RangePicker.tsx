import { dayOf } from '../time/zone.ts';
import { isRecent, periodPresets, recents, withDays, withPeriod, type Period } from '../view/view.ts';
import { useLog, type LogContext } from './context.ts';
import { MenuButton } from './MenuButton.tsx';

/** What the list is limited to in time, in words; null for nothing. */
export function rangeName(log: LogContext): string | null {
  const { view, texts } = log;
  const { from, to, period } = view;
  if (from || to) return spanWords(log, from, to);
  return period && periodName(texts, period);
}

/** A range in words, without the year where all of it is this one. */
export function spanWords({ texts, format, now, zone }: LogContext, from: string | null, to: string | null): string {
  const year = dayOf(now, zone).slice(0, 4);
  const isThisYear = [from, to].every((limit) => limit === null || limit.startsWith(year));
  const limit = (one: string) => format.limit(one, isThisYear ? year : undefined);
  if (from && to) return from === to ? limit(from) : texts.between(limit(from), limit(to));
  if (from) return texts.since(limit(from));
  return to ? texts.until(limit(to)) : texts.anyTime;
}

const periodName = (texts: LogContext['texts'], period: Period): string =>
  isRecent(period) ? texts.recents[period] : texts.periods[period];

/** When: minutes and days that end now, or from one minute to another. */
export function RangePicker() {
  const log = useLog();
  const { texts, view, change, zone } = log;
  const name = rangeName(log) ?? texts.anyTime;
  const isChosen = view.from !== null || view.to !== null || view.period !== null;
  return (
    <MenuButton
      class={isChosen ? 'button range chosen' : 'button range'}
      label={
        <>
          <bdi>{name}</bdi>
          <span class="caret" aria-hidden="true" />
        </>
      }
      name={`${texts.range}: ${name}`}
      panelName={texts.range}
      panelClass="range-panel"
    >
      {(close) => (
        <>
          <div class="presets">
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
      )}
    </MenuButton>
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
