//! Reads of the log, where the product asks for them: each is told by an event of the service itself, in a log of their
//! own that no caller can record in or delete.

use super::{Writer, admit::admit_own, manage::actor, rules::Filled};
use crate::{
    auth::{Principal, WriteScope},
    catalog::management::READ,
    error::Result,
    event::{
        Outcome, Timestamp, hash,
        input::{LogRef, RecordInput},
    },
    store::Key,
};

/// Id of the log of reads, in the level that the product names.
const LOG: &str = "reads";
/// What the idempotency key of a read begins with: no caller can send one with NUL in it.
const KEY: &str = "\0audit_log.read ";

/// Records that somebody reads, and waits until that is durable. Reads of one `once` are one event, whichever process tells
/// of them.
///
/// # Errors
/// `OVERLOADED` and `UNAVAILABLE` where it was not recorded.
pub async fn tell_of_read(
    writer: &Writer,
    principal: &Principal,
    scope: WriteScope,
    told: serde_json::Value,
    once: &str,
    now: Timestamp,
) -> Result<()> {
    let product = scope.product().clone();
    let product = product.as_written();
    let Some((_, level)) = product.record_reads.as_ref().and_then(|level| product.level(level)) else { return Ok(()) };
    let log = LogRef { level: level.name.clone(), id: LOG.to_owned(), name: Some(level.label.clone()), parent: None };
    let event =
        RecordInput { log: Some(log), metadata: Some(told.to_string()), ..RecordInput::new(READ, actor(principal)) };
    let filled = Filled { category: product.own_category(READ), outcome: Some(Outcome::Success) };
    let mut item = admit_own(writer.masking(), scope, event, filled, now)?;
    let key = format!("{KEY}{once}");
    // Whatever else is told, it is the same read.
    let secret = writer.masking().hashing(&product.name, item.scope.organization());
    item.key = Some(Key::new(&secret, &key, hash::of([&key]), None));
    writer.record(vec![item], true).await?.pop().expect("the writer answers every item").map(|_| ())
}
