//! The rows of an organization that a question is about: a stretch of time, and where PostgreSQL keeps it.

mod partitions;

use std::sync::Arc;

pub(in crate::store) use partitions::{Partition, Partitions, day_of, start_of};

/// The rows of an organization that a question is about.
#[derive(Clone, Debug)]
pub struct Range {
    /// Whose.
    pub organization_no: i64,
    /// The rendered search expression; `None` for all events.
    pub matching: Option<String>,
    /// First position.
    pub low: i64,
    /// Last position.
    pub high: i64,
    /// Exact bounds of `occurred_ns`, where positions alone do not give them.
    pub occurred: Option<(i64, i64)>,
    /// How many events the organization had when it was asked.
    pub size: i64,
    /// Where PostgreSQL keeps events; empty on SQLite.
    pub partitions: Arc<Partitions>,
}

impl Range {
    /// The same, cut to some bounds of the position, both inclusive.
    pub fn within(self, low: i64, high: i64) -> Self {
        Self { low: self.low.max(low), high: self.high.min(high), ..self }
    }
}
