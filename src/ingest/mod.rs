//! The one door in: admit (validate) -> writer (group commit) -> receipt.

mod admit;
mod rules;
mod writer;

pub use admit::{admit, admit_in_parent};
pub use writer::{Receipt, Writer};

use crate::auth::{Access, Principal, policy};

/// Whether events can be recorded, and if not, why.
#[must_use]
pub fn access(principal: &Principal) -> Access {
    policy::record_access(principal)
}
