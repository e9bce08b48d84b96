//! Exact totals: from the kept counts where they suffice, else from the index.

use sea_orm::FromQueryResult;

use crate::{
    error::{Error, Result},
    event::{Event, Timestamp},
    question::cursor::{Order, OrderField},
    store::{
        Selection, Store,
        dialect::sql::Sql,
        grain::{DAY, Grain, QUARTER},
        range::Range,
        read::{page, selection::Route},
    },
};

/// Candidates up to which a phrase is counted by testing rows.
const TESTED_ROWS: usize = 10_000;
/// Events recorded since paging began, up to which they are subtracted one by one.
const RECENT_ROWS: i64 = 20_000;
/// How often a total is counted again because events arrived meanwhile.
const COUNT_ATTEMPTS: u32 = 5;

/// A kept count.
#[derive(FromQueryResult)]
pub(super) struct Count {
    pub bucket: i64,
    pub log_no: i64,
    pub kind_no: i64,
    pub n: i64,
}

/// A stretch of time, by the cheapest source that is exact for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Buckets of a grain, first and last.
    Kept(Grain, i64, i64),
    /// Instants from (inclusive) to (exclusive), inside one quarter-hour.
    Edge(i64, i64),
}

impl Store {
    /// The number of events of a selection among the first `pinned` recorded ones.
    ///
    /// # Errors
    /// `QUERY_TOO_COMPLEX` for a phrase with too many candidates, and those of the database.
    pub async fn count(&self, selection: &Selection, pinned: i64) -> Result<i64> {
        if selection.route == Route::Nothing {
            return Ok(0);
        }
        let (now, selection) = self.count_at_rest(selection).await?;
        let size = selection.head.size;
        let recent = size - pinned;
        if recent <= 0 || recent > RECENT_ROWS {
            return Ok(now);
        }
        let no = selection.organization_no;
        let sql = self.dialect.events_by_sequence(no, pinned, size - 1, false, RECENT_ROWS);
        let later = self.events_of(sql).await?.iter().filter(|event| selection.keeps(event)).count();
        Ok(now - later as i64)
    }

    /// A count, and the selection that it belongs to. It is counted again while events arrive, so that both are of one
    /// size of the organization.
    async fn count_at_rest(&self, selection: &Selection) -> Result<(i64, Selection)> {
        let mut selection = selection.clone();
        let mut attempts = 0;
        loop {
            let now = self.count_now(&selection).await?;
            attempts += 1;
            match self.renewed(&selection).await? {
                Some(newer) if attempts < COUNT_ATTEMPTS => selection = newer,
                newer => return Ok((now, newer.unwrap_or(selection))),
            }
        }
    }

    /// The number of events of a selection that come before a key in an order.
    ///
    /// # Errors
    /// Those of [`Store::count`].
    pub async fn rank(&self, selection: &Selection, order: Order, key: i64, pinned: i64) -> Result<i64> {
        match selection.route {
            Route::Nothing => return Ok(0),
            Route::Rows => {
                let before = |event: &&Event| {
                    let at = page::key(order, event);
                    event.sequence < pinned && if order.descending { at > key } else { at < key }
                };
                return Ok(self.tested(selection).await?.iter().filter(before).count() as i64);
            }
            Route::Kept | Route::Index => {}
        }
        let range = selection.range();
        let sql = match order.field {
            OrderField::OccurredAt => {
                let range = if order.descending {
                    Range { low: range.low.max(key.saturating_add(1)), ..range }
                } else {
                    Range { high: range.high.min(key.saturating_sub(1)), ..range }
                };
                self.dialect.over("count(*) AS n", &range, range.occurred.is_some())
            }
            OrderField::Sequence => {
                let bound = if order.descending { " AND e.sequence > " } else { " AND e.sequence < " };
                self.dialect.over("count(*) AS n", &range, true).with(bound, key)
            }
        };
        self.paced(selection.sized()).number_of(sql).await
    }

    async fn count_now(&self, selection: &Selection) -> Result<i64> {
        match selection.route {
            Route::Nothing => Ok(0),
            Route::Kept => self.count_kept(selection).await,
            Route::Index => {
                let range = selection.range();
                let sql = self.dialect.over("count(*) AS n", &range, range.occurred.is_some());
                self.paced(selection.counting()).number_of(sql).await
            }
            Route::Rows => Ok(self.tested(selection).await?.len() as i64),
        }
    }

    /// All events of a selection whose rows have to be tested.
    pub(super) async fn tested(&self, selection: &Selection) -> Result<Vec<Event>> {
        self.paced(selection.counting()).candidates(selection, TESTED_ROWS).await?.ok_or_else(|| {
            Error::TooComplex(format!(
                "totals that need every event tested (a phrase, a part of very many names or e-mail addresses, a resource's name with its type or id) are counted up to {TESTED_ROWS} candidates: add a word, a filter or dates"
            ))
        })
    }

    async fn count_kept(&self, selection: &Selection) -> Result<i64> {
        let mut total = 0;
        for piece in pieces(selection.filter.from, selection.filter.to) {
            total += match piece {
                Piece::Kept(grain, first, last) => {
                    self.kept(selection, grain, first, last, false).await?.iter().map(|count| count.n).sum::<i64>()
                }
                Piece::Edge(from, to) => {
                    let range = edge(selection, from, to);
                    self.number_of(self.dialect.over("count(*) AS n", &range, range.occurred.is_some())).await?
                }
            };
        }
        Ok(total)
    }

