//! Whoever made an endpoint or a rule, as far as they may read: every reading for it asks the policy as them.

use std::sync::Arc;

use crate::{
    auth::Principal,
    catalog::{Feature, Product, Products},
    error::{Error, Result},
    event::{OrganizationId, Timestamp},
    keys::Plans,
    store::control::tokens::Rights,
};

/// The product that something was made in, if it still offers that.
///
/// # Errors
/// `FORBIDDEN` where it does not, or is not served any more.
pub(super) fn product(products: &Products, name: &str, feature: Feature) -> Result<Arc<Product>> {
    let product = products.get(name).filter(|product| product.offers(feature).is_some()).cloned();
    product.ok_or_else(|| Error::Forbidden(format!("the product {name} offers no {}", feature.as_str())))
}

/// The maker of what has an id. Where they had the plan that is kept for their organization, they have what that is now.
///
/// # Errors
/// `BAD_USER_INPUT` for an organization that cannot be one; those of the database, where nobody knows the plan.
pub(super) async fn principal(
    product: Arc<Product>,
    organization: &str,
    id: &str,
    rights: &Rights,
    plans: &Plans,
    now: Timestamp,
) -> Result<Principal> {
    let mut principal = Principal {
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
        plan_is_kept: false,
        product,
    };
    plans.complete(&mut principal, now).await?;
    Ok(principal)
}
