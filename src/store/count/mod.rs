//! Numbers: totals, facets, days and actors, each exact or said to be of the newest events alone.

mod actors;
pub(super) mod calendar;
pub(super) mod days;
pub(super) mod facets;
pub(super) mod total;
