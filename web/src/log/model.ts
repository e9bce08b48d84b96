import type { Client } from '../api/client.ts';
import { newerQuery, pageQuery, positionQuery, type Edge, type Page, type PageVariables } from '../api/documents.ts';
import { Fault } from '../api/fault.ts';
import { questionFor, type Question } from '../view/request.ts';
import { questionOf, type View } from '../view/view.ts';
import { countMatches, uncounted, type Counted } from './count.ts';

/** What the server gives at most in one answer: "100+ new" beyond. */
export const newerLimit = 100;

export interface ListState extends Counted {
  /** What it answers; the page may have gone on to ask something else, which the list does not know yet. */
  asked: View | null;
  rows: readonly Edge[];
  hasNext: boolean;
  hasPrevious: boolean;
  /** How many events stand before the first row; null where nobody knows. */
  offset: number | null;
  /** `loading` has no rows to show yet; `refreshing` still shows the former ones. */
  status: 'loading' | 'refreshing' | 'ready';
  /** The rows answer an earlier question than the one that is asked. */
  isFormer: boolean;
  fault: Fault | null;
  newer: number;
  /** Events that were recorded while the page was open, and belong further down. */
  late: number;
  /** Rows that came while the page was open. */
  fresh: ReadonlySet<string>;
  /** Whether the last look for news was answered. */
  isLive: boolean;
}

const initial: ListState = {
  ...uncounted,
  asked: null,
  rows: [],
  hasNext: false,
  hasPrevious: false,
  offset: null,
  status: 'loading',
  isFormer: false,
  fault: null,
  newer: 0,
  late: 0,
  fresh: new Set(),
  isLive: true,
};

export interface ModelOptions {
  client: Client;
  organization: string | null;
  zone: string;
  pageSize: number;
  /** Whether days are drawn. */
  withDays: boolean;
  now: () => number;
  onChange: (state: ListState) => void;
  /** A link whose cursor no longer fits: the list starts again from the first page. */
  onStaleCursor: () => void;
}

