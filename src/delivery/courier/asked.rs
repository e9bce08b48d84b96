//! What an endpoint is to get, and as whom it reads.

use std::sync::Arc;

use crate::{
    auth::{LogName, Principal},
    catalog::{Feature, Product},
    delivery::maker,
    error::{Error, Result},
    question::asked::Asked,
    reading::follow::Followed,
    store::control::endpoints::Lent,
};

/// Whoever made the endpoint, as far as it may read.
pub fn principal(product: Option<Arc<Product>>, lent: &Lent) -> Result<Principal> {
    let Some(product) = product.filter(|product| product.offers(Feature::Endpoints).is_some()) else {
        return Err(Error::Forbidden(format!("the product {} offers no endpoints", lent.product)));
    };
    maker::principal(product, &lent.organization, &lent.endpoint.id, &lent.endpoint.rights)
}

/// What the endpoint is to get.
pub fn followed(lent: &Lent) -> Result<Followed> {
    let Asked { v: _, log, include_nested, filter } =
        serde_json::from_str(&lent.endpoint.question).map_err(Error::internal)?;
    Ok(Followed { organization: None, log: log.as_deref().and_then(LogName::parse), include_nested, filter })
}
