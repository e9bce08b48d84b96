import { useEffect, useState } from 'preact/hooks';
import { totalQuery } from '../api/later.ts';
import { asked } from '../view/locked.ts';
import { questionFor } from '../view/request.ts';
import { refine, withDays, withPeriod } from '../view/view.ts';
import { spelled } from '../words/visible.ts';
import { chipsOf, wordChips, wordFor, type Chip } from './Chips.tsx';
import { usePart, type LogContext } from './context.ts';
import { filterWords } from './names.ts';
import { rangeName } from './RangePicker.tsx';
import { Message } from './states.tsx';

/** More than these are no help, and each is a count. */
const mostOffered = 5;

/** Nothing is left of the list: which filter to drop, and what there would be without it. */
export function NothingMatches() {
  const log = usePart();
  const { texts, format, config, view, change, clear } = log;
  const offered = narrowings(log).slice(0, mostOffered);
  const [totals, setTotals] = useState<ReadonlyMap<string, number>>(new Map());
  const key = JSON.stringify(view);
  useEffect(() => {
    const stopped = new AbortController();
    setTotals(new Map());
    for (const { name, value, without } of offered) {
      const question = questionFor(asked(without, config.locked), config.organization, config.zone, Date.now());
      config.client.ask(totalQuery, question, stopped.signal).then(
        ({ auditEvents }) => {
          if (auditEvents) setTotals((known) => new Map(known).set(`${name}:${value}`, auditEvents.totalCount));
        },
        // Without its number it can still be dropped.
        () => {},
      );
    }
    return () => stopped.abort();
  }, [key]);
  return (
    <Message title={texts.nothingTitle} text={texts.nothingText}>
      {offered.length > 1 && (
        <ul class="narrowings">
          {offered.map(({ name, value, without }) => {
            const total = totals.get(`${name}:${value}`);
            return (
              <li key={`${name}:${value}`}>
                <button type="button" class="button" onClick={() => change(without)}>
                  <bdi>{texts.withoutFilter(spelled(`${name}: ${value}`))}</bdi>
                  {total !== undefined && (
                    <span class="badge">
                      <bdi>{texts.results(format.count(total))}</bdi>
                    </span>
                  )}
                </button>
              </li>
            );
          })}
        </ul>
      )}
      <button type="button" class="button" onClick={clear}>
        {texts.clearFilters}
      </button>
    </Message>
  );
}

/** Whatever narrows the list, words and dates too: which of it to drop where nothing is left. */
function narrowings(log: LogContext): Chip[] {
  const { view, texts } = log;
  const all = [...wordChips(log), ...chipsOf(log)];
  if (view.emailContains && !filterWords(log, 'SEARCH')) {
    const without = refine(view, { emailContains: '' });
    all.push({ name: wordFor(log, 'EMAIL', texts.email), value: view.emailContains, without });
  }
  const range = rangeName(log);
  if (range) {
    const isPart = view.period !== null && (view.from !== null || view.to !== null);
    const without = isPart ? refine(view, { from: null, to: null }) : withPeriod(withDays(view, null, null), null);
    all.push({ name: texts.range, value: range, without });
  }
  return all;
}