type Range = Pick<PageVariables, 'first' | 'after' | 'last' | 'before'>;

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
  /** The last number that was recorded when the page looked first; events with higher ones are news. */
  private recorded: bigint | null = null;
  /** When the question was asked: a stretch that ends now must not move while its pages are turned. */
  private askedAt = 0;
  /** How many events stand before a page, by the page's place. */
  private readonly offsets = new Map<string, number>();

  constructor(private readonly options: ModelOptions) {}

  get current(): ListState {
    return this.state;
  }

  show(view: View): void {
    const former = this.view;
    this.view = view;
    const sameQuestion = former !== null && questionOf(former) === questionOf(view);
    if (sameQuestion && former.after === view.after && former.before === view.before) return;
    void this.load(!sameQuestion);
  }

  /** Asks everything again, to see what is new; after a fault, which is shown until there is an answer. */
  reload(): void {
    void this.load(true, true);
  }

  /** Counts once more, where that failed. */
  recount(): void {
    void this.count(true);
  }

  stop(): void {
    this.asked.abort();
    this.counted.abort();
  }

  /** Rows that came while the page was open are like all others from now on. */
  settle(): void {
    if (this.state.fresh.size > 0) this.change({ fresh: new Set() });
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
    const { hasNextPage, hasPreviousPage } = page.pageInfo;
    const { offset } = this.state;
    if (direction === 'older') this.change({ rows: [...rows, ...page.edges], hasNext: hasNextPage });
    else {
      this.change({
        rows: [...page.edges, ...rows],
        hasPrevious: hasPreviousPage,
        offset: hasPreviousPage ? offset && offset - page.edges.length : 0,
      });
    }
  }

  /**
   * Looks for what arrived above the first page, and counts it; `take` puts it into the list at once. It asks on its own,
   * so it is quiet about what may pass; that the reader may not read any more is told. False where it failed.
   */
  async checkForNew(take = false): Promise<boolean> {
    if (!this.view || !this.top || this.state.status !== 'ready' || this.state.fault) return true;
    const { top, asked } = this;
    const range = top.cursor === null ? { first: newerLimit } : { last: newerLimit, before: top.cursor };
    try {
      const answer = await this.options.client.ask(newerQuery, { ...this.question(), ...range }, asked.signal);
      if (this.top !== top || !answer.auditEvents) return true;
      const newer = answer.auditEvents.nodes.length;
      const above = new Set(answer.auditEvents.nodes.map(({ id }) => id));
      const late = this.lateOf(answer.recorded?.nodes ?? [], above);
      this.change({ newer, late, isLive: true });
      if (take && newer > 0 && newer < newerLimit) await this.takeNew(top);
      return true;
    } catch (error) {
      if (asked.signal.aborted) return true;
      const fault = faultOf(error);
      if (fault.isRefusal) this.change({ fault });
      else this.change({ isLive: false });
      return false;
    }
  }

  /** How many were recorded since the first look, and stand neither above the first row nor in the list. */
  private lateOf(nodes: readonly { id: string; sequence: string }[], above: ReadonlySet<string>): number {
    // Where counting failed, the first look is the beginning.
    this.recorded ??= BigInt(this.state.recorded ?? nodes[0]?.sequence ?? -1);
    const { recorded } = this;
    const known = new Set(this.state.rows.map(({ node }) => node.id));
    return nodes.filter(({ id, sequence }) => BigInt(sequence) > recorded && !above.has(id) && !known.has(id)).length;
  }

  /** Puts what is new above the first row, and says which rows those are. */
  private async takeNew(top: { cursor: string | null }): Promise<void> {
    const range = top.cursor === null ? { first: newerLimit } : { last: newerLimit, before: top.cursor };
    const variables = { ...this.question(), ...range };
    const { auditEvents } = await this.options.client.ask(pageQuery, variables, this.asked.signal);
    if (this.top !== top || !auditEvents || this.state.offset !== 0) return;
    const { edges } = auditEvents;
    this.top = { cursor: edges[0]?.cursor ?? top.cursor };
    this.offsets.clear();
    this.change({
      rows: [...edges, ...this.state.rows],
      newer: 0,
      fresh: new Set([...this.state.fresh, ...edges.map(({ node }) => node.id)]),
    });
    void this.count();
  }

  private async load(questionChanged: boolean, again = false): Promise<void> {
    const { view, options } = this;
    if (!view) return;
    const { pageSize } = options;
    const isFirst = !view.after && !view.before;
    const former = this.state;
    if (questionChanged) {
      this.askedAt = options.now();
      this.top = null;
      this.recorded = null;
      this.offsets.clear();
      this.change({
        isFormer: former.rows.length > 0 && (!again || former.isFormer),
        newer: 0,
        late: 0,
        fresh: new Set(),
      });
    }
    if (questionChanged || (isFirst && former.newer > 0)) void this.count(questionChanged);
    const range = view.before
      ? { last: pageSize, before: view.before }
      : { first: pageSize, ...(view.after ? { after: view.after } : {}) };
    const page = await this.ask(range, again);
    if (!page) return;
    if (isFirst) this.top = { cursor: page.edges[0]?.cursor ?? null };
    const offset = this.offsetOf(view, page, former);
    this.change({
      rows: page.edges,
      hasNext: page.pageInfo.hasNextPage,
      hasPrevious: page.pageInfo.hasPreviousPage,
      offset,
      isFormer: false,
      ...(isFirst ? { newer: 0 } : {}),
    });
    if (offset === null) void this.locate(view, range);
  }

  /** Where a page begins: it is the first, follows one that is known, or was seen before. */
  private offsetOf({ after, before }: View, page: Page, former: ListState): number | null {
    const place = `${after ?? ''} ${before ?? ''}`;
    if (!after && !before) return 0;
    let offset = this.offsets.get(place) ?? null;
    if (offset === null && former.offset !== null && !former.isFormer) {
      if (after && former.rows.at(-1)?.cursor === after) offset = former.offset + former.rows.length;
      if (before && former.rows[0]?.cursor === before) offset = former.offset - page.edges.length;
    }
    if (offset !== null) this.offsets.set(place, offset);
    return offset;
  }

  /** Asks where the page of a link stands. Where that is not answered, the rows stand without their numbers. */
  private async locate(view: View, range: Range): Promise<void> {
    const { asked } = this;
    try {
      const { auditEvents } = await this.options.client.ask(
        positionQuery,
        { ...this.question(), ...range },
        asked.signal,
      );
      if (asked.signal.aborted || this.view !== view || !auditEvents) return;
      const offset = (auditEvents.pageNumber - 1) * this.options.pageSize;
      this.offsets.set(`${view.after ?? ''} ${view.before ?? ''}`, offset);
      this.change({ offset });
    } catch {
      // Nothing is said rather than something wrong.
    }
  }

  private async ask(range: Range, again = false): Promise<Page | null> {
    this.asked.abort();
    const asked = (this.asked = new AbortController());
    const fault = again ? this.state.fault : null;
    // Where only a fault stood, there are no former rows to show.
    const isFirst = this.state.status === 'loading' || (this.state.fault !== null && this.state.rows.length === 0);
    this.change({ status: isFirst ? 'loading' : 'refreshing', fault });
    try {
      const { auditEvents } = await this.options.client.ask(pageQuery, { ...this.question(), ...range }, asked.signal);
      if (asked.signal.aborted) return null;
      if (!auditEvents) throw new Fault('server', 'auditEvents is null');
      this.change({ status: 'ready', fault: null, isLive: true });
      return auditEvents;
    } catch (error) {
      if (asked.signal.aborted) return null;
      const fault = faultOf(error);
      if (fault.isStaleCursor && (this.view?.after || this.view?.before)) this.options.onStaleCursor();
      else this.change({ status: 'ready', fault });
      return null;
    }
  }

  /** A number belongs to its question: of a new one nothing is known until it is counted. */
  private async count(isNew = false): Promise<void> {
    this.counted.abort();
    const counted = (this.counted = new AbortController());
    const { client, organization, withDays, zone } = this.options;
    if (isNew)
      this.change({
        ...uncounted,
        days: this.state.days,
        failedDays: this.state.failedDays,
        buckets: this.state.buckets,
      });
    const found = await countMatches(client, this.view!, organization, zone, this.askedAt, withDays, counted.signal);
    if (found && !counted.signal.aborted) this.change(found);
  }

  private question(): Question {
    return questionFor(this.view!, this.options.organization, this.options.zone, this.askedAt);
  }

  private change(change: Partial<ListState>): void {
    this.state = { ...this.state, ...change, asked: this.view };
    this.options.onChange(this.state);
  }
}

const faultOf = (error: unknown) => (error instanceof Fault ? error : new Fault('server', String(error)));
