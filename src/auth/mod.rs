//! Who is asking, and what they may do. No I/O: keys are fetched by `keys`, and given to [`token::verify`].
//!
//! A [`ReadScope`] or [`WriteScope`] is the proof that [`policy`] said yes; the store asks for one.

mod claims;
pub mod keyring;
pub mod policy;
pub mod reading;
mod scope;
pub mod token;

#[cfg(test)]
mod policy_tests;
#[cfg(test)]
mod token_tests;

use std::{fmt, sync::Arc};

pub use claims::{Claims, OneOrMany};
pub use keyring::{KeyRing, VerifyingKey};
pub use policy::Access;
pub use scope::{ManageScope, ReadScope, ViewRights, WriteScope};

pub use crate::catalog::issuers::EXPORT_SCOPE as EXPORT;
use crate::{
    catalog::Product,
    event::{OrganizationId, Timestamp},
};

/// Scope that permits recording.
pub const RECORD: &str = "audit:record";
/// Scope that permits deleting logs, and managing what the product file's `[management]` offers.
pub const MANAGE: &str = "audit:manage";
/// Scope of the platform's own people: any organization of the product, whatever its plan.
pub const STAFF: &str = "audit:staff";

/// Who a token says is asking.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The product whose issuer made the token.
    pub product: Arc<Product>,
    /// The organization that the token is for.
    pub organization: Option<OrganizationId>,
    /// Who it was made for.
    pub subject: String,
    /// What it permits.
    pub scopes: Vec<String>,
    /// Roles of the subject.
    pub roles: Vec<String>,
    /// The organization's plan.
    pub plan: Option<String>,
    /// Whether the plan is that which is kept for the organization, because the token names none.
    pub plan_is_kept: bool,
    /// E-mail address of the subject.
    pub email: Option<String>,
    /// Name of the subject.
    pub name: Option<String>,
    /// The logs that the token is narrowed to; none where it is not.
    pub logs: Vec<LogName>,
    /// When the token ends.
    pub expires_at: Timestamp,
    /// Whether the service itself made the token, for a partner or for a page. Such a token makes no other.
    pub is_partner: bool,
}

impl Principal {
    /// Whether the token has a scope.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|own| own == scope)
    }

    /// Whether it belongs to one of the platform's own people.
    #[must_use]
    pub fn is_staff(&self) -> bool {
        self.has_scope(STAFF)
    }
}

/// A log by its level and the product's own id of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogName {
    /// Level, as the product file names it.
    pub level: String,
    /// The product's own id.
    pub id: String,
}

impl LogName {
    /// The log of a level and an id.
    pub fn new(level: impl Into<String>, id: impl Into<String>) -> Self {
        Self { level: level.into(), id: id.into() }
    }

    /// Reads `level:id`; the id may have colons in it, a level never has.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (level, id) = text.split_once(':')?;
        (!level.is_empty() && !id.is_empty()).then(|| Self::new(level, id))
    }
}

impl fmt::Display for LogName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.level, self.id)
    }
}
