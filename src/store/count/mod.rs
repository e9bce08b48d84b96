//! Numbers: totals, facets, days and actors, each exact or said to be of the newest events alone.

pub(in crate::store) mod actors;
pub(in crate::store) mod calendar;
pub(in crate::store) mod days;
pub(in crate::store) mod facets;
pub(in crate::store) mod total;
