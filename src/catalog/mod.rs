//! Which products, levels, categories and actions exist. Data alone: it comes from `products/*.toml`,
//! five of them built in, and nothing here asks a database or a network.

mod actions;
mod fault;
#[cfg(test)]
mod file_tests;
pub mod issuers;
pub mod languages;
pub mod management;
pub mod ocsf;
mod parse;
mod products;
pub mod retention;
pub mod routes;
mod section;
#[cfg(test)]
mod tests;
mod viewer;

use std::{collections::HashMap, sync::Arc};

pub(crate) use actions::nearest;
pub use actions::{Action, ActionForm, Catalog, Category, Labelled, Prefix, Rules};
pub use fault::{ProductError, ProductErrors};
pub use issuers::{ClaimPath, ClaimRule, ClaimRules, Door, Issuer, IssuerName, KeySource};
pub use management::{Feature, Management};
pub(crate) use parse::{fault_of_address, is_loopback};
pub use products::Products;
pub use retention::{Keep, Wishes};
pub use viewer::{ActionDisplay, ColumnKind, DateFilter, FilterKind, Paging, Viewer, ViewerColumn, ViewerFilter};

use crate::{
    error::{Error, Result},
    event::{Actor, ActorKind, masking::Masking},
};

/// A kind of audit log: one file of `products/`.
#[derive(Clone, Debug)]
pub struct Product {
    /// Name in addresses, options and files.
    pub name: String,
    /// Name to show.
    pub label: String,
    /// Who makes its tokens.
    pub issuers: Vec<Arc<Issuer>>,
    /// Who may read.
    pub access: AccessRules,
    /// Who may manage, and what; `None` where nothing can be managed.
    pub management: Option<Management>,
    /// Levels of logs; the first is the organization's own, and a parent stands before its children.
    pub levels: Vec<Level>,
    /// Categories and actions.
    pub catalog: Catalog,
    /// What the kinds of actors are called; every kind has an entry.
    pub actor_labels: HashMap<ActorKind, String>,
    /// What roles are called; those that have no entry are shown as they are.
    pub role_labels: Labels,
    /// What plans are called; those that have no entry are shown as they are.
    pub plan_labels: Labels,
    /// How its log is shown.
    pub viewer: Viewer,
    /// What of its events is masked.
    pub masking: Masking,
    /// The level whose log tells of reads; `None` where reads are no events.
    pub record_reads: Option<String>,
    /// Its own REST routes.
    pub routes: Vec<routes::Route>,
    /// For how long events are kept, where neither their level nor the organization says otherwise.
    pub retention: Keep,
    /// For how long those of organizations of a plan are kept, where that differs.
    pub retention_by_plan: Vec<retention::PlanRule>,
    /// Days that events are kept at least, whoever wants it shorter: 0 where the file names none.
    pub retention_floor: i64,
    /// Days between the confirmation of an organization's end and its beginning.
    pub end_delay: i64,
    /// The language of its labels, as a tag of BCP 47.
    pub language: String,
    /// The same product with the labels of other languages, each by its tag; empty for those.
    pub languages: Vec<(String, Arc<Self>)>,
    /// The product as its file has it, where the labels are of another language.
    pub(super) written: Option<Arc<Self>>,
}

impl Product {
    /// Whether it depends on the organization's plan who may read or manage.
    #[must_use]
    pub fn asks_for_plans(&self) -> bool {
        !self.access.plans.is_empty() || self.management.as_ref().is_some_and(|rules| !rules.plans.is_empty())
    }

    /// What the file says of managing, where it offers a feature.
    #[must_use]
    pub fn offers(&self, feature: Feature) -> Option<&Management> {
        self.management.as_ref().filter(|management| management.features.contains(&feature))
    }

    /// A level and its place in the list.
    #[must_use]
    pub fn level(&self, name: &str) -> Option<(usize, &Level)> {
        self.levels.iter().enumerate().find(|(_, level)| level.name == name)
    }

    /// What tokens that the service itself makes for it are meant for.
    #[must_use]
    pub fn audience(&self) -> &str {
        self.issuers.iter().find_map(|issuer| issuer.audiences.first()).unwrap_or(&self.name)
    }

    /// The level of the organization's own log.
    #[must_use]
    pub fn top_level(&self) -> &Level {
        // The parser refuses a product without levels.
        &self.levels[0]
    }

    /// The level of a name that a caller gives.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` on `field`, with the levels there are.
    pub fn check_level(&self, field: &str, name: &str) -> Result<&Level> {
        let found = self.level(name).map(|(_, level)| level);
        found.ok_or_else(|| Error::bad_input(field, format!("must be one of {}, got {name:?}", self.level_names())))
    }

