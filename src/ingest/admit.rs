//! Whether an event may be recorded: catalog, level and ids of our contract; and what is kept of the rest.

use crate::{
    auth::{LogName, WriteScope},
    catalog::Product,
    error::{Error, Result},
    event::{Event, Position, Timestamp, input::RecordInput, terms},
    store::{Item, Key},
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
    input.check(now)?;
    let product = scope.product();
    check_action(product, &input)?;
    check_level(product, &input, level)?;
    let key = input.idempotency_key.as_deref().map(|key| Key::new(key, input.content_hash()));
    let category = category_of(product, &input)?;
    let truncated = input.keep()?;
    let default_outcome = || product.catalog.action(&input.action).and_then(|action| action.default_outcome);
    let outcome = input.outcome.or_else(default_outcome);
    let event = Event {
        organization_no: 0,
        sequence: 0,
        position: Position(0),
        salt: 0,
        log_no: 0,
        action: input.action,
        category,
        outcome,
        actor: input.actor,
        on_behalf_of: input.on_behalf_of,
        resources: input.resources,
        occurred_at: input.occurred_at.unwrap_or(now),
        recorded_at: now,
        ip_address: input.ip_address,
        user_agent: input.user_agent,
        correlation_id: input.correlation_id,
        source: input.source,
        source_event_id: input.source_event_id,
        recorded_by: scope.subject().to_owned(),
        truncated,
        metadata: input.metadata.unwrap_or_else(|| "{}".to_owned()),
    };
    // Here, on the caller's task, many are worked out at a time; the writer is one.
    let terms = terms::of_content(&event);
    Ok(Item { scope, event, log: input.log, is_dated: input.occurred_at.is_some(), terms, key })
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
