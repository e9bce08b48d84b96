//! The advisory locks of a PostgreSQL database: what processes do one after the other, or one of them alone. Each ends
//! with the transaction that took it, or, where it is kept, with the session. Numbers in use never change: processes of two
//! versions may share a database.

/// What is done under a lock.
#[derive(Clone, Copy, Debug)]
#[repr(i64)]
pub enum Lock {
    /// Bringing the schema up to date.
    Migrating = 5_497_853_135_693_827,
    /// Making partitions.
    MakingPartitions = 5_497_853_135_693_828,
    /// Looking after partitions and indexes.
    Upkeep = 5_497_853_135_693_829,
    /// Copying into the database.
    Copying = 5_497_853_135_693_830,
    /// Giving new organizations their numbers. It is taken before any head's.
    Numbering = 5_497_853_135_693_831,
    /// Taking out of the files what was erased.
    Wiping = 5_497_853_135_693_832,
}

impl Lock {
    /// The statement that waits for the lock.
    pub fn wait(self) -> String {
        format!("SELECT pg_advisory_xact_lock({})", self as i64)
    }

    /// The statement that waits for the lock, and keeps it until the session ends.
    pub fn keep(self) -> String {
        format!("SELECT pg_advisory_lock({})", self as i64)
    }

    /// The statement that takes the lock if it is free, and says so as `locked`.
    pub fn attempt(self) -> String {
        format!("SELECT pg_try_advisory_xact_lock({}) AS locked", self as i64)
    }
}
