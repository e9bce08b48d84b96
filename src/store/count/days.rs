//! The day histogram: how many events a list has by local day.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use chrono_tz::Tz;
use sea_orm::FromQueryResult;

use super::total::{Piece, pieces};
use crate::{
    error::Result,
    event::Timestamp,
    question::period,
    store::{
        Bucket, Selection, Store,
        grain::{Grain, QUARTER},
        range::Range,
        read::selection::Route,
    },
};

impl Store {
    /// Events by local day, oldest first; days without events are left out.
    ///
    /// # Errors
    /// Those of [`Store::count`].
    pub async fn facet_days(&self, selection: &Selection, zone: Tz) -> Result<Vec<Bucket<NaiveDate>>> {
        let mut days = Days { zone, counts: BTreeMap::new() };
        let (from, to) = (selection.filter.from.map(|t| t.0), selection.filter.to.map(|t| t.0));
        match selection.route {
            Route::Nothing => {}
            Route::Kept => self.days_kept(selection, &mut days).await?,
            Route::Index => {
                let paced = self.paced(selection.counting());
                paced.days_of_range(selection, from, to, &mut days).await?;
            }
            Route::Rows => {
                self.tested(selection).await?.iter().for_each(|event| days.add(event.occurred_at.0, 1));
            }
        }
        Ok(days.counts.into_iter().map(|(value, count)| Bucket { value, count }).collect())
    }

    /// Counts whole local days from the calendar, and the rest at both ends from the finer counts.
    async fn days_kept(&self, selection: &Selection, days: &mut Days) -> Result<()> {
        let (from, to) = (selection.filter.from, selection.filter.to);
        let zone = days.zone;
        let start_of = |day: NaiveDate| period::day_start(day, zone);
        let first = from.map(|from| {
            let day = period::day_of(from, zone);
            if start_of(day) >= from { day } else { day.succ_opt().unwrap_or(day) }
        });
        let end = to.map(|to| period::day_of(to, zone));
        let whole = match (first, end) {
            (Some(first), Some(end)) => first < end,
            _ => true,
        };
        let calendar = if whole { self.calendar(selection, zone).await? } else { None };
        let Some(calendar) = calendar else { return self.days_of_pieces(selection, from, to, days).await };
        for (day, n) in calendar.days(selection, first, end) {
            *days.counts.entry(day).or_default() += n;
        }
        if let (Some(from), Some(first)) = (from, first.map(start_of))
            && from < first
        {
            self.days_of_pieces(selection, Some(from), Some(first), days).await?;
        }
        if let (Some(to), Some(end)) = (to, end.map(start_of))
            && end < to
        {
            self.days_of_pieces(selection, Some(end), Some(to), days).await?;
        }
        Ok(())
    }

    async fn days_of_pieces(
        &self,
        selection: &Selection,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
        days: &mut Days,
    ) -> Result<()> {
        for piece in pieces(from, to) {
            self.days_of_piece(selection, piece, days).await?;
        }
        Ok(())
    }

    async fn days_of_piece(&self, selection: &Selection, piece: Piece, days: &mut Days) -> Result<()> {
        let (first, last) = match piece {
            Piece::Edge(from, to) => return self.days_of_range(selection, Some(from), Some(to), days).await,
            Piece::Kept(Grain::Quarter, first, last) => (first, last),
            Piece::Kept(Grain::Day, first, last) => (first * 96, last * 96 + 95),
            Piece::Kept(Grain::Ever, ..) => (i64::MIN / QUARTER / 96 * 96, i64::MAX / QUARTER / 96 * 96 - 1),
        };
        let whole_days = days.zone == Tz::UTC && !matches!(piece, Piece::Kept(Grain::Quarter, ..));
        let (grain, unit) = if whole_days { (Grain::Day, 96) } else { (Grain::Quarter, 1) };
        for count in self.kept(selection, grain, first.div_euclid(unit), last.div_euclid(unit), true).await? {
            let start = count.bucket * unit * QUARTER;
            if days.is_one(start, start + unit * QUARTER) {
                days.add(start, count.n);
            } else {
                self.days_of_range(selection, Some(start), Some(start + QUARTER), days).await?;
            }
        }
        Ok(())
    }

    /// Adds a stretch of time from the index: by quarter-hours, and by seconds where a local midnight is inside one
    /// (zones before they took whole offsets).
    async fn days_of_range(
        &self,
        selection: &Selection,
        from: Option<i64>,
        to: Option<i64>,
        days: &mut Days,
    ) -> Result<()> {
        let stretch = |from: Option<i64>, to: Option<i64>| {
            let mut narrowed = selection.clone();
            narrowed.filter.from = from.map(Timestamp);
            narrowed.filter.to = to.map(Timestamp);
            narrowed.range()
        };
        for (start, n) in self.grouped(&stretch(from, to), QUARTER).await? {
            if days.is_one(start, start + QUARTER) {
                days.add(start, n);
                continue;
            }
            let inner_from = from.map_or(start, |from| from.max(start));
            let inner_to = to.map_or(start + QUARTER, |to| to.min(start + QUARTER));
            for (second, n) in self.grouped(&stretch(Some(inner_from), Some(inner_to)), 1_000_000_000).await? {
                days.add(second, n);
            }
        }
        Ok(())
    }

    /// Events of a range by multiples of a unit: start of the unit and count.
    async fn grouped(&self, range: &Range, unit: i64) -> Result<Vec<(i64, i64)>> {
        // Integer division cuts towards zero; moved by whole units, every instant is positive.
        const SHIFT: i64 = 2_700_000 * QUARTER;
        #[derive(FromQueryResult)]
        struct Row {
            bucket: i64,
            n: i64,
        }
        let expression = format!("(e.occurred_ns + {SHIFT}) / {unit} AS bucket, count(*) AS n");
        let rows = self.rows_of::<Row>(self.dialect.over(&expression, range, true).text(" GROUP BY 1")).await?;
        Ok(rows.into_iter().map(|row| (row.bucket * unit - SHIFT, row.n)).collect())
    }
}

/// Counts by local date.
struct Days {
    zone: Tz,
    counts: BTreeMap<NaiveDate, i64>,
}

impl Days {
    fn add(&mut self, at: i64, n: i64) {
        *self.counts.entry(period::day_of(Timestamp(at), self.zone)).or_default() += n;
    }

    /// Whether a stretch of time lies within one local day.
    fn is_one(&self, from: i64, to: i64) -> bool {
        period::day_of(Timestamp(from), self.zone) == period::day_of(Timestamp(to - 1), self.zone)
    }
}
