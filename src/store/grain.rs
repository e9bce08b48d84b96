//! The stretches of time that counts are kept by.

/// Nanoseconds of the two kept grains.
pub(in crate::store) const QUARTER: i64 = 900 * 1_000_000_000;
pub(in crate::store) const DAY: i64 = 96 * QUARTER;

/// The kept grains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Grain {
    Quarter = 0,
    Day = 1,
    Ever = 2,
}
