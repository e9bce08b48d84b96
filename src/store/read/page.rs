//! One page of a list.

use std::sync::Arc;

use sea_orm::ConnectionTrait;

use super::selection::Route;
use crate::{
    error::Result,
    event::Event,
    question::cursor::{Order, OrderField},
    store::{Dictionary, Selection, Store, dialect::sql::Sql, range::Range},
};

/// Rows that are tested one by one in one call before a short page is given.
const SCAN_ROWS: usize = 20_000;
/// Rows of one step of such a scan.
const SCAN_STEP: i64 = 500;
/// Up to so many matches, a list by sequence sorts them. With more, it walks through the sequence.
const SORTED_MATCHES: i64 = 10_000;

/// Up to this size of an organization, PostgreSQL tests each of its events rather than search several partitions.
const SMALL: i64 = 1_000;
/// Newest rows that PostgreSQL tests one by one at first, to see how common a search is.
const PROBE_ROWS: i64 = 250;
/// Newest rows that it tests one by one where they promise to fill the page.
const PROBE_ROWS_MOST: i64 = 4_000;

/// Which part of a list.
#[derive(Clone, Copy, Debug)]
pub struct PageRequest {
    /// Order of the list.
    pub order: Order,
    /// Most events.
    pub limit: usize,
    /// Whether the page is the last one before `before`, or of the list.
    pub backward: bool,
    /// Key of the event that the page comes after, in the order of the list.
    pub after: Option<i64>,
    /// Key of the event that the page comes before.
    pub before: Option<i64>,
}

/// Part of a list, in its order.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The events.
    pub events: Vec<Event>,
    /// Whether there are more in the direction of paging.
    pub more: bool,
    /// Where the scan stopped short, if it did: paging goes on from this key.
    pub stopped_at: Option<i64>,
    /// The logs, where the page has events of logs that are newer than the selection.
    pub dictionary: Option<Arc<Dictionary>>,
}

/// A way to find events of a range by time.
pub(in crate::store) enum Way {
    /// Every row is tested.
    All,
    /// So many rows are tested, from the beginning of the list.
    Newest(i64),
    /// The matches of a part of the range are searched.
    Stretch(Range),
}

impl PageRequest {
    /// Whether keys fall while the page is read.
    pub(in crate::store) fn descending(&self) -> bool {
        self.order.descending != self.backward
    }

    /// Bounds of the key, both inclusive.
    pub(in crate::store) fn bounds(&self) -> (i64, i64) {
        let (mut low, mut high) = (i64::MIN, i64::MAX);
        let (above, below) = if self.order.descending { (self.before, self.after) } else { (self.after, self.before) };
        if let Some(key) = above {
            low = key.saturating_add(1);
        }
        if let Some(key) = below {
            high = key.saturating_sub(1);
        }
        (low, high)
    }
}

/// The key of an event in an order.
#[must_use]
pub fn key(order: Order, event: &Event) -> i64 {
    match order.field {
        OrderField::OccurredAt => event.position.0,
        OrderField::Sequence => event.sequence,
    }
}

impl Store {
    /// Part of a list.
    pub async fn page(&self, selection: &Selection, request: PageRequest) -> Result<Page> {
        if selection.route == Route::Nothing {
            return Ok(Page::default());
        }
        self.paced(selection.listing()).paged(selection, request).await
    }

    async fn paged(&self, selection: &Selection, request: PageRequest) -> Result<Page> {
        let wanted = request.limit + 1;
        let (low, high) = request.bounds();
        let descending = request.descending();
        let mut page = match request.order.field {
            OrderField::OccurredAt if selection.route == Route::Rows => {
                self.scan(selection, request.order.field, (low, high), descending, wanted).await?
            }
            OrderField::OccurredAt => {
                let range = selection.range().within(low, high);
                Page { events: self.by_position(&range, descending, wanted as i64).await?, ..Page::default() }
            }
            OrderField::Sequence => self.by_sequence(selection, low, high, descending, wanted).await?,
        };
        if page.events.len() > request.limit {
            page.events.truncate(request.limit);
            page.more = true;
            page.stopped_at = None;
        }
        page.more |= page.stopped_at.is_some();
        if request.backward {
            page.events.reverse();
        }
        if page.events.iter().any(|event| selection.dictionary.log(event.log_no).is_none()) {
            let head = self.head_again(selection).await?;
            page.dictionary = Some(self.dictionary(&self.read, &head.row).await?);
        }
        Ok(page)
    }

    /// Events of a range in the order of time, by the first of its ways that fill the page.
    pub(in crate::store) async fn by_position(
        &self,
        range: &Range,
        descending: bool,
        limit: i64,
    ) -> Result<Vec<Event>> {
        self.by_position_on(&self.read, range, descending, limit).await
    }

    /// The same on a connection of the caller's.
    pub(in crate::store) async fn by_position_on(
        &self,
        db: &impl ConnectionTrait,
        range: &Range,
        descending: bool,
        limit: i64,
    ) -> Result<Vec<Event>> {
        let mut found = Vec::new();
        let mut testing = true;
        for way in self.ways(range, descending) {
            match way {
                Way::All => return self.events_on(db, self.by_way(range, &way, descending, limit)).await,
                Way::Newest(rows) if testing && limit < rows => {
                    let tested = self.events_on(db, self.by_way(range, &way, descending, limit)).await?;
                    if tested.len() as i64 == limit {
                        return Ok(tested);
                    }
                    testing = goes_on(range, tested.len() as i64, limit, rows);
                }
                Way::Newest(_) => {}
                Way::Stretch(_) => {
                    let missing = limit - found.len() as i64;
                    found.extend(self.events_on(db, self.by_way(range, &way, descending, missing)).await?);
                    if found.len() as i64 == limit {
                        break;
                    }
                }
            }
        }
        Ok(found)
    }

