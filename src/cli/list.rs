//! Which list a command reads, straight from the database, for whoever runs the service.

use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Args;

use super::{development_keys, principal};
use crate::{
    app::{open_store, with_cause},
    auth::{LogName, Principal},
    catalog::Products,
    chance::Chance,
    clock::Clock,
    config::Settings,
    keys::Keys,
    store::Store,
};

/// The list.
#[derive(Args)]
pub struct ListArgs {
    /// Product.
    #[arg(long)]
    pub product: String,
    /// Organization.
    #[arg(long)]
    pub organization: String,
    /// The log, as level:id; the organization's own where absent.
    #[arg(long)]
    log: Option<String>,
    /// Whether events of logs nested in it come too; the level's setting where absent.
    #[arg(long, action = clap::ArgAction::Set)]
    pub include_nested: Option<bool>,
}

impl ListArgs {
    /// The log, where one is named.
    pub fn log(&self) -> Result<Option<LogName>> {
        let read = |log| LogName::parse(log).with_context(|| format!("--log must be level:id, got {log:?}"));
        self.log.as_deref().map(read).transpose()
    }

    /// Whoever runs the service as a reader of the product, and the open database.
    pub async fn open(
        &self,
        settings: &Settings,
        products: &Products,
        subject: &str,
    ) -> Result<(Arc<Principal>, Store)> {
        let development = development_keys(settings, products)?;
        let keys =
            Keys::new(products, Some(development.clone())).map_err(|faults| anyhow::anyhow!(faults.join("\n")))?;
        let product = products.get(&self.product);
        let scopes = product.map(|product| product.access.scopes.join(" ") + " audit:staff").unwrap_or_default();
        let principal = principal(&keys, &development, products, &self.product, subject, &scopes).await?;
        let store = open_store(settings, &Clock::system(), Chance::system()).await?;
        store.refuse_unfinished_copy().await.map_err(with_cause)?;
        Ok((principal, store))
    }
}
