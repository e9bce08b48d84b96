//! What the writer is asked to do, and what it answers.

use std::sync::Arc;

use crate::{
    auth::{LogName, WriteScope},
    error::Result,
    event::{
        Actor, Draft, Event, Resource, Timestamp,
        hash::{self, Hash},
        input::LogRef,
        masking::HashKey,
    },
    store::{Dictionary, Permitted},
};

/// What the allocator takes for a text beside its bytes, on average.
const ALLOCATION: usize = 8;

/// An admitted event: its organization stands in the scope, category and outcome are the catalog's.
#[derive(Clone)]
pub struct Item {
    /// The permission to record it, for one organization.
    pub scope: WriteScope,
    /// What it says; its place is given in the transaction.
    pub draft: Draft,
    /// Its log, where it is not the organization's own.
    pub log: Option<LogRef>,
    /// When it happened, where the caller said so; else that is the time of recording.
    pub occurred_at: Option<Timestamp>,
    /// What search finds it by: [`terms::of_content`](crate::event::terms::of_content).
    pub terms: Vec<String>,
    /// Where the caller gave an idempotency key.
    pub key: Option<Key>,
}

impl Item {
    /// Bytes of memory that it takes: of its terms alone an event of some words holds several times its own length.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        fn of<'a>(texts: impl IntoIterator<Item = &'a Option<String>>) -> usize {
            texts.into_iter().flatten().map(|text| ALLOCATION + text.capacity()).sum()
        }
        fn of_actor(actor: &Actor) -> usize {
            of([&actor.id, &actor.name, &actor.email])
        }
        let event = &self.draft;
        let texts = of([&event.category, &event.ip_address, &event.user_agent, &event.correlation_id])
            + of([&event.source, &event.source_event_id])
            + of_actor(&event.actor)
            + event.on_behalf_of.as_ref().map_or(0, of_actor);
        let resources: usize =
            event.resources.iter().map(|each| size_of::<Resource>() + of([&each.kind, &each.id, &each.name])).sum();
        let always = [&event.recorded_by, &event.metadata];
        let always: usize = always.into_iter().map(|text| ALLOCATION + text.capacity()).sum();
        let terms: usize = self.terms.iter().map(|term| size_of::<String>() + ALLOCATION + term.capacity()).sum();
        size_of::<Self>() + texts + resources + always + terms
    }
}

/// An idempotency key and what it was used for.
#[derive(Clone, Copy)]
pub struct Key {
    /// Hash of the key, under the organization's secret.
    pub hash: Hash,
    /// Hash of what the caller sent, as far as it is stored: without what is masked. Under the organization's secret.
    pub content: Hash,
    /// Hash of all that the caller sent, where something of it is masked: it may be stored since before the product masked
    /// it. It is compared, and never stored.
    unmasked: Option<Hash>,
    /// The same without the secret, as earlier versions stored them. They are looked for, and never stored.
    pub plain: Hash,
    plain_content: Hash,
    plain_unmasked: Option<Hash>,
}

impl Key {
    /// A key and the hash of the content that it came with; where something of that is masked, also of all that came.
    #[must_use]
    pub fn new(secret: &HashKey, key: &str, content: Hash, unmasked: Option<Hash>) -> Self {
        let plain = hash::of([key]);
        Self {
            hash: secret.hash(plain),
            content: secret.hash(content),
            unmasked: unmasked.map(|unmasked| secret.hash(unmasked)),
            plain,
            plain_content: content,
            plain_unmasked: unmasked,
        }
    }

    /// Whether it came with the content that is stored.
    #[must_use]
    pub fn came_with(&self, stored: Hash) -> bool {
        let known = [Some(self.content), self.unmasked, Some(self.plain_content), self.plain_unmasked];
        known.contains(&Some(stored))
    }
}

/// What a request wants done.
#[derive(Clone)]
pub enum Task {
    /// Record events, each for itself or all or none.
    Record {
        /// The events.
        items: Vec<Item>,
        /// Whether one refusal refuses all.
        atomic: bool,
    },
    /// Delete a log and record an event in the one above.
    DeleteLog {
        /// The permission, for one organization.
        scope: WriteScope,
        /// The log.
        log: LogName,
        /// The event.
        event: Option<Box<Item>>,
    },
    /// Change a control table and record the event that tells of it: both or neither.
    Change {
        /// The change, for one organization.
        permitted: Box<Permitted>,
        /// The event.
        event: Box<Item>,
    },
}

/// An event that is in the log.
#[derive(Clone)]
pub struct Recorded {
    /// Whether it was there before this request.
    pub already: bool,
    /// The event.
    pub event: Event,
    /// Logs of its organization, at its time of recording.
    pub dictionary: Arc<Dictionary>,
}

/// What became of one item.
pub type ItemResult = Result<Recorded>;

/// What became of one request.
#[derive(Clone)]
pub enum Appended {
    /// A result per item.
    Recorded(Vec<ItemResult>),
    /// The deleted log.
    Deleted(Result<Deleted>),
    /// The event that tells of a change.
    Changed(Result<Box<Recorded>>),
}

/// A log that is deleted.
#[derive(Clone)]
pub struct Deleted {
    /// Its number.
    pub log_no: i64,
    /// Logs of its organization, this one among them.
    pub dictionary: Arc<Dictionary>,
    /// The event in the log above that tells of it.
    pub event: Option<Box<Recorded>>,
}

impl Task {
    /// The events that it wants recorded.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        let (many, one) = match self {
            Self::Record { items, .. } => (items.as_slice(), None),
            Self::DeleteLog { event, .. } => (&[][..], event.as_deref()),
            Self::Change { event, .. } => (&[][..], Some(&**event)),
        };
        many.iter().chain(one)
    }

    /// Bytes of memory that it takes while it waits; what it changes is small beside the event that tells of it.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        size_of::<Self>() + self.items().map(Item::held_bytes).sum::<usize>()
    }

    /// Whose it is, for taking turns: product and organization, of several the first one.
    #[must_use]
    pub fn whose(&self) -> String {
        let of = |scope: &WriteScope| format!("{}\u{0}{}", scope.product().name, scope.organization());
        self.scopes().next().map(of).unwrap_or_default()
    }

    /// The permissions that it rests on.
    pub(in crate::store) fn scopes(&self) -> impl Iterator<Item = &WriteScope> {
        let (many, one) = match self {
            Self::Record { items, .. } => (items.as_slice(), None),
            Self::DeleteLog { scope, .. } => (&[][..], Some(scope)),
            Self::Change { permitted, .. } => (&[][..], Some(permitted.scope.telling())),
        };
        many.iter().map(|item| &item.scope).chain(one)
    }
}
