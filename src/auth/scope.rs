//! What [`policy`](super::policy) permitted, as a value.

use std::sync::Arc;

use super::LogName;
use crate::{
    catalog::{Feature, Management, Product},
    error::{Error, Result},
    event::OrganizationId,
};

/// Permission to read: of whom, and which logs. Only [`policy`](super::policy) makes one.
#[derive(Clone, Debug)]
pub struct ReadScope {
    pub(super) product: Arc<Product>,
    pub(super) organization: Option<OrganizationId>,
    pub(super) log: Option<LogName>,
    pub(super) include_nested: Option<bool>,
    pub(super) allowed: Vec<LogName>,
    pub(super) subject: String,
    pub(super) staff: bool,
}

impl ReadScope {
    /// The product.
    #[must_use]
    pub fn product(&self) -> &Arc<Product> {
        &self.product
    }

    /// The organization; `None` only from [`may_find`](super::policy::may_find), for staff: any of the product.
    #[must_use]
    pub fn organization(&self) -> Option<&str> {
        self.organization.as_deref()
    }

    /// The log that is read; `None` is the organization's own.
    #[must_use]
    pub fn log(&self) -> Option<&LogName> {
        self.log.as_ref()
    }

    /// Whether the logs below are read too; `None` is as the level says.
    #[must_use]
    pub fn include_nested(&self) -> Option<bool> {
        self.include_nested
    }

    /// The logs that the token is narrowed to, each with those below it; none means all of the organization.
    #[must_use]
    pub fn allowed_logs(&self) -> &[LogName] {
        &self.allowed
    }

    /// Who reads.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Whether one of the platform's own people reads.
    #[must_use]
    pub fn is_staff(&self) -> bool {
        self.staff
    }
}

/// Permission to record or to manage: for whom, and in which logs. Only [`policy`](super::policy) makes one.
#[derive(Clone, Debug)]
pub struct WriteScope {
    pub(super) product: Arc<Product>,
    pub(super) organization: OrganizationId,
    pub(super) log: Option<LogName>,
    pub(super) allowed: Vec<LogName>,
    pub(super) subject: String,
    pub(super) staff: bool,
}

impl WriteScope {
    /// The product.
    #[must_use]
    pub fn product(&self) -> &Arc<Product> {
        &self.product
    }

    /// The organization.
    #[must_use]
    pub fn organization(&self) -> &str {
        &self.organization
    }

    /// The log that may be managed; `None` where the scope is for recording.
    #[must_use]
    pub fn log(&self) -> Option<&LogName> {
        self.log.as_ref()
    }

    /// The logs that the token is narrowed to, each with those below it; none means all of the organization.
    #[must_use]
    pub fn allowed_logs(&self) -> &[LogName] {
        &self.allowed
    }

    /// Who writes: `recordedBy` of what is recorded.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Whether one of the platform's own people writes.
    #[must_use]
    pub fn is_staff(&self) -> bool {
        self.staff
    }
}

/// Permission to manage a feature of an organization's log, and to record the event that tells of it. Only
/// [`policy`](super::policy) makes one.
#[derive(Clone, Debug)]
pub struct ManageScope {
    pub(super) write: WriteScope,
    pub(super) management: Management,
    pub(super) feature: Feature,
}

impl ManageScope {
    /// The product.
    #[must_use]
    pub fn product(&self) -> &Arc<Product> {
        &self.write.product
    }

    /// The organization.
    #[must_use]
    pub fn organization(&self) -> &str {
        &self.write.organization
    }

    /// What may be managed.
    #[must_use]
    pub fn feature(&self) -> Feature {
        self.feature
    }

    /// What the product file says of managing.
    #[must_use]
    pub fn management(&self) -> &Management {
        &self.management
    }

    /// The logs that whoever manages is narrowed to; none means all of the organization. What they make MUST NOT reach
    /// further.
    #[must_use]
    pub fn allowed_logs(&self) -> &[LogName] {
        &self.write.allowed
    }

    /// Refuses whoever is narrowed to logs: what is managed concerns all of them.
    ///
    /// # Errors
    /// `FORBIDDEN`.
    pub fn must_be_for_all_logs(&self) -> Result<()> {
        if self.write.allowed.is_empty() { Ok(()) } else { Err(Error::other_logs()) }
    }

    /// Who manages.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.write.subject
    }

    /// The permission to record the event that tells of a change.
    #[must_use]
    pub fn telling(&self) -> &WriteScope {
        &self.write
    }
}