    /// The names of all levels, for a message that says which there are.
    #[must_use]
    pub fn level_names(&self) -> String {
        self.levels.iter().map(|level| level.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// What an actor is called: name, else e-mail, else the product's word for the kind, with the id if there is one.
    #[must_use]
    pub fn actor_label(&self, actor: &Actor) -> String {
        if let Some(known) = [&actor.name, &actor.email].into_iter().flatten().find(|text| !text.is_empty()) {
            return known.clone();
        }
        let kind = self.kind_label(actor.kind);
        match actor.id.as_deref().filter(|id| !id.is_empty()) {
            Some(id) => format!("{kind} {id}"),
            None => kind.to_owned(),
        }
    }

    /// What a kind of actor is called.
    #[must_use]
    pub fn kind_label(&self, kind: ActorKind) -> &str {
        self.actor_labels.get(&kind).map_or_else(|| kind.as_str(), String::as_str)
    }

    /// The kinds of actor that its events may name, in their usual order.
    #[must_use]
    pub fn actor_kinds(&self) -> Vec<ActorKind> {
        let own = &self.catalog.actor_kinds;
        ActorKind::ALL.into_iter().filter(|kind| own.is_empty() || own.contains(kind)).collect()
    }
}

/// What codes such as those of roles are called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(Vec<(String, String)>);

impl Labels {
    /// Labels by code.
    pub fn new(labels: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(labels.into_iter().collect())
    }

    /// These labels, and for codes that they do not have those of others.
    #[must_use]
    pub(super) fn over(&self, others: &Self) -> Self {
        Self(self.0.iter().chain(&others.0).cloned().collect())
    }

    /// What a code is called, if need be whatever its case; itself, where nothing is said of it.
    #[must_use]
    pub fn of<'a>(&'a self, code: &'a str) -> &'a str {
        let exactly = self.0.iter().find(|(known, _)| known == code);
        let nearly = || self.0.iter().find(|(known, _)| is_same_but_for_case(known, code));
        exactly.or_else(nearly).map_or(code, |(_, label)| label)
    }
}

/// Who may read a product's logs. A list asks for one of its values; an empty list asks for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRules {
    /// Scopes that permit reading; never empty.
    pub scopes: Vec<String>,
    /// Roles that may read.
    pub roles: Vec<String>,
    /// Plans that include reading.
    pub plans: Vec<String>,
    /// Whether roles and plans of a token must be written as here, capitals included.
    pub case_sensitive: bool,
    /// Whether clients are advised to hide the log where the plan does not include it.
    pub hidden_without_plan: bool,
    /// Where a page leads readers whose role may not read.
    pub redirect_href: Option<String>,
    /// Where a page leads readers whose plan does not include reading.
    pub upgrade_href: Option<String>,
}

impl AccessRules {
    /// Whether one of these roles may read.
    pub fn admits(&self, roles: &[String]) -> bool {
        self.one_of(&self.roles, roles)
    }

    /// Whether a plan includes reading.
    #[must_use]
    pub fn includes(&self, plan: Option<&str>) -> bool {
        self.one_of(&self.plans, plan)
    }

    /// Whether one of the names that somebody has is in a list of roles or plans of the product. An empty list asks for
    /// nothing.
    pub fn one_of<'a, T: AsRef<str> + 'a + ?Sized>(
        &self,
        list: &[String],
        names: impl IntoIterator<Item = &'a T>,
    ) -> bool {
        list.is_empty() || names.into_iter().any(|name| self.lists(list, name.as_ref()))
    }

    fn lists(&self, names: &[String], name: &str) -> bool {
        names.iter().any(|own| self.is_same(own, name))
    }

    /// Whether two roles, or two plans, are one.
    #[must_use]
    pub fn is_same(&self, one: &str, other: &str) -> bool {
        one == other || (!self.case_sensitive && is_same_but_for_case(one, other))
    }
}

/// Whether two names are one to a reader who does not mind capitals, in any script, whichever way accents are encoded
/// (Unicode, D145).
pub(crate) fn is_same_but_for_case(a: &str, b: &str) -> bool {
    caseless::canonical_caseless_match_str(a, b)
}

/// A level of logs: the organization's own, or one of those nested in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// Name in addresses and tokens.
    pub name: String,
    /// Name to show.
    pub label: String,
    /// The level above; `None` for the organization's own.
    pub parent: Option<String>,
    /// What becomes of the events of a deleted log.
    pub on_delete: LogDeletion,
    /// Whether a list of this level shows the logs below it, where the question does not say.
    pub include_nested: bool,
    /// For how long its events are kept, where that is another time than the product's.
    pub retention: Option<Keep>,
    /// For how long those of organizations of a plan are kept, where that differs.
    pub retention_by_plan: Vec<retention::PlanRule>,
}

/// What becomes of the events of a deleted log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogDeletion {
    /// They can no longer be read anywhere; their places in the sequence remain.
    Remove,
    /// They are shown in the log above with `log` null; asking for the deleted log by its id still finds them there.
    Clear,
    /// They are shown as before, and their log says when it was deleted.
    Keep,
}
