import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Edge } from '../api/documents.ts';
import type { ListState } from '../log/model.ts';
import { showsSeveralLogs } from '../view/shown.ts';
import type { View } from '../view/view.ts';
import { Cell } from './Cell.tsx';
import { useLog } from './context.ts';
import { Details } from './Details.tsx';
import { nextPage, previousPage } from './Pager.tsx';

interface Props {
  rows: readonly Edge[];
  state: ListState;
}

/**
 * The rows. One of them is in the tab order at a time; arrows move between them, and sideways between pages.
 *
 * The roles are written out because the narrow layout turns rows into cards with CSS, and browsers then forget
 * that a table is one.
 */
export function EventTable({ rows, state }: Props) {
  const log = useLog();
  const { texts, view, change, session } = log;
  const { columns: all, paging } = session.viewer.product;
  // Of one log alone, a column that says which would say the same in every row.
  const columns = showsSeveralLogs(session.viewer, log.asked.log) ? all : all.filter(({ kind }) => kind !== 'LOG');
  const [active, setActive] = useState(0);
  const body = useRef<HTMLTableSectionElement>(null);
  const current = Math.min(active, rows.length - 1);

  const toggle = (id: string) => change({ ...view, event: view.event === id ? null : id });
  const focusRow = (index: number) => {
    const target = Math.max(0, Math.min(rows.length - 1, index));
    setActive(target);
    body.current?.querySelectorAll<HTMLButtonElement>('.opener')[target]?.focus();
  };

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
      if (index >= 0) focusRow(index);
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

  return (
    <table role="table" aria-label={log.title} class={state.status === 'refreshing' ? 'stale' : ''}>
      <thead role="rowgroup">
        <tr role="row">
          <th role="columnheader" scope="col" class="opener-cell">
            <span class="unseen">{texts.details}</span>
          </th>
          {columns.map(({ kind, label }) => (
            <th key={kind} role="columnheader" scope="col" class={`column-${kind.toLowerCase()}`}>
              {label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup" ref={body} onKeyDown={onKeyDown}>
        {rows.map(({ node }, index) => {
          const open = view.event === node.id;
          const detailsId = `details-${node.id}`;
          return [
            <tr
              key={node.id}
              role="row"
              class={open ? 'row open' : 'row'}
              onClick={(event) => {
                // Selecting text inside a row, or following what is in it, is not asking for the row.
                if ((event.target as HTMLElement).closest('button, a') || getSelection()?.toString()) return;
                setActive(index);
                toggle(node.id);
              }}
            >
              <td role="cell" class="opener-cell">
                <button
                  type="button"
                  class="opener"
                  tabIndex={index === current ? 0 : -1}
                  aria-expanded={open}
                  aria-controls={open ? detailsId : undefined}
                  aria-label={texts.openRow(node.actionLabel)}
                  onFocus={() => setActive(index)}
                  onClick={() => toggle(node.id)}
                >
                  <span class="chevron" aria-hidden="true" />
                </button>
              </td>
              {columns.map(({ kind, label }) => (
                <td key={kind} role="cell" data-label={label} class={`column-${kind.toLowerCase()}`}>
                  <Cell kind={kind} event={node} />
                </td>
              ))}
            </tr>,
            open && (
              <tr key={detailsId} role="row" class="details-row">
                <td role="cell" colSpan={columns.length + 1} id={detailsId}>
                  <Details event={node} />
                </td>
              </tr>
            ),
          ];
        })}
      </tbody>
    </table>
  );
}
