//! The first page of the demo: whoever opens it chooses a product and a person, and is in their log.

use std::time::Duration;

use anyhow::Result;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::{
    auth::{Claims, OneOrMany},
    catalog::{Product, Products},
    cli::token,
    demo::{self, DemoOrganization, DemoPerson},
    keys::DevelopmentKeys,
};

/// How long its tokens are good for.
const TTL: Duration = Duration::from_secs(7 * 24 * 3600);
/// What people of organizations may do, as far as their role and plan let them.
const SCOPES: &str = "audit:read audit:record audit:export audit:manage";
/// What the product's own staff may do.
const STAFF: &str = "audit:read audit:staff";

const STYLE: &str = "
    :root { color-scheme: light dark; }
    body { margin: 0 auto; padding: 32px 20px 64px; max-width: 60rem; font: 16px/1.5 system-ui, sans-serif;
      background: light-dark(#fff, #16181d); color: light-dark(#1b1f24, #e6e8eb); }
    h1 { margin: 0; font-size: 1.6rem; }
    h2 { margin: 2.2rem 0 .3rem; font-size: 1.15rem; }
    p { margin: .3rem 0 0; color: light-dark(#57606a, #a0a7b0); }
    table { width: 100%; border-collapse: collapse; }
    th, td { padding: .45rem .6rem .45rem 0; border-top: 1px solid light-dark(#d8dee4, #30353d); text-align: start;
      vertical-align: baseline; }
    th { font-weight: 400; width: 16rem; }
    a { color: light-dark(#0a58ca, #7db3ff); }
    small { color: light-dark(#57606a, #a0a7b0); }
    summary { cursor: pointer; color: light-dark(#57606a, #a0a7b0); }
    textarea { box-sizing: border-box; width: 18rem; height: 5rem; font: 12px/1.4 ui-monospace, monospace; }
    @media (max-width: 40rem) { th, td { display: block; width: auto; } td { border: 0; padding-top: 0; }
      textarea { width: 100%; } }
";

/// Somebody who can read as themselves, or be refused.
struct Reader {
    name: String,
    what: String,
    /// Where their log is, below the page.
    log: String,
    token: String,
    /// Whether the token is good for recording.
    records: bool,
}

/// The page, as HTML.
///
/// # Errors
/// Where a token cannot be signed.
pub fn of(products: &Products, keys: &DevelopmentKeys) -> Result<String> {
    let served = products.iter().filter(|product| demo::PRODUCTS.contains(&product.name.as_str()));
    let mut sections = Vec::new();
    for product in served {
        let mut organizations = Vec::new();
        for organization in demo::organizations(&product.name) {
            organizations.push((organization.clone(), readers(product, &organization, keys)?));
        }
        sections.push(section(product, &organizations));
    }
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                title { "Ledgerline demo" }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { "Ledgerline demo" }
                    p {
                        "Five products keep their audit logs here. Read one as somebody of theirs: the link signs you in, \
                         in this tab and for seven days at most. Whoever may not read is told why."
                    }
                    @for section in &sections { (section) }
                }
            }
        }
    };
    Ok(page.into_string())
}

fn section(product: &Product, organizations: &[(DemoOrganization, Vec<Reader>)]) -> Markup {
    html! {
        section aria-labelledby=(product.name) {
            h2 id=(product.name) { (product.label) }
            table {
                @for (organization, readers) in organizations {
                    @for reader in readers {
                        tr {
                            th scope="row" {
                                (organization.name)
                                @if let Some(plan) = organization.plan { " " small { "(" (product.plan_labels.of(plan)) ")" } }
                            }
                            td { a href=(reader.log) { (reader.name) } br; small { (reader.what) } }
                            td {
                                @if reader.records {
                                    a href=(format!("playground?example=record#token={}", reader.token)) { "Record an event" }
                                }
                            }
                            td { a href=(format!("playground#token={}", reader.token)) { "Playground" } }
                            td { details { summary { "Token" } textarea readonly aria-label=(format!("Token of {}", reader.name)) { (reader.token) } } }
                        }
                    }
                }
            }
        }
    }
}

/// An organization's administrator, somebody of it who is none, and, for the first, the product's staff.
fn readers(product: &Product, organization: &DemoOrganization, keys: &DevelopmentKeys) -> Result<Vec<Reader>> {
    let mut readers = Vec::new();
    for person in [organization.admin(), organization.member()].into_iter().flatten() {
        readers.push(person_of(product, organization, person, keys)?);
    }
    if organization.id == demo::organizations(&product.name)[0].id {
        let mut claims = token::claims(product, "staff-1", STAFF, TTL);
        claims.name = Some("Support".to_owned());
        let token = sign(product, &claims, keys)?;
        let log = format!("log?organization={}#token={token}", organization.id);
        readers.push(Reader { name: "Support".to_owned(), what: "staff".to_owned(), log, token, records: false });
    }
    Ok(readers)
}

fn person_of(
    product: &Product,
    organization: &DemoOrganization,
    person: &DemoPerson,
    keys: &DevelopmentKeys,
) -> Result<Reader> {
    let mut claims = token::claims(product, person.id, SCOPES, TTL);
    claims.org = Some(organization.id.to_owned());
    claims.plan = organization.plan.map(str::to_owned);
    claims.name = Some(person.name.to_owned());
    claims.email = Some(person.email.to_owned());
    claims.role = Some(OneOrMany::One(person.role.to_owned()));
    let token = sign(product, &claims, keys)?;
    let what = product.role_labels.of(person.role).to_owned();
    Ok(Reader { name: person.name.to_owned(), what, log: format!("log#token={token}"), token, records: true })
}

fn sign(product: &Product, claims: &Claims, keys: &DevelopmentKeys) -> Result<String> {
    keys.sign(&product.name, claims).map_err(|error| anyhow::anyhow!("{error}"))
}
