//! Faults at every call, again and again: whatever fails, what was acknowledged is there.
//!
//! `make test` runs a short form, always the same. `make torture` runs long: `LEDGERLINE_TORTURE_ROUNDS` says how many
//! rounds more, each with a seed of its own.

#![expect(clippy::disallowed_methods, reason = "a test is outside: it chooses the time, and may wait, spawn and draw")]
#![expect(unsafe_code, reason = "SQLite takes a file system as C functions")]

mod disk;
mod fairness;
#[expect(dead_code, unused_imports, unused_macros, reason = "tests/it uses all of it")]
#[path = "../it/harness/mod.rs"]
mod harness;
#[expect(dead_code, reason = "tests/it uses all of it")]
#[path = "../it/process.rs"]
mod process;
mod sqlite;
mod tenants;

/// Seeds of the rounds to run: one in `make test`.
fn seeds() -> std::ops::RangeInclusive<u64> {
    let rounds = std::env::var("LEDGERLINE_TORTURE_ROUNDS").ok();
    1..=rounds.map_or(1, |rounds| rounds.parse().expect("LEDGERLINE_TORTURE_ROUNDS is a number"))
}
