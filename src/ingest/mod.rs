//! The one door in: admit (validate) -> writer (group commit) -> receipt.

mod admit;
mod rules;
mod writer;

pub use admit::{admit, admit_in_parent};
pub use writer::{Receipt, Writer};
