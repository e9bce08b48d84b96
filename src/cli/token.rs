//! `ledgerline token`: a token signed with the development key of a product.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;

use super::{development_keys, unknown_product};
use crate::{
    auth::{self, Claims, LogName, OneOrMany},
    catalog::{Product, Products},
    clock::Clock,
    config::Settings,
    event::Timestamp,
};

/// What the token says.
#[derive(Args)]
pub struct TokenArgs {
    /// Product.
    #[arg(long)]
    product: String,
    /// Organization.
    #[arg(long)]
    organization: Option<String>,
    /// Scopes, separated by blanks: audit:read, audit:record, audit:export, audit:manage, audit:staff.
    #[arg(long)]
    scopes: String,
    /// Plan of the organization.
    #[arg(long)]
    plan: Option<String>,
    /// Role of the subject; may be given several times.
    #[arg(long)]
    role: Vec<String>,
    /// Who it is for.
    #[arg(long, default_value = "developer")]
    subject: String,
    /// Name of the subject.
    #[arg(long)]
    name: Option<String>,
    /// E-mail address of the subject.
    #[arg(long)]
    email: Option<String>,
    /// How long it is good for.
    #[arg(long, default_value = "1h", value_parser = humantime::parse_duration)]
    ttl: Duration,
    /// A log that it is narrowed to, as level:id; may be given several times.
    #[arg(long)]
    log: Vec<String>,
}

/// Makes the token.
pub fn make(settings: &Settings, products: &Products, arguments: &TokenArgs) -> Result<String> {
    let product = products.get(&arguments.product).with_context(|| unknown_product(products, &arguments.product))?;
    check(product, arguments)?;
    let mut claims = claims(product, &arguments.subject, &arguments.scopes, arguments.ttl);
    claims.org.clone_from(&arguments.organization);
    claims.plan.clone_from(&arguments.plan);
    claims.name.clone_from(&arguments.name);
    claims.email.clone_from(&arguments.email);
    claims.roles = (!arguments.role.is_empty()).then(|| OneOrMany::Many(arguments.role.clone()));
    claims.logs = (!arguments.log.is_empty()).then(|| arguments.log.clone());
    let keys = development_keys(settings, products)?;
    keys.sign(&product.name, &claims).map_err(|error| anyhow::anyhow!("{error}"))
}

/// A token that nobody could use is a slip of the pen.
fn check(product: &Product, arguments: &TokenArgs) -> Result<()> {
    let reading = product.access.scopes.iter().map(String::as_str);
    let known: Vec<&str> = reading.chain([auth::RECORD, auth::EXPORT, auth::MANAGE, auth::STAFF]).collect();
    let mut scopes = arguments.scopes.split_ascii_whitespace().peekable();
    if scopes.peek().is_none() || !scopes.all(|scope| known.contains(&scope)) {
        bail!("--scopes must be some of {}, separated by blanks, got {:?}", known.join(", "), arguments.scopes);
    }
    if arguments.ttl < Duration::from_secs(1) {
        bail!("--ttl must be at least a second");
    }
    for (option, text) in [("organization", arguments.organization.as_deref()), ("subject", Some(&arguments.subject))] {
        if text.is_some_and(|text| text.trim().is_empty()) {
            bail!("--{option} must not be empty");
        }
    }
    for log in &arguments.log {
        let levels: Vec<_> = product.levels.iter().map(|level| level.name.as_str()).collect();
        let name = LogName::parse(log).with_context(|| format!("--log must be level:id, got {log:?}"))?;
        if !levels.contains(&name.level.as_str()) {
            bail!("--log: the levels of {} are {}, got {:?}", product.name, levels.join(", "), name.level);
        }
    }
    Ok(())
}

/// Claims of a subject with scopes, good for a while from now.
pub fn claims(product: &Product, subject: &str, scopes: &str, ttl: Duration) -> Claims {
    let nanos = i64::try_from(ttl.as_nanos()).unwrap_or(i64::MAX);
    let until = Timestamp(Clock::system().now().0.saturating_add(nanos));
    Claims { scope: Some(scopes.to_owned()), ..Claims::new(product, subject, until) }
}
