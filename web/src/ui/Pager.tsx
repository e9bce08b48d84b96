import type { ListState, LogModel } from '../log/model.ts';
import { isLocalZoneKnown } from '../time/zone.ts';
import type { LogContext } from './context.ts';
import { useLog } from './context.ts';

export const previousPage = (state: ListState) => ({ after: null, before: state.rows[0]?.cursor ?? null, event: null });
export const nextPage = (state: ListState) => ({ before: null, after: state.rows.at(-1)?.cursor ?? null, event: null });

/** Which events of the list are in sight: "26 to 50 of 298"; only what is known. */
export function positionOf({ texts, format }: LogContext, { offset, rows, total }: ListState): string {
  if (offset === null || rows.length === 0) return '';
  const all = total === null ? null : format.number(Math.max(total, offset + rows.length));
  return texts.rangeOf(format.number(offset + 1), format.number(offset + rows.length), all);
}

/** Where one is in the list, and the ways on: Previous and Next, or one button for more, as the product wants it. */
export function Pager({ state, model }: { state: ListState; model: LogModel }) {
  const log = useLog();
  const { texts, view, change, session } = log;
  const paged = session.viewer.product.paging === 'PAGES';
  if (state.rows.length === 0) return null;
  return (
    <footer class="pager" part="footer">
      <nav aria-label={texts.paging}>
        <bdi class="position">{positionOf(log, state)}</bdi>
        {paged ? (
          <>
            <PageButton
              label={texts.previous}
              enabled={state.hasPrevious}
              onClick={() => change({ ...view, ...previousPage(state) })}
            />
            <PageButton
              label={texts.next}
              enabled={state.hasNext}
              onClick={() => change({ ...view, ...nextPage(state) })}
            />
          </>
        ) : (
          state.hasNext && (
            <button type="button" class="button" onClick={() => void model.loadMore('older')}>
              {texts.loadMore}
            </button>
          )
        )}
      </nav>
    </footer>
  );
}

/** The zone of all times on the page, said once; and how to read it in one's own. */
export function ZoneNote() {
  const { texts, view, change, zone, config } = useLog();
  const isForeign = view.zone !== null && view.zone !== config.zone;
  const isGuess = !isForeign && zone === 'UTC' && !isLocalZoneKnown();
  return (
    <span class="zone">
      <bdi>{texts.timesIn(zone)}</bdi>
      {isGuess && <span> {texts.zoneUnknown}</span>}
      {isForeign && (
        <button type="button" class="link" onClick={() => change({ ...view, zone: null, after: null, before: null })}>
          {texts.useOwnZone(config.zone)}
        </button>
      )}
    </span>
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
