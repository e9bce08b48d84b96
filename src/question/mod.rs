//! What is asked of a log, apart from what an event is: filter, search, period, order and cursor. No I/O.

pub mod asked;
mod canonical;
mod check;
pub mod clause;
pub mod conditions;
pub mod cursor;
pub mod filter;
pub mod input;
pub mod matched;
pub mod period;
pub mod query;
pub mod search;
pub mod sought;
pub mod view;
