//! `ledgerline demo`: everything in one process, filled with sample events, with a page that lets people in.

mod page;

use std::sync::Arc;

use anyhow::{Context, Result};

use super::{development_keys, listen::Door, recorder, say, stop_signal};
use crate::{
    app::{App, shown, with_cause},
    auth::{LogName, Principal},
    catalog::{Product, Products},
    chance::Chance,
    clock::Clock,
    config::Settings,
    demo::{self, DemoOrganization, DemoStep},
    error::Error,
    event::input::RecordInput,
    graphql::Services,
    ingest::{self, Deletion},
    keys::Keys,
};

/// Fills empty organizations and serves.
pub async fn run(settings: &Settings, products: &Products) -> Result<()> {
    // Nobody should be kept from trying things out by a limit.
    let settings = &Settings { read_rate: 0, record_rate: 0, ..settings.clone() };
    let development = development_keys(settings, products)?;
    let keys = Keys::new(products, Some(development_keys(settings, products)?))
        .map_err(|faults| anyhow::anyhow!("the keys have faults:\n{}", faults.join("\n")))?;
    let door = Door::open(settings).await?;
    let app = App::start(settings, keys, Clock::system(), Chance::system()).await?;
    let base = format!("{}{}", door.address()?, settings.base_path);
    say(format_args!("Ledgerline demo at {base}"))?;
    for product in products.iter().filter(|product| demo::PRODUCTS.contains(&product.name.as_str())) {
        let recorder = recorder(&app.keys, &development, products, &product.name, "demo").await?;
        for organization in demo::organizations(&product.name) {
            let recorded = seed(&app, product, &organization, &recorder).await?;
            if recorded > 0 {
                tracing::info!(
                    product = product.name,
                    organization = organization.id,
                    events = recorded,
                    "recorded {recorded} sample events"
                );
            }
        }
    }
    app.show_first(page::of(products, &development)?);
    say(format_args!(
        "  logs        {base}/ lists five products and their people: one click each\n  \
           playground  {base}/playground\n  \
           API         {base}/graphql\n  \
           tokens      on that page, or by: ledgerline token\n  \
           database    {}\n  \
           keys        {}\n\
         ready. Stop with Ctrl-C.",
        shown(&settings.database_url),
        settings.keys_folder().display()
    ))?;
    door.serve(app, stop_signal()).await
}

/// Records the sample events of an organization that has none. Where another demo does so at the same time, it is left
/// to that one.
async fn seed(
    app: &App,
    product: &Arc<Product>,
    organization: &DemoOrganization,
    recorder: &Principal,
) -> Result<usize> {
    if app.store.dictionary_of(&product.name, organization.id).await.map_err(with_cause)?.is_some() {
        return Ok(0);
    }
    match fill(&app.services, product, organization, recorder).await {
        Err(error @ Error::Conflict { .. }) => {
            tracing::info!(organization = organization.id, "another process fills {}: {error}", organization.id);
            Ok(0)
        }
        done => done.map_err(with_cause).with_context(|| format!("the sample events of {}", organization.id)),
    }
}

async fn fill(
    services: &Services,
    product: &Arc<Product>,
    organization: &DemoOrganization,
    recorder: &Principal,
) -> Result<usize, Error> {
    let Services { writer, clock, .. } = services;
    let now = clock.now();
    let mut recorded = 0;
    let mut items = Vec::new();
    for step in demo::events(&product.name, organization.id, now) {
        let event = RecordInput { organization: Some(organization.id.to_owned()), ..step.event().clone() };
        match step {
            DemoStep::Record(_) => items.push(ingest::item(writer, recorder, event.into(), now)?),
            DemoStep::DeleteLog { log, .. } => {
                ingest::record_all(writer, std::mem::take(&mut items)).await?;
                let log = LogName { level: log.level, id: log.id };
                let deletion = Deletion::of(recorder, Some(organization.id), log)?;
                deletion.carry_out(writer, Some(event.into()), now).await?;
            }
        }
        recorded += 1;
    }
    ingest::record_all(writer, items).await?;
    Ok(recorded)
}