    /// The ways to find events by time, in the order in which they are tried. Where the search index knows no order,
    /// rows are tested one by one while the page fills up soon. Else stretches are searched one after the other.
    pub(in crate::store) fn ways(&self, range: &Range, descending: bool) -> Vec<Way> {
        let stretches = || self.dialect.stretches(range, descending).into_iter().map(Way::Stretch);
        match self.dialect.gives_order(range) {
            true => stretches().collect(),
            false if range.size <= SMALL => vec![Way::All],
            false => [PROBE_ROWS, PROBE_ROWS_MOST].map(Way::Newest).into_iter().chain(stretches()).collect(),
        }
    }

    /// The statement of one of the [ways](Self::ways).
    pub(in crate::store) fn by_way(&self, range: &Range, way: &Way, descending: bool, limit: i64) -> Sql {
        match way {
            Way::All => self.dialect.events_tested(range, descending, limit, i64::MAX),
            Way::Newest(rows) => self.dialect.events_tested(range, descending, limit, *rows),
            Way::Stretch(stretch) => self.dialect.events_by_position(stretch, descending, limit),
        }
    }

    /// Events of the index (by time) or of the whole organization (by sequence), tested one by one.
    async fn scan(
        &self,
        selection: &Selection,
        field: OrderField,
        (mut low, mut high): (i64, i64),
        descending: bool,
        wanted: usize,
    ) -> Result<Page> {
        let order = Order { field, descending };
        let mut page = Page::default();
        let mut scanned = 0;
        while scanned < SCAN_ROWS {
            let step = match field {
                OrderField::OccurredAt => {
                    self.by_position(&selection.range().within(low, high), descending, SCAN_STEP).await?
                }
                OrderField::Sequence => {
                    let no = selection.organization_no;
                    self.events_of(self.dialect.events_by_sequence(no, low, high, descending, SCAN_STEP)).await?
                }
            };
            let Some(last) = step.last().map(|event| key(order, event)) else { return Ok(page_end(page)) };
            let is_last = (step.len() as i64) < SCAN_STEP;
            scanned += step.len();
            if descending {
                high = last.saturating_sub(1);
            } else {
                low = last.saturating_add(1);
            }
            page.events.extend(step.into_iter().filter(|event| selection.keeps(event)));
            if is_last || page.events.len() >= wanted {
                page.events.truncate(wanted);
                return Ok(page_end(page));
            }
            page.stopped_at = Some(last);
        }
        Ok(page)
    }

    async fn by_sequence(
        &self,
        selection: &Selection,
        low: i64,
        high: i64,
        descending: bool,
        wanted: usize,
    ) -> Result<Page> {
        let is_exact = selection.route != Route::Rows;
        // Who follows the log asks for the few that are new: to test those costs less than to sort what was found before.
        let is_near = !descending && selection.size() - low.max(0) <= SCAN_STEP;
        if is_exact
            && (selection.is_everything() || !is_near && self.at_most(&selection.range(), SORTED_MATCHES).await?)
        {
            let sql = self.in_sequence(selection, (low, high), descending, wanted as i64);
            return Ok(Page { events: self.events_of(sql).await?, ..Page::default() });
        }
        self.scan(selection, OrderField::Sequence, (low.max(0), high), descending, wanted).await
    }

    /// The statement of a list by sequence: of all events, or of the matches, sorted.
    pub(in crate::store) fn in_sequence(
        &self,
        selection: &Selection,
        (low, high): (i64, i64),
        descending: bool,
        limit: i64,
    ) -> Sql {
        let low = low.max(0);
        if selection.is_everything() {
            self.dialect.events_by_sequence(selection.organization_no, low, high, descending, limit)
        } else {
            self.dialect.matches_by_sequence(&selection.range(), low, high, descending, limit)
        }
    }

    /// Whether a range has at most so many events. It looks no further than that.
    async fn at_most(&self, range: &Range, limit: i64) -> Result<bool> {
        let rows =
            self.dialect.over("1 AS one", range, range.occurred.is_some()).text(&format!(" LIMIT {}", limit + 1));
        let counted = Sql::new("SELECT count(*) AS n FROM (").append(rows).text(") AS found");
        Ok(self.number_of(counted).await? <= limit)
    }

    /// Every event of a selection in no order, for grouping row by row; `None` when there are more than `limit` candidates.
    pub(in crate::store) async fn candidates(&self, selection: &Selection, limit: usize) -> Result<Option<Vec<Event>>> {
        let mut range = selection.range();
        let mut kept = Vec::new();
        let mut seen = 0;
        loop {
            let step = self.by_position(&range, true, SCAN_STEP * 4).await?;
            let Some(last) = step.last().map(|event| event.position.0) else { return Ok(Some(kept)) };
            seen += step.len();
            if seen > limit {
                return Ok(None);
            }
            kept.extend(step.into_iter().filter(|event| selection.keeps(event)));
            range.high = last.saturating_sub(1);
        }
    }
}

/// Whether more rows are tested after `found` of the first `rows` were matches. A row costs about the same whether it is
/// tested or found by the index. So testing goes on only where it is sure to fill the page, and where it reads fewer rows
/// than one partition has matches.
fn goes_on(range: &Range, found: i64, limit: i64, rows: i64) -> bool {
    let sure = found * PROBE_ROWS_MOST >= 2 * limit * rows;
    let matches = found * range.size / rows / range.partitions.count();
    sure && limit * rows <= matches * found
}

fn page_end(page: Page) -> Page {
    Page { stopped_at: None, ..page }
}
