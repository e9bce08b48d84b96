import type { ListState, LogModel } from '../log/model.ts';
import { useLog } from './context.ts';

export const previousPage = (state: ListState) => ({ after: null, before: state.rows[0]?.cursor ?? null, event: null });
export const nextPage = (state: ListState) => ({ before: null, after: state.rows.at(-1)?.cursor ?? null, event: null });

/** Previous and Next with the count of pages, or one button for more, as the product wants it. */
export function Pager({ state, model }: { state: ListState; model: LogModel }) {
  const { texts, format, view, change, session, zone, config } = useLog();
  const paged = session.viewer.product.paging === 'PAGES';
  const { rows, total, page, pages } = state;
  const number = format.number;

  return (
    <footer class="pager">
      {rows.length > 0 && (
        <nav aria-label={texts.paging}>
          {paged ? (
            <>
              <PageButton
                label={texts.previous}
                enabled={state.hasPrevious}
                onClick={() => change({ ...view, ...previousPage(state) })}
              />
              <bdi class="position">
                {page !== null &&
                  pages !== null &&
                  total !== null &&
                  texts.pageOf(number(page), number(Math.max(pages, 1)), number(total))}
              </bdi>
              <PageButton
                label={texts.next}
                enabled={state.hasNext}
                onClick={() => change({ ...view, ...nextPage(state) })}
              />
            </>
          ) : (
            <>
              {state.hasNext && (
                <button type="button" class="button" onClick={() => void model.loadMore('older')}>
                  {texts.loadMore}
                </button>
              )}
              {total !== null && <bdi class="position">{texts.shownOf(number(rows.length), number(total))}</bdi>}
            </>
          )}
        </nav>
      )}
      <p class="zone">
        <bdi>{texts.timesIn(zone)}</bdi>
        {view.zone && view.zone !== config.zone && (
          <button type="button" class="link" onClick={() => change({ ...view, zone: null, after: null, before: null })}>
            {texts.useOwnZone(config.zone)}
          </button>
        )}
      </p>
    </footer>
  );
}

interface PageButtonProps {
  label: string;
  enabled: boolean;
  onClick: () => void;
}

/** Not `disabled` at the last page: the browser would drop the focus of whoever has just pressed it. */
function PageButton({ label, enabled, onClick }: PageButtonProps) {
  return (
    <button
      type="button"
      class="button"
      aria-disabled={!enabled}
      onClick={(event) => {
        if (!enabled) return;
        onClick();
        // The next page is read from its first row.
        const results = (event.currentTarget.getRootNode() as ShadowRoot).querySelector('.results');
        if (results && results.getBoundingClientRect().top < 0) results.scrollIntoView();
      }}
    >
      {label}
    </button>
  );
}