    /// Kept counts of a countable selection, by log and kind, and by bucket if asked.
    pub(super) async fn kept(
        &self,
        selection: &Selection,
        grain: Grain,
        first: i64,
        last: i64,
        by_bucket: bool,
    ) -> Result<Vec<Count>> {
        // A year by day is many rows of a large organization. The calendar keeps them in memory.
        let calendar = if grain == Grain::Day { self.calendar(selection, chrono_tz::UTC).await? } else { None };
        let mut counts = match calendar {
            Some(calendar) => calendar.counts(first, last, by_bucket),
            None => {
                let bucket = if by_bucket { "bucket" } else { "CAST(0 AS BIGINT) AS bucket" };
                let columns = format!("SELECT {bucket}, log_no, kind_no, CAST(sum(n) AS BIGINT) AS n");
                let sql = Sql::new(&columns)
                    .with(" FROM event_count WHERE organization_no = ", selection.organization_no)
                    .with(" AND grain = ", grain as i32)
                    .with(" AND bucket >= ", first)
                    .with(" AND bucket <= ", last)
                    .text(" GROUP BY ")
                    .text(if by_bucket { "bucket, log_no, kind_no" } else { "log_no, kind_no" });
                self.rows_of::<Count>(sql).await?
            }
        };
        let everything = selection.view.is_everything();
        counts.retain(|count| {
            selection.keeps_kind(count.kind_no)
                && (everything || selection.view.shows(&selection.dictionary, count.log_no))
        });
        Ok(counts)
    }
}

/// The rows of a selection inside a stretch of time.
pub(super) fn edge(selection: &Selection, from: i64, to: i64) -> Range {
    let mut narrowed = selection.clone();
    narrowed.filter.from = Some(Timestamp(from));
    narrowed.filter.to = Some(Timestamp(to));
    narrowed.range()
}

/// Cuts a range of time into whole days, whole quarter-hours before and after them, and the rest at both ends.
pub(super) fn pieces(from: Option<Timestamp>, to: Option<Timestamp>) -> Vec<Piece> {
    if from.is_none() && to.is_none() {
        return vec![Piece::Kept(Grain::Ever, 0, 0)];
    }
    // The counts reach over all instants that an event may carry.
    let from = from.map_or(i64::MIN / DAY * DAY, |t| t.0);
    let to = to.map_or(i64::MAX / DAY * DAY, |t| t.0);
    let mut pieces = Vec::new();
    cut(
        from,
        to,
        QUARTER,
        &mut |edge_from, edge_to| pieces.push(Piece::Edge(edge_from, edge_to)),
        &mut |first, last| {
            let mut quarters = Vec::new();
            let mut days = Vec::new();
            cut(
                first * QUARTER,
                (last + 1).saturating_mul(QUARTER),
                DAY,
                &mut |from, to| quarters.push((from / QUARTER, to / QUARTER - 1)),
                &mut |first, last| {
                    days.push(Piece::Kept(Grain::Day, first, last));
                },
            );
            days.extend(quarters.into_iter().map(|(first, last)| Piece::Kept(Grain::Quarter, first, last)));
            days
        },
    )
    .into_iter()
    .for_each(|piece| pieces.push(piece));
    pieces
}

/// Calls `whole` with the first and the last unit that lie wholly in a range, and `rest` with what is left at its ends.
fn cut<T: Default>(
    from: i64,
    to: i64,
    unit: i64,
    rest: &mut dyn FnMut(i64, i64),
    whole: &mut dyn FnMut(i64, i64) -> T,
) -> T {
    if from >= to {
        return T::default();
    }
    let first = from.div_euclid(unit) + i64::from(from.rem_euclid(unit) != 0);
    let end = to.div_euclid(unit);
    if first >= end {
        let middle = first * unit;
        if first == end && from < middle && middle < to {
            rest(from, middle);
            rest(middle, to);
        } else {
            rest(from, to);
        }
        return T::default();
    }
    if from < first * unit {
        rest(from, first * unit);
    }
    if end * unit < to {
        rest(end * unit, to);
    }
    whole(first, end - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_falls_into_days_quarter_hours_and_edges_without_gap_or_overlap() {
        let samples = [
            0,
            1,
            QUARTER - 1,
            QUARTER,
            QUARTER + 7,
            5 * QUARTER,
            DAY - 1,
            DAY,
            DAY + QUARTER,
            3 * DAY + 2 * QUARTER + 5,
            -1,
            -DAY,
            -DAY - 3,
        ];
        for from in samples {
            for to in samples {
                let mut covered: Vec<(i64, i64)> = pieces(Some(Timestamp(from)), Some(Timestamp(to)))
                    .into_iter()
                    .map(|piece| match piece {
                        Piece::Kept(Grain::Quarter, first, last) => (first * QUARTER, (last + 1) * QUARTER),
                        Piece::Kept(_, first, last) => (first * DAY, (last + 1) * DAY),
                        Piece::Edge(from, to) => (from, to),
                    })
                    .collect();
                covered.sort_unstable();
                let mut at = from;
                for (start, end) in covered {
                    assert_eq!(start, at, "{from} to {to}");
                    assert!(end > start);
                    at = end;
                }
                assert_eq!(at, from.max(if from < to { to } else { from }));
            }
        }
    }
}
