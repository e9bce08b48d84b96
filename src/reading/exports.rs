//! Exports that were asked for, for whoever may export the same.

use super::Reader;
use crate::{
    auth::{Principal, policy},
    error::{Error, Result},
    event::limits,
    store::control::exports::Export,
};

impl Reader {
    /// Exports of an organization, the newest first.
    ///
    /// # Errors
    /// `NOT_FOUND`, `FORBIDDEN` or `PLAN_REQUIRED` where the principal may not export, and `BAD_USER_INPUT` on `first`.
    pub async fn exports(&self, principal: &Principal, organization: Option<&str>, first: i64) -> Result<Vec<Export>> {
        let scope = policy::may_export(principal, organization)?;
        let most = limits::PAGE_MAX as u64;
        let limit = u64::try_from(first).ok().filter(|first| *first <= most);
        let limit = limit.ok_or_else(|| Error::bad_input("first", format!("must be from 0 to {most}, got {first}")))?;
        self.store.exports(&scope, limit).await
    }

    /// An export by its id.
    ///
    /// # Errors
    /// As [`Self::exports`]; `NOT_FOUND` also where there is none, or it reaches further than the principal may read.
    pub async fn export_by_id(&self, principal: &Principal, organization: Option<&str>, id: &str) -> Result<Export> {
        let scope = policy::may_export(principal, organization)?;
        self.store.export(&scope, id).await
    }
}
