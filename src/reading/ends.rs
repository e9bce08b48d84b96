//! The end of an organization, and what stays of it.

use super::Reader;
use crate::{
    auth::{Principal, policy},
    catalog::Feature,
    error::Result,
    store::control::ends::End,
};

impl Reader {
    /// The end of an organization, for those who may ask for it; also of one that has ended. `None` where nobody has asked.
    ///
    /// # Errors
    /// `NOT_FOUND`, `FORBIDDEN` or `PLAN_REQUIRED` where the principal may not.
    pub async fn end(&self, principal: &Principal, organization: Option<&str>) -> Result<Option<End>> {
        let scope = policy::may_administer(principal, organization, Feature::OrganizationEnd)?;
        scope.must_be_for_all_logs()?;
        self.store.end_of(&scope).await
    }
}
