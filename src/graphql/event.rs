//! Events and what hangs off them.

use std::sync::Arc;

use async_graphql::{Context, ID, Interface, Object, SimpleObject};

use super::{
    catalog::Category,
    enums::{ActorKind, Outcome},
    error::to_graphql,
    principal,
    scalars::{BigInt, DateTime, Json},
    services,
};
use crate::{
    catalog::Product,
    event,
    question::matched::Match,
    reading::{
        Found, Once,
        shown::{self, Shown},
    },
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

impl From<Found> for Node {
    fn from(found: Found) -> Self {
        match found {
            Found::Event(event) => Self::AuditEvent(AuditEvent(event)),
            Found::Log(log) => Self::AuditLog(AuditLog(log)),
        }
    }
}

/// One immutable record of who did what, when, to which resource.
pub struct AuditEvent(pub Shown);

/// One immutable record of who did what, when, to which resource.
#[Object]
impl AuditEvent {
    /// The event's id, unique in the whole service.
    pub async fn id(&self) -> ID {
        ID(self.0.event().id().to_string())
    }

    /// Place in the organization's order of recording: 0, 1, 2, … without a gap.
    async fn sequence(&self) -> BigInt {
        BigInt(self.0.event().sequence)
    }

    /// Name of the action, exactly as it was sent.
    async fn action(&self) -> &str {
        &self.0.event().action
    }

    /// Label of the action in the product's catalog; the name itself where the catalog has none.
    async fn action_label(&self) -> String {
        self.0.action_label()
    }

    /// The area that the action belongs to.
    async fn category(&self) -> Option<Category> {
        self.0.category().map(|category| Category::named(self.0.product(), category.code))
    }

    /// Who acted, as they were then.
    async fn actor(&self) -> Actor {
        Actor::of(self.0.actor().actor.clone(), self.0.product())
    }

    /// For whom they acted, as in an impersonation.
    async fn on_behalf_of(&self) -> Option<Actor> {
        self.0.on_behalf_of().map(|shown| Actor::of(shown.actor.clone(), self.0.product()))
    }

    /// The main thing that was acted on: the first of `resources`.
    async fn resource(&self) -> Option<Resource> {
        self.0.resource().cloned().map(Resource)
    }

    /// Everything that was acted on.
    async fn resources(&self) -> Vec<Resource> {
        self.0.event().resources.iter().cloned().map(Resource).collect()
    }

    /// The log that the event belongs to; null once that log was deleted under the policy CLEAR.
    async fn log(&self) -> Option<AuditLog> {
        self.0.log().map(AuditLog)
    }

    /// How the action ended, as far as it was known when it was recorded.
    async fn outcome(&self) -> Option<Outcome> {
        self.0.event().outcome.map(Into::into)
    }

    /// When it happened, to the nanosecond.
    async fn occurred_at(&self) -> DateTime {
        self.0.event().occurred_at.into()
    }

    /// When it was recorded here: never before an event that was recorded earlier, whatever the clocks do.
    async fn recorded_at(&self) -> DateTime {
        self.0.event().recorded_at.into()
    }

    /// Address that the product declared; kept as sent, so it may be no address at all.
    async fn ip_address(&self) -> Option<&str> {
        self.0.event().ip_address.as_deref()
    }

    /// User agent that the product declared.
    async fn user_agent(&self) -> Option<&str> {
        self.0.event().user_agent.as_deref()
    }

    /// What ties the event to a job or to other events.
    async fn correlation_id(&self) -> Option<&str> {
        self.0.event().correlation_id.as_deref()
    }

    /// The system that the event comes from.
    async fn source(&self) -> Option<&str> {
        self.0.event().source.as_deref()
    }

    /// That system's own id of the event; sources repeat them.
    async fn source_event_id(&self) -> Option<&str> {
        self.0.event().source_event_id.as_deref()
    }

    /// Subject of the token that recorded the event.
    async fn recorded_by(&self) -> &str {
        &self.0.event().recorded_by
    }

    /// Paths of what is not as it was sent, such as `userAgent` or `metadata.headers.cookie`: texts that were cut at a
    /// limit, or have U+FFFD where a character cannot be kept. Empty for nearly all events.
    async fn truncated(&self) -> &[String] {
        &self.0.event().truncated
    }

    /// Paths of what the product masks, such as `metadata.user.password` or `ipAddress`: secrets in the metadata, in
    /// whose place a digest stands (`masked:v1:` and 32 hexadecimal digits, the same for the same secret of the same
    /// organization), and an address that was shortened or left out.
    async fn masked(&self) -> &[String] {
        &self.0.event().masked
    }

    /// Paths of what was erased, such as `actor`, `metadata` or `resources[1]`, because a person was to be forgotten. It is
    /// null or empty where it stood; of an actor the kind stays, of a resource its type. Empty for nearly all events.
    async fn erased(&self) -> &[String] {
        &self.0.event().erased
    }

    /// Whether a hold keeps the event in the log, however old it gets, and nobody is erased from it. Null for those who
    /// could not place a hold, as `placeAuditHold` says.
    async fn held(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<bool>> {
        if let Some(held) = self.0.held() {
            return Ok(held);
        }
        // Looked up once for all events of a field; a mutation beside it may change it.
        let root = ctx.path_node.and_then(|path| path.to_string_vec().into_iter().next()).unwrap_or_default();
        let asked = format!("held {root} {}", self.0.event().organization_no);
        let found = async { services(ctx).reader.held(principal(ctx)?, self.0.dictionary()).await };
        let held =
            Box::pin(ctx.data_unchecked::<Once>().of(asked, found)).await.map_err(|error| to_graphql(ctx, error))?;
        Ok(self.0.kept(&held))
    }

    /// Where the event has what the list was searched for, at most 20 places. Empty where nothing was searched for. Nothing is
    /// told of what was masked.
    async fn matches(&self) -> Vec<AuditEventMatch> {
        self.0.matches().into_iter().map(Into::into).collect()
    }

    /// Everything else that the product said, as JSON. Numbers beyond 64-bit integers and doubles are exact in
    /// `metadataText` only; a number beyond every double is a string here. NUL and half of a
    /// surrogate pair are U+FFFD here, and a key that is then read like another has ` (2)` at its end.
    async fn metadata(&self) -> Json {
        Json(self.0.metadata().value())
    }

    /// The exact text of the metadata, byte for byte as it was recorded.
    async fn metadata_text(&self) -> &str {
        &self.0.event().metadata
    }
}

/// A text of an event that has something of what was searched for.
#[derive(SimpleObject)]
pub struct AuditEventMatch {
    /// Path of the field, as `truncated` has them: such as `actor.name`, `resources[0].id` or `metadata.plan.from`;
    /// `actionLabel` or `category.label` where a label has it.
    field: String,
    /// Its text, as it is stored; of one over 300 characters, a part that has it. Of metadata, it may be the key that the path
    /// ends with.
    text: String,
}

impl From<Match> for AuditEventMatch {
    fn from(Match { field, text }: Match) -> Self {
        Self { field, text }
    }
}

/// Who acted, as they were then.
pub struct Actor {
    actor: event::Actor,
    product: Arc<Product>,
}

impl Actor {
    /// An actor of a product.
    pub fn of(actor: event::Actor, product: &Arc<Product>) -> Self {
        Self { actor, product: product.clone() }
    }

    fn shown(&self) -> shown::Actor<'_> {
        shown::Actor { actor: &self.actor, product: &self.product }
    }
}

/// Who acted, as they were then.
#[Object]
impl Actor {
    /// Person, key, service, staff, system or nobody known.
    async fn kind(&self) -> ActorKind {
        self.shown().kind().into()
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
        self.shown().label()
    }

    /// What the product calls such an actor, such as `API key`: for all of them, those with a name too.
    async fn kind_label(&self) -> &str {
        self.shown().kind_label()
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
pub struct AuditLog(pub shown::Log);

/// A log: the organization's own, or one nested in it, such as a project's.
#[Object]
impl AuditLog {
    /// The log's id, unique in the whole service: a log that takes the name of a deleted one has another.
    pub async fn id(&self) -> ID {
        ID(self.0.id().to_string())
    }

    /// Name of its level, as in `Product.levels`.
    async fn level(&self) -> &str {
        self.0.level()
    }

    /// The product's own id of the thing that has the log.
    async fn external_id(&self) -> &str {
        self.0.external_id()
    }

    /// Name to show, kept from the first use.
    async fn name(&self) -> Option<&str> {
        self.0.name()
    }

    /// The log that it is nested in.
    async fn parent(&self) -> Option<AuditLog> {
        self.0.parent().map(AuditLog)
    }

    /// When it was deleted, if it was.
    async fn deleted_at(&self) -> Option<DateTime> {
        self.0.deleted_at().map(Into::into)
    }
}
