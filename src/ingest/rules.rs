//! What a product's catalog says of an event: whether it has a place for it, and what it fills in.

use crate::{
    catalog::{Catalog, Product, Rules, management::own_label},
    error::{Error, Result},
    event::{Actor, ActorKind, Outcome, input::RecordInput},
};

/// What the catalog makes of an event.
pub struct Filled {
    /// The category that was sent, else the action's.
    pub category: Option<String>,
    /// The outcome that was sent, else the action's usual one.
    pub outcome: Option<Outcome>,
}

/// Checks an event of a log at `level` against the catalog, and fills in what that knows.
///
/// # Errors
/// `BAD_USER_INPUT` naming field and rule, with the nearest names for an unknown action.
pub fn apply(product: &Product, input: &RecordInput, level: &str) -> Result<Filled> {
    let catalog = &product.catalog;
    check_action(product, input)?;
    let unknown = Rules::default();
    let rules = catalog.rules(&input.action).unwrap_or(&unknown);
    check_level(product, rules, &input.action, level)?;
    check_actors(product, rules, input)?;
    check_outcome(rules, input)?;
    let category = category_of(catalog, rules, input)?;
    Ok(Filled { category, outcome: input.outcome.or(rules.default_outcome) })
}

fn check_action(product: &Product, input: &RecordInput) -> Result<()> {
    let catalog = &product.catalog;
    let refused = |rule: String| {
        let suggestions = catalog.nearest(&input.action);
        Error::BadInput { field: "action".to_owned(), rule, given: Some(input.action.clone()), suggestions }
    };
    if own_label(&input.action).is_some() {
        let rule = "is an action of the service itself, which alone records it";
        return Err(Error::bad_input("action", format!("{:?} {rule}", input.action)));
    }
    if !catalog.admits(&input.action) {
        return Err(refused(format!("must be an action of the catalog of {}, which is closed", product.label)));
    }
    match catalog.form {
        Some(form) if !form.fits(&input.action) => Err(refused(form.rule().to_owned())),
        _ => Ok(()),
    }
}

/// An action that belongs to certain levels is recorded in a log of one of them.
fn check_level(product: &Product, rules: &Rules, action: &str, level: &str) -> Result<()> {
    product.check_level("log.level", level)?;
    if product.record_reads.as_deref() == Some(level) {
        return Err(Error::bad_input("log.level", "tells of reads, and the service alone records there"));
    }
    if rules.levels.is_empty() || rules.levels.iter().any(|each| each == level) {
        return Ok(());
    }
    let rule = format!("the action {action} belongs to level {}, not to {level}", rules.levels.join(" or "));
    Err(Error::bad_input("log.level", rule))
}

/// The product takes certain kinds of actor, and of those the action may take some.
fn check_actors(product: &Product, rules: &Rules, input: &RecordInput) -> Result<()> {
    let of_product = &product.catalog.actor_kinds;
    let known = |field: &str, actor: &Actor| match is_taken(of_product, actor.kind) {
        true => Ok(()),
        false => Err(Error::bad_input(
            field,
            format!("must be a kind of actor of {}: {}, got {}", product.label, names(of_product), actor.kind.as_str()),
        )),
    };
    known("actor.kind", &input.actor)?;
    input.on_behalf_of.as_ref().map_or(Ok(()), |actor| known("onBehalfOf.kind", actor))?;
    if is_taken(&rules.actor_kinds, input.actor.kind) {
        return Ok(());
    }
    let rule = format!(
        "must be {} for the action {}, got {}",
        names(&rules.actor_kinds),
        input.action,
        input.actor.kind.as_str()
    );
    Err(Error::bad_input("actor.kind", rule))
}

fn is_taken(kinds: &[ActorKind], kind: ActorKind) -> bool {
    kinds.is_empty() || kinds.contains(&kind)
}

fn names(kinds: &[ActorKind]) -> String {
    kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(" or ")
}

/// An action whose name says how it ended is not recorded with another end.
fn check_outcome(rules: &Rules, input: &RecordInput) -> Result<()> {
    match input.outcome {
        Some(sent) if !rules.outcomes.is_empty() && !rules.outcomes.contains(&sent) => {
            let taken: Vec<_> = rules.outcomes.iter().map(|outcome| outcome.as_str()).collect();
            let rule = format!("must be {} for the action {}, got {}", taken.join(" or "), input.action, sent.as_str());
            Err(Error::bad_input("outcome", rule))
        }
        _ => Ok(()),
    }
}

fn category_of(catalog: &Catalog, rules: &Rules, input: &RecordInput) -> Result<Option<String>> {
    match (&input.category, &rules.category) {
        (None, own) => Ok(own.clone()),
        (Some(sent), _) if catalog.open => Ok(Some(sent.clone())),
        (Some(sent), Some(own)) if sent == own => Ok(Some(sent.clone())),
        (Some(sent), Some(own)) => {
            Err(Error::bad_input("category", format!("must be {own} for the action {}, got {sent:?}", input.action)))
        }
        (Some(sent), None) if catalog.category(sent).is_some() => Ok(Some(sent.clone())),
        (Some(sent), None) => {
            Err(Error::bad_input("category", format!("must be a category of the catalog, got {sent:?}")))
        }
    }
}
