//! What a reader sees of an event: its fields with what the product's catalog and the organization's logs say of them.
//! Told once; whoever shows events, field by field or as text, takes it from here.

pub mod json;

use std::sync::Arc;

use serde::{Serialize, Serializer, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::Held;
use crate::{
    catalog::{self, LogDeletion, Product},
    event::{self, ActorKind, Event, LogId, Resource, Timestamp},
    question::{matched::Match, search::Search},
    store::{Dictionary, LogNode, Recorded},
};

/// An event as it is shown.
pub struct Shown {
    // Boxed, because it is moved from answer to answer, and is large.
    event: Box<Event>,
    product: Arc<Product>,
    dictionary: Arc<Dictionary>,
    /// What it was searched by.
    search: Option<Arc<Search>>,
    /// What keeps events, where that was looked up.
    held: Option<Held>,
}

impl Shown {
    /// An event of a product, with the logs of its organization.
    #[must_use]
    pub fn new(event: Event, product: &Arc<Product>, dictionary: &Arc<Dictionary>) -> Self {
        Self {
            event: Box::new(event),
            product: product.clone(),
            dictionary: dictionary.clone(),
            search: None,
            held: None,
        }
    }

    /// An event that was just recorded.
    #[must_use]
    pub fn recorded(recorded: Recorded, product: &Arc<Product>) -> Self {
        Self {
            event: Box::new(recorded.event),
            product: product.clone(),
            dictionary: recorded.dictionary,
            search: None,
            held: None,
        }
    }

    /// The same event as one that a search found; a search that asks for nothing finds nothing in it.
    #[must_use]
    pub fn found_by(mut self, search: &Arc<Search>) -> Self {
        self.search = Some(search.clone()).filter(|search| !search.is_empty());
        self
    }

    /// The same event with what keeps events, where that was looked up.
    #[must_use]
    pub fn kept_by(mut self, held: Option<&Held>) -> Self {
        self.held = held.cloned();
        self
    }

    /// Whether a hold keeps it, where that was looked up; the inner `None` is for those who may not know.
    #[must_use]
    pub fn held(&self) -> Option<Option<bool>> {
        self.held.as_ref().map(|held| self.kept(held))
    }

    /// Whether it is kept by what keeps events of its organization; `None` for those who may not know.
    #[must_use]
    pub fn kept(&self, held: &Held) -> Option<bool> {
        held.keeps(&self.event, &self.dictionary)
    }

    /// Where it has what was searched for, labels first; empty where nothing was.
    #[must_use]
    pub fn matches(&self) -> Vec<Match> {
        let Some(search) = &self.search else { return Vec::new() };
        let mut found = Vec::new();
        if search.all.iter().any(|sought| sought.actions.iter().any(|action| *action == *self.event.action)) {
            found.push(Match { field: "actionLabel".to_owned(), text: self.action_label() });
        }
        if let Some(category) = self.category().filter(|category| {
            search.all.iter().any(|sought| sought.categories.iter().any(|code| code == category.code))
        }) {
            found.push(Match { field: "category.label".to_owned(), text: category.label().to_owned() });
        }
        found.extend(search.matches(&self.event));
        found
    }

    /// The event itself; what is not below is shown as it is there.
    #[must_use]
    pub fn event(&self) -> &Event {
        &self.event
    }

    /// The logs of its organization.
    #[must_use]
    pub fn dictionary(&self) -> &Dictionary {
        &self.dictionary
    }

    /// Its product.
    #[must_use]
    pub fn product(&self) -> &Arc<Product> {
        &self.product
    }

    /// Label of the action; the name itself where the catalog has none.
    #[must_use]
    pub fn action_label(&self) -> String {
        self.product.catalog.label_of(&self.event.action)
    }

    /// The category.
    #[must_use]
    pub fn category(&self) -> Option<Category<'_>> {
        self.event.category.as_deref().map(|code| Category { code, product: &self.product })
    }

    /// Who acted.
    #[must_use]
    pub fn actor(&self) -> Actor<'_> {
        Actor { actor: &self.event.actor, product: &self.product }
    }

    /// For whom they acted.
    #[must_use]
    pub fn on_behalf_of(&self) -> Option<Actor<'_>> {
        self.event.on_behalf_of.as_ref().map(|actor| Actor { actor, product: &self.product })
    }

    /// The main thing that was acted on.
    #[must_use]
    pub fn resource(&self) -> Option<&Resource> {
        self.event.resources.first()
    }

    /// The log; none once it, or one above it, was deleted under the policy that clears it.
    #[must_use]
    pub fn log(&self) -> Option<Log> {
        if self.dictionary.is_gone(&self.product, self.event.log_no, LogDeletion::Clear) {
            return None;
        }
        Log::numbered(&self.dictionary, self.event.log_no)
    }

    /// The metadata as JSON.
    #[must_use]
    pub fn metadata(&self) -> Metadata<'_> {
        Metadata(&self.event.metadata)
    }
}

