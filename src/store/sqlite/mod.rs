//! What SQLite alone needs: its files and its write-ahead log looked after.

pub(super) mod connect;
pub(super) mod files;
pub(super) mod wal;
mod wipe;
