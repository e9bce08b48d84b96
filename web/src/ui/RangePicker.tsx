import { dayOf } from '../time/zone.ts';
import { isRecent, type Period } from '../view/view.ts';
import { useLog, type LogContext } from './context.ts';
import { MenuButton } from './MenuButton.tsx';
import { RangePanel } from './parts.ts';

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

export const periodName = (texts: LogContext['texts'], period: Period): string =>
  isRecent(period) ? texts.recents[period] : texts.periods[period];

/** When: minutes and days that end now, or from one minute to another. */
export function RangePicker() {
  const log = useLog();
  const { texts, view } = log;
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
      {(close) => <RangePanel onClose={close} />}
    </MenuButton>
  );
}
