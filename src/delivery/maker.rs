//! Whoever made an endpoint or a rule, as far as they may read: every reading for it asks the policy as them.

use std::sync::Arc;

use crate::{
    auth::Principal,
    catalog::Product,
    error::Result,
    event::{OrganizationId, Timestamp},
    store::control::tokens::Rights,
};

/// The maker of what has an id.
///
/// # Errors
/// `BAD_USER_INPUT` for an organization that cannot be one.
pub(super) fn principal(product: Arc<Product>, organization: &str, id: &str, rights: &Rights) -> Result<Principal> {
    Ok(Principal {
        organization: Some(OrganizationId::new("organization", organization)?),
        subject: id.to_owned(),
        scopes: product.access.scopes.clone(),
        roles: rights.roles.clone(),
        plan: rights.plan.clone(),
        email: None,
        name: None,
        logs: rights.logs.clone(),
        expires_at: Timestamp(i64::MAX),
        is_partner: false,
        product,
    })
}
