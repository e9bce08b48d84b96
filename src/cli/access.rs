//! `ledgerline access`: who may do what by the product files, and what a change of them changes of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Result, bail};
use clap::Args;

use super::say;
use crate::{
    auth::{EXPORT, LogName, MANAGE, Principal, RECORD, STAFF, policy},
    catalog::{Feature, Product, Products},
    error::Error,
    event::{OrganizationId, Timestamp},
};

/// Exit code where something changes; a fault has 1.
const CHANGED: u8 = 3;
/// A role or a plan that no product file names.
const OTHER: &str = "any other";

/// Which product, and what it is compared with.
#[derive(Args)]
pub struct AccessArgs {
    /// Product; all of them where absent.
    #[arg(long)]
    product: Option<String>,
    /// Folder of the product files as they were before: prints only what is another answer now, and ends with 3 where
    /// anything is.
    #[arg(long, value_name = "FOLDER")]
    before: Option<PathBuf>,
}

/// Somebody of an organization, with a token of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Who {
    scopes: Vec<String>,
    /// The role; any does where no file names one.
    role: String,
    /// The plan; none for `-`.
    plan: String,
    /// Whether the token is narrowed to a nested log.
    is_narrowed: bool,
}

/// The answers of a product: for each who, what is asked and what comes of it.
type Answers = BTreeMap<Who, Vec<(String, String)>>;

/// Prints the answers, or those that have changed.
pub fn run(products: &Products, arguments: &AccessArgs) -> Result<ExitCode> {
    let before = match &arguments.before {
        Some(folder) => Some(
            Products::load(folder)
                .map_err(|errors| anyhow::anyhow!("the product files of before have faults:\n{errors}"))?,
        ),
        None => None,
    };
    let all = |products: &Products| products.iter().map(|product| product.name.clone()).collect::<Vec<_>>();
    let mut names: BTreeSet<String> = all(products).into_iter().collect();
    names.extend(before.iter().flat_map(all));
    if let Some(wanted) = &arguments.product {
        if !names.contains(wanted) {
            bail!("--product must be one of {}", names.into_iter().collect::<Vec<_>>().join(", "));
        }
        names.retain(|name| name == wanted);
    }
    let mut changed = 0;
    for name in names {
        let (now, then) = (products.get(&name), before.as_ref().map(|before| before.get(&name)));
        let both: Vec<&Product> = [now, then.flatten()].into_iter().flatten().map(|product| &**product).collect();
        let everybody = everybody(&both);
        match then {
            None => {
                for (who, answers) in now.map(|now| answers(now, &everybody)).unwrap_or_default() {
                    print(&name, &who, answers.into_iter().map(|(what, answer)| (answer, what)))?;
                }
            }
            Some(then) => {
                let of = |product: Option<&Arc<Product>>| product.map(|product| answers(product, &everybody));
                let (now, then) = (of(now), of(then));
                for who in &everybody {
                    let changes = changes(who, then.as_ref(), now.as_ref());
                    changed += changes.len();
                    print(&name, who, changes)?;
                }
            }
        }
    }
    match (before, changed) {
        (None, _) => Ok(ExitCode::SUCCESS),
        (Some(_), 0) => say("nobody may do anything else than before").map(|()| ExitCode::SUCCESS),
        (Some(_), _) => {
            say(format_args!("{changed} answers are others than before"))?;
            Ok(ExitCode::from(CHANGED))
        }
    }
}

/// A line for each answer, or change of one, with all that it is of.
fn print(product: &str, who: &Who, answers: impl IntoIterator<Item = (String, String)>) -> Result<()> {
    let mut lines: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (answer, what) in answers {
        lines.entry(answer).or_default().push(what);
    }
    let scopes = if who.scopes.is_empty() { "-".to_owned() } else { who.scopes.join(" ") };
    let logs = if who.is_narrowed { "a nested log" } else { "all" };
    for (answer, what) in lines {
        let Who { role, plan, .. } = who;
        say(format_args!(
            "{product} | scopes {scopes} | role {role} | plan {plan} | logs {logs} | {answer}: {}",
            what.join(", ")
        ))?;
    }
    Ok(())
}

