//! Whether an event may be recorded as it is: catalog, level and the limits of its fields.

use crate::{
    auth::{LogName, WriteScope},
    catalog::Product,
    error::{Error, Result},
    event::{Timestamp, input::RecordInput},
    store::Item,
};

/// Checks an event and fills in what the catalog knows of its action.
///
/// # Errors
/// `BAD_USER_INPUT` naming field and rule, with the nearest names for an unknown action.
pub fn admit(scope: WriteScope, input: RecordInput, now: Timestamp) -> Result<Item> {
    let level = input.log.as_ref().map_or_else(|| scope.product().top_level().name.clone(), |log| log.level.clone());
    admit_at(scope, input, &level, now)
}

/// The same for the event that tells of a log's deletion: it goes into the log above.
///
/// # Errors
/// Those of [`admit`].
pub fn admit_in_parent(scope: WriteScope, input: RecordInput, deleted: &LogName, now: Timestamp) -> Result<Item> {
    let above = scope.product().level(&deleted.level).and_then(|(_, level)| level.parent.clone());
    let level = above.unwrap_or_else(|| scope.product().top_level().name.clone());
    admit_at(scope, input, &level, now)
}

fn admit_at(scope: WriteScope, mut input: RecordInput, level: &str, now: Timestamp) -> Result<Item> {
    let content = input.check(now)?;
    let product = scope.product();
    check_action(product, &input)?;
    check_level(product, &input, level)?;
    input.category = category_of(product, &input)?;
    if input.outcome.is_none() {
        input.outcome = product.catalog.action(&input.action).and_then(|action| action.default_outcome);
    }
    Ok(Item { scope, input, content })
}

fn check_action(product: &Product, input: &RecordInput) -> Result<()> {
    let catalog = &product.catalog;
    if catalog.admits(&input.action) {
        return Ok(());
    }
    let rule = format!("must be an action of the catalog of {}, which is closed", product.label);
    let suggestions = catalog.nearest(&input.action);
    let mut message = format!("action: {:?} {rule}", input.action);
    if !suggestions.is_empty() {
        message = format!("{message}; the nearest are {}", suggestions.join(", "));
    }
    Err(Error::BadInput { field: "action".to_owned(), rule, message, suggestions })
}

/// An action that belongs to certain levels is recorded in a log of one of them.
fn check_level(product: &Product, input: &RecordInput, level: &str) -> Result<()> {
    if product.level(level).is_none() {
        let names: Vec<_> = product.levels.iter().map(|level| level.name.as_str()).collect();
        return Err(Error::bad_input("log.level", format!("must be one of {}, got {level:?}", names.join(", "))));
    }
    match product.catalog.action(&input.action) {
        Some(action) if !action.levels.is_empty() && !action.levels.iter().any(|each| each == level) => {
            let rule =
                format!("the action {} belongs to level {}, not to {level}", action.name, action.levels.join(" or "));
            Err(Error::bad_input("log.level", rule))
        }
        _ => Ok(()),
    }
}

fn category_of(product: &Product, input: &RecordInput) -> Result<Option<String>> {
    let catalog = &product.catalog;
    let own = catalog.action(&input.action).and_then(|action| action.category.as_ref());
    match (&input.category, own) {
        (None, own) => Ok(own.cloned()),
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
