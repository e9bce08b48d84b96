//! Events and what hangs off them.

use std::sync::Arc;

use async_graphql::{ID, Interface, Object, Value};

use super::{
    catalog::Category,
    enums::{ActorKind, Outcome},
    scalars::{BigInt, DateTime, Json},
};
use crate::{
    catalog::{LogDeletion, Product},
    event::{self, json},
    store::Dictionary,
};

/// Something with an id that is unique in the whole service.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "The id, for `node`."))]
pub enum Node {
    /// An audit event.
    AuditEvent(AuditEvent),
    /// A log.
    AuditLog(AuditLog),
}

/// One immutable record of who did what, when, to which resource.
#[derive(Clone)]
pub struct AuditEvent {
    /// The record.
    pub event: Arc<event::Event>,
    /// Its product, for labels.
    pub product: Arc<Product>,
    /// Its organization's logs.
    pub dictionary: Arc<Dictionary>,
}

impl AuditEvent {
    /// An event to show.
    pub fn new(event: event::Event, product: &Arc<Product>, dictionary: &Arc<Dictionary>) -> Self {
        Self { event: Arc::new(event), product: product.clone(), dictionary: dictionary.clone() }
    }

    /// The metadata as a value.
    pub fn metadata_value(&self) -> Value {
        json::shown(&self.event.metadata)
    }

    fn show_actor(&self, actor: &event::Actor) -> Actor {
        Actor { actor: actor.clone(), product: self.product.clone() }
    }
}

/// One immutable record of who did what, when, to which resource.
#[Object]
impl AuditEvent {
    /// The event's id, unique in the whole service.
    pub async fn id(&self) -> ID {
        ID(self.event.id().to_string())
    }

    /// Place in the organization's order of recording: 0, 1, 2, … without a gap.
    async fn sequence(&self) -> BigInt {
        BigInt(self.event.sequence)
    }

    /// Name of the action, exactly as it was sent.
    async fn action(&self) -> &str {
        &self.event.action
    }

    /// Label of the action in the product's catalog; the name itself where the catalog has none.
    async fn action_label(&self) -> String {
        self.product.catalog.label_of(&self.event.action)
    }

    /// The area that the action belongs to.
    async fn category(&self) -> Option<Category> {
        self.event.category.as_deref().map(|code| Category::named(&self.product, code))
    }

    /// Who acted, as they were then.
    async fn actor(&self) -> Actor {
        self.show_actor(&self.event.actor)
    }

    /// For whom they acted, as in an impersonation.
    async fn on_behalf_of(&self) -> Option<Actor> {
        self.event.on_behalf_of.as_ref().map(|actor| self.show_actor(actor))
    }

    /// The main thing that was acted on: the first of `resources`.
    async fn resource(&self) -> Option<Resource> {
        self.event.resources.first().cloned().map(Resource)
    }

    /// Everything that was acted on.
    async fn resources(&self) -> Vec<Resource> {
        self.event.resources.iter().cloned().map(Resource).collect()
    }

    /// The log that the event belongs to; null once that log was deleted under the policy CLEAR.
    async fn log(&self) -> Option<AuditLog> {
        if self.dictionary.is_gone(&self.product, self.event.log_no, LogDeletion::Clear) {
            return None;
        }
        AuditLog::numbered(&self.dictionary, self.event.log_no)
    }

    /// How the action ended, as far as it was known when it was recorded.
    async fn outcome(&self) -> Option<Outcome> {
        self.event.outcome.map(Into::into)
    }

    /// When it happened, to the nanosecond.
    async fn occurred_at(&self) -> DateTime {
        self.event.occurred_at.into()
    }

    /// When it was recorded here: never before an event that was recorded earlier, whatever the clocks do.
    async fn recorded_at(&self) -> DateTime {
        self.event.recorded_at.into()
    }

    /// Address that the product declared; kept as sent, so it may be no address at all.
    async fn ip_address(&self) -> Option<&str> {
        self.event.ip_address.as_deref()
    }

    /// User agent that the product declared.
    async fn user_agent(&self) -> Option<&str> {
        self.event.user_agent.as_deref()
    }

    /// What ties the event to a job or to other events.
    async fn correlation_id(&self) -> Option<&str> {
        self.event.correlation_id.as_deref()
    }

    /// The system that the event comes from.
    async fn source(&self) -> Option<&str> {
        self.event.source.as_deref()
    }

