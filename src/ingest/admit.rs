//! Whether an event may be recorded: catalog, level and ids of our contract; and what is kept of the rest.

use super::rules::{self, Filled};
use crate::{
    auth::{LogName, WriteScope},
    error::Result,
    event::{ActionName, Draft, Metadata, Timestamp, input::RecordInput, masking::MaskingKey, terms},
    store::{Item, Key},
};

/// Checks an event and fills in what the catalog knows of its action.
///
/// # Errors
/// `BAD_USER_INPUT` naming field and rule, with the nearest names for an unknown action.
pub fn admit(masking: &MaskingKey, scope: WriteScope, input: RecordInput, now: Timestamp) -> Result<Item> {
    let level = input.log.as_ref().map_or_else(|| scope.product().top_level().name.clone(), |log| log.level.clone());
    admit_at(masking, scope, input, &level, now)
}

/// The same for the event that tells of a log's deletion: it goes into the log above.
///
/// # Errors
/// `BAD_USER_INPUT` naming field and rule, as in [`admit`].
pub fn admit_in_parent(
    masking: &MaskingKey,
    scope: WriteScope,
    input: RecordInput,
    deleted: &LogName,
    now: Timestamp,
) -> Result<Item> {
    let above = scope.product().level(&deleted.level).and_then(|(_, level)| level.parent.clone());
    let level = above.unwrap_or_else(|| scope.product().top_level().name.clone());
    admit_at(masking, scope, input, &level, now)
}

/// The same for an event of the service itself, which is in no product's catalog: what it would fill in is `filled`.
///
/// # Errors
/// `BAD_USER_INPUT` naming field and rule.
pub fn admit_own(
    masking: &MaskingKey,
    scope: WriteScope,
    input: RecordInput,
    filled: Filled,
    now: Timestamp,
) -> Result<Item> {
    input.check(now)?;
    item_of(masking, scope, input, filled)
}

fn admit_at(masking: &MaskingKey, scope: WriteScope, input: RecordInput, level: &str, now: Timestamp) -> Result<Item> {
    input.check(now)?;
    let filled = rules::apply(scope.product(), &input, level)?;
    item_of(masking, scope, input, filled)
}

fn item_of(masking: &MaskingKey, scope: WriteScope, mut input: RecordInput, filled: Filled) -> Result<Item> {
    let Filled { category, outcome } = filled;
    let mut metadata = Metadata::read(input.metadata.take());
    let (product, organization) = (scope.product().clone(), scope.organization());
    let mut own = None;
    let masked = input.masked(&metadata, &product.masking, &mut |secret| {
        own.get_or_insert_with(|| masking.of(&product.name, organization)).digest(secret)
    });
    let unmasked = (!masked.is_empty() && input.idempotency_key.is_some()).then(|| input.content_hash(&metadata));
    let masked = masked.put(&mut input, &mut metadata);
    let key = input.idempotency_key.as_deref().map(|key| {
        let secret = masking.hashing(&product.name, organization);
        Key::new(&secret, key, input.content_hash(&metadata), unmasked)
    });
    let truncated = input.keep(&mut metadata)?;
    let (metadata, words) = metadata.into_parts();
    let draft = Draft {
        action: ActionName::new(input.action)?,
        category,
        outcome,
        actor: input.actor,
        on_behalf_of: input.on_behalf_of,
        resources: input.resources,
        ip_address: input.ip_address,
        user_agent: input.user_agent,
        correlation_id: input.correlation_id,
        source: input.source,
        source_event_id: input.source_event_id,
        recorded_by: scope.subject().to_owned(),
        truncated,
        masked,
        metadata,
    };
    // Here, on the caller's task, many are worked out at a time; the writer is one.
    let terms = terms::of_content(&draft, words);
    Ok(Item { scope, draft, log: input.log, occurred_at: input.occurred_at, terms, key })
}
