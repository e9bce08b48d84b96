import type { RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Column } from '../api/documents.ts';

type Kind = Column['kind'];

/** What a column needs to be read, in CSS pixels at the usual text size. */
const needs: Record<Kind, number> = {
  TIME: 84,
  ACTOR: 150,
  ACTION: 160,
  RESOURCE: 130,
  DETAILS: 220,
  LOG: 120,
  OUTCOME: 100,
  IP_ADDRESS: 120,
  // It says what the action says once more, so it waits until the others have room.
  CATEGORY: 200,
};
const openerNeeds = 32;
/** Where there is no room for all, these go first; who did what and when always stays. */
const dropped: readonly Kind[] = ['CATEGORY', 'IP_ADDRESS', 'OUTCOME', 'DETAILS', 'LOG', 'RESOURCE'];

/** Narrower lists have two lines an event: a log of 560 pixels has a table, within its borders. */
export const tableFrom = 556;
/** Narrower tables leave out what somebody is beside who it is. */
export const kindsFrom = 800;
/** Wider logs have the details beside the list. */
export const panelFrom = 960;

/** The columns that a list of that width has room for, in the product's order. */
export function columnsFor(columns: readonly Column[], width: number): readonly Column[] {
  if (width < tableFrom) return columns;
  let room = width - openerNeeds - columns.reduce((sum, { kind }) => sum + needs[kind], 0);
  const gone = new Set<Kind>();
  for (const kind of dropped) {
    if (room >= 0) break;
    if (!columns.some((column) => column.kind === kind)) continue;
    gone.add(kind);
    room += needs[kind];
  }
  return gone.size === 0 ? columns : columns.filter(({ kind }) => !gone.has(kind));
}

/** Calls `measure` now, and whenever the size of an element changes; the element may come later, or be another one. */
export function useSize(find: () => HTMLElement | null, measure: (element: HTMLElement) => void): void {
  const observed = useRef<{ element: HTMLElement; observer: ResizeObserver } | null>(null);
  useLayoutEffect(() => {
    const element = find();
    if (element === observed.current?.element) return;
    observed.current?.observer.disconnect();
    observed.current = null;
    if (!element) return;
    const observer = new ResizeObserver(() => measure(element));
    observed.current = { element, observer };
    observer.observe(element);
    measure(element);
  });
  useLayoutEffect(() => () => observed.current?.observer.disconnect(), []);
}

/** The width of an element in CSS pixels, of text of the usual size: where text is larger, less fits. */
export function useWidth(of: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(1024);
  useSize(
    () => of.current,
    (element) => setWidth((element.clientWidth * 14) / (parseFloat(getComputedStyle(element).fontSize) || 14)),
  );
  return width;
}