    /// That system's own id of the event; sources repeat them.
    async fn source_event_id(&self) -> Option<&str> {
        self.event.source_event_id.as_deref()
    }

    /// Subject of the token that recorded the event.
    async fn recorded_by(&self) -> &str {
        &self.event.recorded_by
    }

    /// Paths of what is not as it was sent, such as `userAgent` or `metadata.headers.cookie`: texts that were cut at a
    /// limit, or have U+FFFD where a character cannot be kept. Empty for nearly all events.
    async fn truncated(&self) -> &[String] {
        &self.event.truncated
    }

    /// Everything else that the product said, as JSON. Numbers beyond 64-bit integers and doubles are exact in
    /// `metadataText` only; a number beyond every double is a string here. NUL and half of a
    /// surrogate pair are U+FFFD here, and a key that is then read like another has ` (2)` at its end.
    async fn metadata(&self) -> Json {
        Json(self.metadata_value())
    }

    /// The exact text of the metadata, byte for byte as it was recorded.
    async fn metadata_text(&self) -> &str {
        &self.event.metadata
    }
}

/// Who acted, as they were then.
#[derive(Clone)]
pub struct Actor {
    /// The actor.
    pub actor: event::Actor,
    /// The product, for the label.
    pub product: Arc<Product>,
}

/// Who acted, as they were then.
#[Object]
impl Actor {
    /// Person, key, service, staff, system or nobody known.
    async fn kind(&self) -> ActorKind {
        self.actor.kind.into()
    }

    /// The product's own id of the actor, who is not the same in every event: the name may have changed.
    async fn external_id(&self) -> Option<&str> {
        self.actor.id.as_deref()
    }

    /// Name to show.
    async fn name(&self) -> Option<&str> {
        self.actor.name.as_deref()
    }

    /// E-mail address, kept as sent.
    async fn email(&self) -> Option<&str> {
        self.actor.email.as_deref()
    }

    /// What to show where there is room for one text: never empty.
    async fn label(&self) -> String {
        self.product.actor_label(&self.actor)
    }

    /// What the product calls such an actor, such as `API key`: for all of them, those with a name too.
    async fn kind_label(&self) -> &str {
        self.product.kind_label(self.actor.kind)
    }
}

/// Something that was acted on, as it was then.
pub struct Resource(event::Resource);

/// Something that was acted on, as it was then.
#[Object]
impl Resource {
    /// Kind of thing, in the product's words.
    #[graphql(name = "type")]
    async fn kind(&self) -> Option<&str> {
        self.0.kind.as_deref()
    }

    /// The product's own id of the thing.
    async fn external_id(&self) -> Option<&str> {
        self.0.id.as_deref()
    }

    /// Name to show.
    async fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }
}

/// A log: the organization's own, or one nested in it, such as a project's.
#[derive(Clone)]
pub struct AuditLog {
    dictionary: Arc<Dictionary>,
    no: i64,
}

impl AuditLog {
    /// The log of a number.
    pub fn numbered(dictionary: &Arc<Dictionary>, no: i64) -> Option<Self> {
        dictionary.log(no).map(|_| Self { dictionary: dictionary.clone(), no })
    }

    fn node(&self) -> &crate::store::LogNode {
        self.dictionary.log(self.no).expect("made for a log that is there")
    }
}

/// A log: the organization's own, or one nested in it, such as a project's.
#[Object]
impl AuditLog {
    /// The log's id, unique in the whole service: a log that takes the name of a deleted one has another.
    pub async fn id(&self) -> ID {
        ID(self.dictionary.log_id(self.no).expect("made for a log that is there").to_string())
    }

    /// Name of its level, as in `Product.levels`.
    async fn level(&self) -> &str {
        &self.node().level
    }

    /// The product's own id of the thing that has the log.
    async fn external_id(&self) -> &str {
        &self.node().id
    }

    /// Name to show, kept from the first use.
    async fn name(&self) -> Option<&str> {
        self.node().name.as_deref()
    }

    /// The log that it is nested in.
    async fn parent(&self) -> Option<AuditLog> {
        Self::numbered(&self.dictionary, self.node().parent?)
    }

    /// When it was deleted, if it was.
    async fn deleted_at(&self) -> Option<DateTime> {
        self.node().deleted_at.map(Into::into)
    }
}
