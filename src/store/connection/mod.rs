//! The connections, and the one way to write: every transaction of the service.
//!
//! SQLite takes a transaction back by itself when a write fails (FULL, IOERR, NOMEM, CORRUPT, INTERRUPT), and PostgreSQL
//! answers the COMMIT of a failed transaction with success. A driver that counts its BEGINs notices neither: its next
//! BEGIN is a savepoint, and its next commits release savepoints inside a transaction that never ends. So nothing is
//! counted here. BEGIN and COMMIT are plain statements: SQLite refuses BEGIN inside a transaction and COMMIT outside of
//! one. After a statement has failed, the transaction takes no other and cannot be committed. A connection on which
//! anything failed, or whose caller went away midway, is closed before the next one is used.

mod lent;
pub(super) mod open;
pub(super) mod reads;
pub(super) mod transaction;
pub(super) mod turns;
pub(super) mod writes;
