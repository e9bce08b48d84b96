import { useEffect, useState } from 'preact/hooks';
import { totalQuery } from '../api/documents.ts';
import { asked } from '../view/locked.ts';
import { questionFor } from '../view/request.ts';
import { spelled } from '../words/visible.ts';
import { narrowings } from './Chips.tsx';
import { useLog } from './context.ts';
import { Message } from './states.tsx';

/** More than these are no help, and each is a count. */
const mostOffered = 5;

/** Nothing is left of the list: which filter to drop, and what there would be without it. */
export function NothingMatches() {
  const log = useLog();
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
