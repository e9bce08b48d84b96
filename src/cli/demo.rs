//! `ledgerline demo`: everything in one process, filled with sample events.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};

use super::{development_keys, listen, recorder, say, stop_signal, token};
use crate::{
    app::{App, shown, with_cause},
    auth::{LogName, OneOrMany, Principal},
    catalog::{Product, Products},
    chance::Chance,
    clock::Clock,
    config::Settings,
    demo::{self, DemoOrganization, DemoStep},
    error::Error,
    event::input::RecordInput,
    graphql::Services,
    ingest::{self, Deletion},
    keys::{DevelopmentKeys, Keys},
};

/// How long the printed tokens are good for.
const TTL: Duration = Duration::from_secs(7 * 24 * 3600);

/// Fills empty organizations and serves.
pub async fn run(settings: &Settings, products: &Products) -> Result<()> {
    // Nobody should be kept from trying things out by a limit.
    let settings = &Settings { read_rate: 0, ..settings.clone() };
    let development = development_keys(settings, products)?;
    let keys = Keys::new(products, Some(development_keys(settings, products)?))
        .map_err(|faults| anyhow::anyhow!("the keys have faults:\n{}", faults.join("\n")))?;
    let listener = listen(settings).await?;
    let app = App::start(settings, keys, Clock::system(), Chance::system()).await?;
    let base = format!("http://{}", listener.local_addr()?);
    say(format_args!(
        "Ledgerline demo at {base}\n  playground  {base}/playground\n  API         {base}/graphql\n  database    {}\n  keys        {}\n",
        shown(&settings.database_url),
        settings.keys_folder().display()
    ))?;
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
        print(product, &development, &base)?;
    }
    say("ready. Stop with Ctrl-C.")?;
    app.serve(listener, stop_signal()).await
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

/// A link and a token for each organization of a product.
fn print(product: &Arc<Product>, development: &DevelopmentKeys, base: &str) -> Result<()> {
    say(&product.label)?;
    for organization in demo::organizations(&product.name) {
        let Some(admin) = organization.admin() else { continue };
        let mut claims = token::claims(product, admin.id, "audit:read audit:record audit:manage", TTL);
        claims.org = Some(organization.id.to_owned());
        claims.plan = organization.plan.map(str::to_owned);
        claims.name = Some(admin.name.to_owned());
        claims.email = Some(admin.email.to_owned());
        claims.role = Some(OneOrMany::One(admin.role.to_owned()));
        let token = development.sign(&product.name, &claims).map_err(|error| anyhow::anyhow!("{error}"))?;
        let plan = organization.plan.map(|plan| format!(", plan {plan}")).unwrap_or_default();
        say(format_args!("  {} ({}{plan}), as {}", organization.name, organization.id, admin.name))?;
        say(format_args!("    link   {base}/#token={token}"))?;
        say(format_args!("    token  {token}"))?;
    }
    say("")
}