/// What is asked and answered otherwise than before, each with both answers.
fn changes(who: &Who, then: Option<&Answers>, now: Option<&Answers>) -> Vec<(String, String)> {
    let of = |answers: Option<&Answers>| -> BTreeMap<String, String> {
        answers.and_then(|answers| answers.get(who)).into_iter().flatten().cloned().collect()
    };
    let (then, now) = (of(then), of(now));
    let nothing = "no such product".to_owned();
    let asked: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
    let change = |what: &String| {
        let (then, now) = (then.get(what).unwrap_or(&nothing), now.get(what).unwrap_or(&nothing));
        (then != now).then(|| (format!("{then} -> {now}"), what.clone()))
    };
    asked.into_iter().filter_map(change).collect()
}

/// Everybody who may come, by the names of all of these versions of a product.
fn everybody(products: &[&Product]) -> BTreeSet<Who> {
    let names = |of: &dyn Fn(&Product) -> Vec<String>| -> BTreeSet<String> {
        products.iter().flat_map(|product| of(product)).chain([OTHER.to_owned()]).collect()
    };
    let of_management = |product: &Product, of: fn(&crate::catalog::Management) -> &Vec<String>| {
        product.management.as_ref().map(of).cloned().unwrap_or_default()
    };
    let roles = names(&|product| [product.access.roles.clone(), of_management(product, |rules| &rules.roles)].concat());
    let mut plans =
        names(&|product| [product.access.plans.clone(), of_management(product, |rules| &rules.plans)].concat());
    plans.insert("-".to_owned());
    let reading: BTreeSet<&String> = products.iter().flat_map(|product| &product.access.scopes).collect();
    let mut scopes = vec![vec![], vec![RECORD], vec![MANAGE], vec![STAFF]];
    for scope in reading {
        scopes.extend([vec![scope.as_str()], vec![scope, MANAGE], vec![scope, EXPORT], vec![scope, STAFF]]);
    }
    let has_nested = products.iter().any(|product| product.levels.len() > 1);
    let mut all = BTreeSet::new();
    for scopes in &scopes {
        let scopes: Vec<String> = scopes.iter().map(|&scope| scope.to_owned()).collect();
        for role in &roles {
            for plan in &plans {
                for is_narrowed in [false, true].into_iter().take(1 + usize::from(has_nested)) {
                    let (scopes, role, plan) = (scopes.clone(), role.clone(), plan.clone());
                    all.insert(Who { scopes, role, plan, is_narrowed });
                }
            }
        }
    }
    all
}

/// What everybody is answered by a product.
fn answers(product: &Arc<Product>, everybody: &BTreeSet<Who>) -> Answers {
    everybody.iter().map(|who| (who.clone(), answers_to(&principal(product, who)))).collect()
}

fn answers_to(p: &Principal) -> Vec<(String, String)> {
    fn answer<T>(result: Result<T, Error>) -> String {
        result.map_or_else(|error| error.code().as_str().to_owned(), |_| "yes".to_owned())
    }
    let log = |level: &str| LogName::new(level, "x");
    let mut all = vec![
        ("read".to_owned(), answer(policy::may_read(p, None, None, None))),
        ("look up by id".to_owned(), answer(policy::may_find(p))),
        ("export".to_owned(), answer(policy::may_export(p, None))),
        ("save views".to_owned(), answer(policy::may_save_views(p, None))),
        ("record".to_owned(), answer(policy::may_record(p, None))),
        ("set a plan".to_owned(), answer(policy::may_set_plan(p, None))),
    ];
    for level in p.product.levels.iter().skip(1) {
        let name = &level.name;
        all.push((format!("read a {name}"), answer(policy::may_read(p, None, Some(log(name)), None))));
        all.push((format!("delete a {name}"), answer(policy::may_manage(p, None, &log(name)))));
    }
    let manage = |feature: Feature| (feature.as_str(), answer(policy::may_administer(p, None, feature)));
    all.extend(Feature::ALL.map(manage).map(|(feature, answer)| (format!("manage {feature}"), answer)));
    all
}

fn principal(product: &Arc<Product>, who: &Who) -> Principal {
    let nested = product.levels.iter().skip(1).map(|level| LogName::new(level.name.clone(), "x"));
    Principal {
        product: product.clone(),
        organization: OrganizationId::new("organization", "org_1").ok(),
        subject: "somebody".to_owned(),
        scopes: who.scopes.clone(),
        roles: vec![who.role.clone()],
        plan: Some(who.plan.clone()).filter(|plan| plan != "-"),
        plan_is_kept: false,
        email: None,
        name: None,
        logs: nested.take(usize::from(who.is_narrowed)).collect(),
        expires_at: Timestamp::LATEST,
        is_partner: false,
    }
}
