import { Component } from 'preact';
import { useContext } from 'preact/hooks';
import type { AuditEvent, Column } from '../api/documents.ts';
import { spelled } from '../words/visible.ts';
import { actorTitle, Cell, OutcomeMark, resourceTitle } from './Cell.tsx';
import { Log, type LogContext } from './context.ts';
import { Details } from './parts.ts';

export interface RowProps {
  event: AuditEvent;
  index: number;
  columns: readonly Column[];
  isOpen: boolean;
  isFresh: boolean;
  /** The one row that is in the tab order. */
  isCurrent: boolean;
  /** Where its details stand: below it, or in the panel beside the list. */
  opensBelow: boolean;
  onToggle: (index: number, id: string) => void;
  onFocus: (index: number) => void;
}

interface Cached extends RowProps {
  log: LogContext;
}

/** One event. It is drawn again only when something of it changed: a list may hold thousands. */
export function EventRow(props: RowProps) {
  const log = useContext(Log);
  return <CachedRow {...props} log={log} />;
}

class CachedRow extends Component<Cached> {
  override shouldComponentUpdate(next: Cached): boolean {
    const before = this.props;
    const isSame =
      next.event === before.event &&
      next.index === before.index &&
      next.columns === before.columns &&
      next.isOpen === before.isOpen &&
      next.isFresh === before.isFresh &&
      next.isCurrent === before.isCurrent &&
      next.opensBelow === before.opensBelow &&
      next.log.format === before.log.format &&
      next.log.marker === before.log.marker &&
      next.log.texts === before.log.texts &&
      next.log.session === before.log.session &&
      next.log.now === before.log.now;
    // Its details show what is filtered by.
    return !isSame || (next.isOpen && next.opensBelow);
  }

  override render({ event, index, columns, isOpen, isFresh, isCurrent, opensBelow, onToggle, onFocus, log }: Cached) {
    const { texts, format } = log;
    const detailsId = `details-${event.id}`;
    const markedColumn = columns.find(({ kind }) => kind === 'ACTION') ?? columns[0];
    const [resource] = event.resources;
    const outcome = event.outcome === 'FAILURE' ? texts.failed : event.outcome === 'ACCEPTED' ? texts.accepted : null;
    const what = [outcome, event.actionLabel, actorTitle(event.actor), resource && resourceTitle(resource)];
    const name = spelled([...what, format.instant(event.occurredAt)].filter(Boolean).join(', '));
    const state = `row${isOpen ? ' open' : ''}${isFresh ? ' fresh' : ''}${event.outcome === 'FAILURE' ? ' failed' : ''}`;
    return (
      <>
        <tr
          role="row"
          aria-rowindex={index + 2}
          class={state}
          part="row"
          data-id={event.id}
          onClick={(click) => {
            // Selecting text inside a row, or following what is in it, is not asking for the row.
            if ((click.target as HTMLElement).closest('button, a') || getSelection()?.toString()) return;
            onFocus(index);
            onToggle(index, event.id);
          }}
        >
          {columns.map((column) => (
            <td key={column.kind} role="cell" data-label={column.label} class={`column-${column.kind.toLowerCase()}`}>
              <span class="line">
                {column === markedColumn && <OutcomeMark outcome={event.outcome} />}
                <Cell kind={column.kind} event={event} />
              </span>
            </td>
          ))}
          <td role="cell" class="opener-cell">
            <button
              type="button"
              class="opener"
              tabIndex={isCurrent ? 0 : -1}
              aria-expanded={isOpen}
              aria-controls={isOpen ? detailsId : undefined}
              aria-label={texts.openRow(name)}
              onFocus={() => onFocus(index)}
              onClick={() => onToggle(index, event.id)}
            >
              <span class="chevron" aria-hidden="true" />
            </button>
          </td>
        </tr>
        {isOpen && opensBelow && (
          <tr role="row" class="details-row">
            <td role="cell" colSpan={columns.length + 1} id={detailsId}>
              <Details event={event} />
            </td>
          </tr>
        )}
      </>
    );
  }
}
