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

/// Which saved views somebody sees, changes and deletes: it hangs on whose they are, and whether they are shared. Only
/// [`policy`](super::policy) makes one.
#[derive(Clone, Debug)]
pub struct ViewRights {
    pub(super) subject: String,
    /// Whether they may share views, and change what others share.
    pub(super) shares: bool,
    /// Whether they see what others share.
    pub(super) sees_shared: bool,
}

impl ViewRights {
    /// Whether a view is their own.
    #[must_use]
    pub fn owns(&self, owner: &str) -> bool {
        self.subject == owner
    }

    /// Whether they see what others share. Whoever is narrowed to logs does not: it may name what lies elsewhere.
    #[must_use]
    pub fn sees_shared(&self) -> bool {
        self.sees_shared
    }

    /// Whether they see a view.
    #[must_use]
    pub fn sees(&self, owner: &str, is_shared: bool) -> bool {
        self.owns(owner) || (is_shared && self.sees_shared)
    }

    /// Whether they may give a view another name or question. What all readers see is changed by those alone who may share.
    #[must_use]
    pub fn may_change(&self, owner: &str, is_shared: bool) -> bool {
        if is_shared { self.shares } else { self.owns(owner) }
    }

    /// Whether they may delete a view. What somebody has shared is theirs to take back, whatever has become of their role.
    #[must_use]
    pub fn may_delete(&self, owner: &str, is_shared: bool) -> bool {
        self.owns(owner) || (is_shared && self.shares)
    }

    /// Refuses a change of a view that they see, by what it was and would be.
    ///
    /// # Errors
    /// `FORBIDDEN`.
    pub fn check_change(&self, owner: &str, was_shared: bool, is_shared: bool) -> Result<()> {
        if is_shared && !self.shares {
            let what = if was_shared { "changing a shared view" } else { "sharing a view" };
            return Err(Error::Forbidden(format!(
                "{what} takes what managing this audit log takes, for all of its logs"
            )));
        }
        if !is_shared && !self.owns(owner) {
            return Err(Error::Forbidden("a shared view becomes private by whoever saved it".to_owned()));
        }
        Ok(())
    }

    /// Refuses to delete a view that they see.
    ///
    /// # Errors
    /// `FORBIDDEN`.
    pub fn check_deletion(&self, owner: &str, is_shared: bool) -> Result<()> {
        if self.may_delete(owner, is_shared) {
            return Ok(());
        }
        let why = "deleting what somebody else shares takes what managing this audit log takes, for all of its logs";
        Err(Error::Forbidden(why.to_owned()))
    }
}
