//! What an endpoint is to get, and as whom it reads.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    auth::{LogName, Principal},
    catalog::{Feature, Product},
    error::{Error, Result},
    event::{OrganizationId, Timestamp},
    question::input::FilterInput,
    reading::follow::Followed,
    store::control::endpoints::Lent,
};

/// Which events an endpoint gets, as it is stored.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Asked {
    /// Version of this form.
    pub v: u8,
    /// The log as `level:id`; the organization's own where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// Whether events of logs nested in it are sent too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_nested: Option<bool>,
    /// The filter.
    pub filter: FilterInput,
}

/// Whoever made the endpoint, as far as it may read.
pub fn principal(product: Option<Arc<Product>>, lent: &Lent) -> Result<Principal> {
    let Some(product) = product.filter(|product| product.offers(Feature::Endpoints).is_some()) else {
        return Err(Error::Forbidden(format!("the product {} offers no endpoints", lent.product)));
    };
    let rights = &lent.endpoint.rights;
    Ok(Principal {
        organization: Some(OrganizationId::new("organization", lent.organization.as_str())?),
        subject: lent.endpoint.id.clone(),
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

/// What the endpoint is to get.
pub fn followed(lent: &Lent) -> Result<Followed> {
    let Asked { v: _, log, include_nested, filter } =
        serde_json::from_str(&lent.endpoint.question).map_err(Error::internal)?;
    Ok(Followed { organization: None, log: log.as_deref().and_then(LogName::parse), include_nested, filter })
}
