//! The plan that is kept for an organization.

use super::Reader;
use crate::{
    auth::{Principal, policy},
    error::Result,
};

impl Reader {
    /// The plan that is kept for an organization, for those who may change it.
    ///
    /// # Errors
    /// `NOT_FOUND` or `FORBIDDEN` where the principal may not.
    pub async fn organization_plan(&self, principal: &Principal, organization: &str) -> Result<Option<String>> {
        let scope = policy::may_set_plan(principal, Some(organization))?;
        self.store.organization_plan(&scope.product().name, scope.organization()).await
    }
}