/// An actor as they were then, and what the product calls such a one.
#[derive(Clone, Copy)]
pub struct Actor<'a> {
    /// The actor.
    pub actor: &'a event::Actor,
    /// The product.
    pub product: &'a Product,
}

impl<'a> Actor<'a> {
    /// The kind.
    #[must_use]
    pub fn kind(self) -> ActorKind {
        self.actor.kind
    }

    /// What to show where there is room for one text: never empty.
    #[must_use]
    pub fn label(self) -> String {
        self.product.actor_label(self.actor)
    }

    /// What the product calls such an actor.
    #[must_use]
    pub fn kind_label(self) -> &'a str {
        self.product.kind_label(self.actor.kind)
    }
}

/// A category by its code; one that the catalog does not have is shown by its code.
#[derive(Clone, Copy)]
pub struct Category<'a> {
    /// The code.
    pub code: &'a str,
    /// The product.
    pub product: &'a Product,
}

impl<'a> Category<'a> {
    fn known(self) -> Option<&'a catalog::Category> {
        self.product.catalog.category(self.code)
    }

    /// Name to show in a filter.
    #[must_use]
    pub fn label(self) -> &'a str {
        self.known().map_or(self.code, |known| &known.label)
    }

    /// Name to show where there is little room.
    #[must_use]
    pub fn short_label(self) -> &'a str {
        self.known().map_or(self.code, |known| &known.short_label)
    }

    /// What belongs to it, in a sentence.
    #[must_use]
    pub fn description(self) -> Option<&'a str> {
        self.known().and_then(|known| known.description.as_deref())
    }
}

/// A log of an organization.
#[derive(Clone)]
pub struct Log {
    dictionary: Arc<Dictionary>,
    no: i64,
}

impl Log {
    /// The log of a number.
    #[must_use]
    pub fn numbered(dictionary: &Arc<Dictionary>, no: i64) -> Option<Self> {
        dictionary.log(no).map(|_| Self { dictionary: dictionary.clone(), no })
    }

    fn node(&self) -> &LogNode {
        self.dictionary.log(self.no).expect("made for a log that is there")
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> LogId {
        self.dictionary.log_id(self.no).expect("made for a log that is there")
    }

    /// Name of its level.
    #[must_use]
    pub fn level(&self) -> &str {
        &self.node().level
    }

    /// The product's own id of the thing that has the log.
    #[must_use]
    pub fn external_id(&self) -> &str {
        &self.node().id
    }

    /// Name to show, kept from the first use.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.node().name.as_deref()
    }

    /// Name to show where there has to be one.
    #[must_use]
    pub fn label(&self) -> &str {
        self.name().unwrap_or_else(|| self.external_id())
    }

    /// The log that it is nested in.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        Self::numbered(&self.dictionary, self.node().parent?)
    }

    /// When it was deleted, if it was.
    #[must_use]
    pub fn deleted_at(&self) -> Option<Timestamp> {
        self.node().deleted_at
    }
}

/// Metadata as any JSON library reads it: see [`event::json::shown`].
#[derive(Clone, Copy)]
pub struct Metadata<'a>(&'a str);

impl Metadata<'_> {
    /// No metadata.
    pub const NONE: Self = Self("{}");

    /// As a value.
    #[must_use]
    pub fn value<V: DeserializeOwned + Default>(self) -> V {
        event::json::shown(self.0)
    }
}

/// The same as text. Most metadata is written without being read.
impl Serialize for Metadata<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match event::json::compact(self.0).map(RawValue::from_string) {
            Some(Ok(text)) => text.serialize(serializer),
            _ => self.value::<serde_json::Value>().serialize(serializer),
        }
    }
}
