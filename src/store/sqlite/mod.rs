//! What SQLite alone needs: its files and its write-ahead log looked after.

pub(in crate::store) mod connect;
pub(in crate::store) mod files;
pub(in crate::store) mod wal;
