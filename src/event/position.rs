//! Where an event stands in time.

use super::Timestamp;

/// The sort key of every list by time: microseconds since 1970 shifted left by [`Position::TIE_BITS`],
/// plus a tie-break, unique per organization. Also the rowid of SQLite's search index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position(pub i64);

impl Position {
    /// Bits of the tie-break: 2,048 events share a microsecond before the next one is used.
    pub const TIE_BITS: u32 = 11;
    /// Places of one microsecond.
    pub const BLOCK: i64 = 1 << Self::TIE_BITS;

    /// First place of the microsecond of `at`.
    #[must_use]
    pub fn block_of(at: Timestamp) -> Self {
        // 52 bits reach from 1827 to 2112; a date bound beyond that means the end of the range.
        Self(at.micros().clamp(-(1 << 52), (1 << 52) - 1) << Self::TIE_BITS)
    }

    /// First place of the microsecond that this place lies in.
    #[must_use]
    pub fn block(self) -> Self {
        Self(self.0 & !(Self::BLOCK - 1))
    }

    /// Last place of the microsecond that this place lies in.
    #[must_use]
    pub fn block_end(self) -> Self {
        Self(self.0 | (Self::BLOCK - 1))
    }
}
