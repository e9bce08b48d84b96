import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Column, Edge } from '../api/documents.ts';
import type { ListState } from '../log/model.ts';
import { dayOf } from '../time/zone.ts';
import type { View } from '../view/view.ts';
import { useLog } from './context.ts';
import { EventRow } from './EventRow.tsx';
import { nextPage, previousPage } from './Pager.tsx';
import { RowGroup } from './RowGroup.tsx';

interface Props {
  state: ListState;
  columns: readonly Column[];
  /** Where the details stand. */
  opensBelow: boolean;
  isTwoLined: boolean;
  /** There is no room for more than the values themselves. */
  isTight: boolean;
}

const groupSize = 50;

/**
 * The rows, under the days that they are of. One of them is in the tab order at a time; arrows move between them, and
 * sideways between pages. With the details beside the list, what is open moves along.
 *
 * The roles are written out because the narrow layout takes the table apart with CSS, and browsers then forget
 * that it is one.
 */
export function EventTable({ state, columns, opensBelow, isTwoLined, isTight }: Props) {
  const log = useLog();
  const { texts, view, change, session, zone } = log;
  const { rows } = state;
  const { paging } = session.viewer.product;
  const [active, setActive] = useState(0);
  // Paper can wait for the rows. Without it, buttons are printed too.
  useEffect(() => void import('../styles/printStyle.ts').catch(() => {}), []);
  const table = useRef<HTMLTableElement>(null);
  const current = Math.min(active, rows.length - 1);
  const latest = useRef(view);
  latest.current = view;

  const toggle = useCallback(
    (_index: number, id: string) => {
      const { current: shown } = latest;
      change({ ...shown, event: shown.event === id ? null : id });
    },
    [change],
  );

  const wanted = useRef<number | null>(null);
  const focusRow = (index: number) => {
    const target = Math.max(0, Math.min(rows.length - 1, index));
    wanted.current = target;
    setActive(target);
    if (target === current) focusWanted();
    const node = rows[target]?.node;
    // What is open beside the list follows; that is no step that Back should undo.
    if (view.event && !opensBelow && node && node.id !== view.event) change({ ...view, event: node.id }, 'correction');
  };
  const focusWanted = () => {
    if (wanted.current === null) return;
    const id = rows[wanted.current]?.node.id;
    const row = [...(table.current?.querySelectorAll<HTMLElement>('tr.row') ?? [])].find(
      ({ dataset }) => dataset.id === id,
    );
    row?.querySelector<HTMLButtonElement>('.opener')?.focus();
    wanted.current = null;
  };
  useLayoutEffect(focusWanted, [active]);

  const turned = useRef(false);
  const turn = (to: Partial<View>) => {
    turned.current = true;
    change({ ...view, ...to });
  };
  useLayoutEffect(() => {
    if (!turned.current) return;
    turned.current = false;
    focusRow(0);
  }, [rows]);

  const onKeyDown = (event: KeyboardEvent) => {
    const inOpener = (event.target as HTMLElement).matches('.opener');
    if (event.key === 'Escape' && view.event) {
      const index = rows.findIndex(({ node }) => node.id === view.event);
      change({ ...view, event: null });
      if (index >= 0) {
        wanted.current = index;
        setActive(index);
        focusWanted();
      }
      return;
    }
    if (!inOpener || event.ctrlKey || event.metaKey || event.altKey) return;
    const rightToLeft = getComputedStyle(event.currentTarget as Element).direction === 'rtl';
    const forward = rightToLeft ? 'ArrowLeft' : 'ArrowRight';
    const backward = rightToLeft ? 'ArrowRight' : 'ArrowLeft';
    switch (event.key) {
      case 'ArrowDown':
        focusRow(current + 1);
        break;
      case 'ArrowUp':
        focusRow(current - 1);
        break;
      case 'Home':
        focusRow(0);
        break;
      case 'End':
        focusRow(rows.length - 1);
        break;
      case forward:
        if (paging === 'PAGES' && state.hasNext) turn(nextPage(state));
        break;
      case backward:
        if (paging === 'PAGES' && state.hasPrevious) turn(previousPage(state));
        break;
      default:
        return;
    }
    event.preventDefault();
  };

  const days = useMemo(() => rows.map(({ node }) => dayOf(Date.parse(node.occurredAt), zone)), [rows, zone]);
  const setFocused = useCallback((index: number) => setActive(index), []);
  const groups = Array.from({ length: Math.ceil(rows.length / groupSize) }, (_, group) => group * groupSize);
  const isSplit = rows.length > 3 * groupSize;
  const drawn = (start: number) =>
    rows.slice(start, start + groupSize).map(({ node }: Edge, offset) => {
      const index = start + offset;
      const day = days[index]!;
      return [
        day !== days[index - 1] && <DayRow key={`day-${index}`} day={day} columns={columns.length + 1} />,
        <EventRow
          key={node.id}
          event={node}
          index={index}
          columns={columns}
          isOpen={view.event === node.id}
          isFresh={state.fresh.has(node.id)}
          isCurrent={index === current}
          opensBelow={opensBelow}
          onToggle={toggle}
          onFocus={setFocused}
        />,
      ];
    });

  return (
    <table
      ref={table}
      role="table"
      part="table"
      aria-label={log.title}
      aria-rowcount={state.total === null ? -1 : state.total + 1}
      class={[state.isFormer && 'stale', isTwoLined && 'two-lined', isTight && 'tight'].filter(Boolean).join(' ')}
      onKeyDown={onKeyDown}
    >
      <thead role="rowgroup">
        <tr role="row" aria-rowindex={1}>
          {columns.map(({ kind, label }) => (
            <th key={kind} role="columnheader" scope="col" class={`column-${kind.toLowerCase()}`}>
              {label}
            </th>
          ))}
          <th role="columnheader" scope="col" class="opener-cell">
            <span class="unseen">{texts.details}</span>
          </th>
        </tr>
      </thead>
      {groups.map((start) => (
        <RowGroup
          key={start}
          isPinned={!isSplit || (current >= start && current < start + groupSize)}
          children={() => drawn(start)}
        />
      ))}
    </table>
  );
}

function DayRow({ day, columns }: { day: string; columns: number }) {
  const { format, now, zone } = useLog();
  const today = dayOf(now, zone);
  const word = format.dayWord(day, today);
  const date = format.longDay(day, today.slice(0, 4));
  return (
    <tr role="row" class="day">
      <td role="cell" colSpan={columns}>
        <bdi>
          {word ? (
            <>
              <strong>{word}</strong> {date}
            </>
          ) : (
            <strong>{date}</strong>
          )}
        </bdi>
      </td>
    </tr>
  );
}
