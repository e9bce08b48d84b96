//! The stretches of time that counts are kept by.

/// Nanoseconds of the two kept grains.
pub(super) const QUARTER: i64 = 900 * 1_000_000_000;
pub(super) const DAY: i64 = 96 * QUARTER;

/// The kept grains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grain {
    Quarter = 0,
    Day = 1,
    Ever = 2,
}
