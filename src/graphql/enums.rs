//! Enums of the schema. What they name is defined lower in the house, by modules that know nothing of GraphQL; here each
//! is told to clients. A variant that one side has and the other has not does not compile.

use async_graphql::Enum;

use crate::{catalog, error, event};

/// Who or what acted.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "event::ActorKind")]
pub enum ActorKind {
    /// A person with an account.
    User,
    /// A program that used an API key.
    ApiKey,
    /// A service account, an integration or an identity provider.
    Service,
    /// A person of the platform's own staff, under their own identity.
    Staff,
    /// The platform itself: a schedule, a billing rule, an expiry.
    System,
    /// Somebody not signed in, such as a failed login.
    Anonymous,
}

/// How the action ended, as far as it was known when it was recorded.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "event::Outcome")]
pub enum Outcome {
    /// It was done.
    Success,
    /// It was attempted and refused, or it failed.
    Failure,
    /// It was accepted; its result is kept elsewhere, under the correlation id.
    Accepted,
}

/// What a client can act on: `extensions.code` of a GraphQL error.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "error::Code")]
pub enum ErrorCode {
    /// No token, or one that cannot be trusted: sign in again.
    Unauthenticated,
    /// The token is good, but its scope, role or log does not permit this.
    Forbidden,
    /// The organization's plan does not include reading the audit log; `requiredPlans` do.
    PlanRequired,
    /// There is no such thing, or it is not yours to know of.
    NotFound,
    /// The event was there, and has left the log: it was kept for as long as the product, or the organization, keeps events.
    Expired,
    /// The request is wrong; `field` and `rule` say where and why.
    BadUserInput,
    /// The idempotency key was used for another event.
    Conflict,
    /// A legal hold keeps what was to go: lift the `hold` first.
    Held,
    /// The database has no number left for another organization: nothing but another database helps. Organizations that
    /// have recorded before go on.
    LimitReached,
    /// More is waiting than fits, to be recorded or read: try again after `retryAfterMs`.
    Overloaded,
    /// This token asked too often, or its organization records too much: try again after `retryAfterMs`.
    RateLimited,
    /// The query or search asks for more work than one request may cause.
    QueryTooComplex,
    /// The database cannot be used at the moment, or the `issuer` that could tell whether the token is good: try again,
    /// after `retryAfterMs` where it is there.
    Unavailable,
    /// A fault of the service; the request id finds it in the service's log.
    Internal,
    /// The document is not GraphQL.
    GraphqlParseFailed,
    /// The document does not fit the schema.
    GraphqlValidationFailed,
}

/// What becomes of the events of a deleted log.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "catalog::LogDeletion")]
pub enum LogDeletion {
    /// They can no longer be read anywhere; their places in the sequence remain.
    Remove,
    /// They are shown in the log above with `log` null; asking for the deleted log by its id still finds them there.
    Clear,
    /// They are shown as before, and their log says when it was deleted.
    Keep,
}

/// What a column shows.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "catalog::ColumnKind")]
pub enum ViewerColumnKind {
    /// When it happened, in the reader's time zone.
    Time,
    /// What was done.
    Action,
    /// The category of what was done, by its short label.
    Category,
    /// Who acted.
    Actor,
    /// What was acted on: its name, with type and id.
    Resource,
    /// The address that the product declared.
    IpAddress,
    /// How it ended.
    Outcome,
    /// The metadata.
    Details,
    /// The nested log that it belongs to. A list of one log alone has no such column.
    Log,
}

/// What a reader can narrow the list by, beside dates.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "catalog::FilterKind")]
pub enum ViewerFilterKind {
    /// Words, anywhere in an event.
    Search,
    /// Categories.
    Category,
    /// Actions.
    Action,
    /// A part of the actor's e-mail address.
    Email,
    /// Outcomes.
    Outcome,
    /// Kinds of actor.
    ActorKind,
    /// Actors, chosen by their names.
    Actor,
    /// Types of resource.
    ResourceType,
    /// Ids of resources.
    ResourceId,
    /// Names of resources.
    ResourceName,
    /// Addresses.
    IpAddress,
    /// One log of several.
    Log,
}

/// How a reader gets to older events.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "catalog::Paging")]
pub enum ViewerPaging {
    /// Previous and Next, with the number of the page, of pages and of events.
    Pages,
    /// More of them below those already there.
    More,
}

/// How a reader narrows the dates.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "catalog::DateFilter")]
pub enum ViewerDateFilter {
    /// From one date to another, both included.
    Range,
    /// Today, or the last 7, 30 or 90 days.
    Presets,
    /// Presets, and a range beside them.
    Both,
    /// Not at all.
    None,
}

/// How an action is written.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "catalog::ActionDisplay")]
pub enum ViewerActionDisplay {
    /// By its label.
    Label,
    /// By its name, exactly as recorded.
    Name,
}

/// Values of the schema as those of the core, list by list.
pub fn all<T: Copy, U: From<T>>(values: impl IntoIterator<Item = T>) -> Vec<U> {
    values.into_iter().map(U::from).collect()
}
