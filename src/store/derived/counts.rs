//! The kept counts: events by log and kind, in quarter-hours, days and all of time.

use std::collections::BTreeMap;

use sea_orm::Value;

use super::{Brought, Derived};
use crate::{
    error::Result,
    store::{
        Store,
        connection::transaction::Transaction,
        dialect::CHUNK,
        grain::{DAY, Grain, QUARTER},
        tables::COUNT,
    },
};

/// Organization, grain, bucket, log and kind.
pub(in crate::store) type Key = [i64; 5];

impl Store {
    pub(super) async fn add_counts(&self, tx: &Transaction, events: &[Derived<'_>]) -> Result<()> {
        self.change_counts(tx, &counted(events)).await
    }

    pub(super) async fn take_back_counts(&self, tx: &Transaction, brought: &Brought<'_>) -> Result<()> {
        let counts: Vec<_> = brought.counts.iter().map(|(key, n)| (*key, -n)).collect();
        self.change_counts(tx, &counts).await?;
        for chunk in counts.chunks(CHUNK) {
            let keys: Vec<_> = chunk.iter().map(|(key, _)| places(key)).collect();
            self.delete_empty(tx, &COUNT, chunk[0].0[0], &keys).await?;
        }
        Ok(())
    }

    async fn change_counts(&self, tx: &Transaction, counts: &[(Key, i64)]) -> Result<()> {
        for chunk in counts.chunks(CHUNK * 2) {
            let rows = chunk.iter().map(|(key, n)| {
                let [organization, grain, bucket, log, kind] = places(key);
                [organization, grain, bucket, log, kind, (*n).into()]
            });
            let sql = COUNT.insert().inserted(self.dialect, rows, None);
            let sql = sql.text(" ON CONFLICT (organization_no, grain, bucket, log_no, kind_no) DO UPDATE SET n = event_count.n + excluded.n");
            self.execute(tx, sql).await?;
        }
        Ok(())
    }
}

/// How many of some events fall into each bucket, in the order of keys.
pub(super) fn counted(events: &[Derived<'_>]) -> Vec<(Key, i64)> {
    spread(events.iter().map(|Derived { event, kind_no, .. }| {
        (event.organization_no, event.occurred_at.0.div_euclid(QUARTER), event.log_no, *kind_no, 1)
    }))
}

/// The same of how many there are in each quarter-hour: organization, quarter-hour, log, kind and number.
pub(in crate::store) fn spread(quarters: impl Iterator<Item = (i64, i64, i64, i64, i64)>) -> Vec<(Key, i64)> {
    let mut counts: BTreeMap<Key, i64> = BTreeMap::new();
    for (organization_no, quarter, log_no, kind_no, n) in quarters {
        let day = quarter.div_euclid(DAY / QUARTER);
        for (grain, bucket) in [(Grain::Quarter, quarter), (Grain::Day, day), (Grain::Ever, 0)] {
            *counts.entry([organization_no, grain as i64, bucket, log_no, kind_no]).or_default() += n;
        }
    }
    counts.into_iter().collect()
}

fn places([organization, grain, bucket, log, kind]: &Key) -> [Value; 5] {
    let grain = i16::try_from(*grain).expect("there are few grains");
    [(*organization).into(), grain.into(), (*bucket).into(), (*log).into(), (*kind).into()]
}
