import type { Client } from '../api/client.ts';
import {
  newerQuery,
  overviewQuery,
  pageQuery,
  type DayCount,
  type Edge,
  type Overview,
  type Page,
  type PageVariables,
} from '../api/documents.ts';
import { Fault } from '../api/fault.ts';
import { questionFor, type Question } from '../view/request.ts';
import { questionOf, type View } from '../view/view.ts';

/** Rows kept when a product loads more instead of turning pages; older screens are asked for again. */
const windowSize = 400;
/** What the server gives at most in one answer: "100+ new" beyond. */
export const newerLimit = 100;

export interface ListState {
  rows: readonly Edge[];
  hasNext: boolean;
  hasPrevious: boolean;
  total: number | null;
  page: number | null;
  pages: number | null;
  overview: Overview | null;
  days: readonly DayCount[];
  /** `loading` has no rows to show yet; `refreshing` still shows the former ones. */
  status: 'loading' | 'refreshing' | 'ready';
  fault: Fault | null;
  newer: number;
}

const initial: ListState = {
  rows: [],
  hasNext: false,
  hasPrevious: false,
  total: null,
  page: null,
  pages: null,
  overview: null,
  days: [],
  status: 'loading',
  fault: null,
  newer: 0,
};

export interface ModelOptions {
  client: Client;
  organization: string | null;
  zone: string;
  pageSize: number;
  /** Whether the product counts pages, or loads more. */
  paged: boolean;
  onChange: (state: ListState) => void;
  /** A link whose cursor no longer fits: the list starts again from the first page. */
  onStaleCursor: () => void;
}

/**
 * The list on the screen. Every change of the view goes through `show`; an answer to a question that is no
 * longer asked is thrown away by its signal, so a slow answer never overwrites a later one.
 */
export class LogModel {
  private state = initial;
  private view: View | null = null;
  private asked = new AbortController();
  private counted = new AbortController();
  /** First cursor of the first page: events before it are news. Null inside brackets: the list was empty. */
  private top: { cursor: string | null } | null = null;

  constructor(private readonly options: ModelOptions) {}

  get current(): ListState {
    return this.state;
  }

  show(view: View): void {
    const former = this.view;
    this.view = view;
    const sameQuestion = former !== null && questionOf(former) === questionOf(view);
    if (sameQuestion && former.after === view.after && former.before === view.before) return;
    if (!sameQuestion) this.top = null;
    void this.load(!sameQuestion);
  }

  /** Asks everything again, to see what is new; after a fault, which is shown until there is an answer. */
  reload(): void {
    void this.load(true, true);
  }

  stop(): void {
    this.asked.abort();
    this.counted.abort();
  }

  async loadMore(direction: 'older' | 'newer'): Promise<void> {
    const { rows } = this.state;
    const edge = direction === 'older' ? rows.at(-1) : rows[0];
    if (!edge || this.state.status !== 'ready') return;
    const { pageSize } = this.options;
    const page = await this.ask(
      direction === 'older' ? { first: pageSize, after: edge.cursor } : { last: pageSize, before: edge.cursor },
    );
    if (!page) return;
    const all = direction === 'older' ? [...rows, ...page.edges] : [...page.edges, ...rows];
    const kept = direction === 'older' ? all.slice(-windowSize) : all.slice(0, windowSize);
    const dropped = kept.length < all.length;
    this.change({
      rows: kept,
      hasNext: direction === 'older' ? page.pageInfo.hasNextPage : dropped || this.state.hasNext,
      hasPrevious: direction === 'newer' ? page.pageInfo.hasPreviousPage : dropped || this.state.hasPrevious,
    });
  }

  /** Counts what arrived above the first page; quiet about faults, since nobody asked. False where it failed. */
  async checkForNew(): Promise<boolean> {
    if (!this.view || !this.top || this.state.status !== 'ready' || this.state.fault) return true;
    const { top, asked } = this;
    const range = top.cursor === null ? { first: newerLimit } : { last: newerLimit, before: top.cursor };
    try {
      const answer = await this.options.client.ask(newerQuery, { ...this.question(), ...range }, asked.signal);
      if (this.top === top && answer.auditEvents) this.change({ newer: answer.auditEvents.nodes.length });
      return true;
    } catch {
      // The next question of the reader will tell.
      return asked.signal.aborted;
    }
  }

  private async load(questionChanged: boolean, again = false): Promise<void> {
    const { view } = this;
    if (!view) return;
    const { pageSize } = this.options;
    const isFirst = !view.after && !view.before;
    if (questionChanged || (isFirst && this.state.newer > 0)) void this.count();
    const page = await this.ask(
      view.before
        ? { last: pageSize, before: view.before }
        : { first: pageSize, ...(view.after ? { after: view.after } : {}) },
      again,
    );
    if (!page) return;
    if (isFirst) this.top = { cursor: page.edges[0]?.cursor ?? null };
    this.change({
      rows: page.edges,
      hasNext: page.pageInfo.hasNextPage,
      hasPrevious: page.pageInfo.hasPreviousPage,
      page: page.pageNumber ?? null,
      pages: page.pageCount ?? null,
      ...(page.totalCount === undefined ? {} : { total: page.totalCount }),
      ...(isFirst ? { newer: 0 } : {}),
    });
  }

  private async ask(
    range: Pick<PageVariables, 'first' | 'after' | 'last' | 'before'>,
    again = false,
  ): Promise<Page | null> {
    this.asked.abort();
    const asked = (this.asked = new AbortController());
    const fault = again ? this.state.fault : null;
    // Where only a fault stood, there are no former rows to show.
    const isFirst = this.state.status === 'loading' || (this.state.fault !== null && this.state.rows.length === 0);
    this.change({ status: isFirst ? 'loading' : 'refreshing', fault });
    try {
      const variables = { ...this.question(), ...range, counts: this.options.paged };
      const { auditEvents } = await this.options.client.ask(pageQuery, variables, asked.signal);
      if (asked.signal.aborted) return null;
      if (!auditEvents) throw new Fault('server', 'auditEvents is null');
      this.change({ status: 'ready', fault: null });
      return auditEvents;
    } catch (error) {
      if (asked.signal.aborted) return null;
      const fault = error instanceof Fault ? error : new Fault('server', String(error));
      if (fault.isStaleCursor && (this.view?.after || this.view?.before)) this.options.onStaleCursor();
      else this.change({ status: 'ready', fault });
      return null;
    }
  }

  private async count(): Promise<void> {
    this.counted.abort();
    const counted = (this.counted = new AbortController());
    try {
      const timeZone = this.view?.zone ?? this.options.zone;
      const variables = { ...this.question(), timeZone };
      const { auditEvents } = await this.options.client.ask(overviewQuery, variables, counted.signal);
      if (counted.signal.aborted || !auditEvents) return;
      this.change({ overview: auditEvents, days: auditEvents.facets?.days ?? [], total: auditEvents.totalCount });
    } catch {
      // The rows carry the fault; a missing histogram beside them needs no second message.
      if (!counted.signal.aborted) this.change({ overview: null, days: [] });
    }
  }

  private question(): Question {
    return questionFor(this.view!, this.options.organization, this.options.zone);
  }

  private change(change: Partial<ListState>): void {
    this.state = { ...this.state, ...change };
    this.options.onChange(this.state);
  }
}
