//! What a filter comes to in the search index: conditions that every event of it fulfils, and whether they alone decide.

use std::collections::BTreeMap;

use super::{
    clause::{Clause, Term},
    filter::{Filter, Pattern},
    search::Search,
    sought::Sought,
};
use crate::event::terms::{self, TermKind};

/// Names and e-mail addresses of actors.
type NamesAndEmails = (Vec<String>, Vec<String>);

/// What the organization's dictionaries say to a filter.
#[derive(Clone, Debug, Default)]
pub struct Expansion {
    /// Distinct actions of the organization that fit some prefix of the filter.
    pub actions: Vec<String>,
    /// Names that contain the asked part; `None`: too many, test the rows.
    pub names: Option<Vec<String>>,
    /// E-mails that contain the asked part; `None`: too many, test the rows.
    pub emails: Option<Vec<String>>,
    /// By a part that is asked of actors: names and e-mails that contain it; `None`: too many, test the rows.
    pub actors: BTreeMap<String, Option<NamesAndEmails>>,
    /// Whether the index may lack words, because they are being made anew: the rows are tested for all of them.
    pub lacks_words: bool,
}

impl Filter {
    /// The filter as index clauses: all must hold. Dates, where words of a phrase stand, an unexpanded part of a name or
    /// e-mail address, and that a name is of the same resource as its type and id, are not in them.
    #[must_use]
    pub fn clauses(&self, expansion: &Expansion) -> Vec<Clause> {
        let mut clauses = Vec::new();
        let mut any = |any: Option<Vec<Term>>| clauses.extend(any.map(|any| Clause { any, none: false }));
        any(exact_terms(TermKind::Category, self.categories.as_deref()));
        any(self.actions.as_deref().map(|patterns| action_terms(patterns, expansion)));
        any(self.outcomes.as_ref().map(|list| list.iter().map(|o| numbered(TermKind::Outcome, o.number())).collect()));
        any(self
            .actor_kinds
            .as_ref()
            .map(|list| list.iter().map(|k| numbered(TermKind::ActorKind, k.number())).collect()));
        any(exact_terms(TermKind::ActorId, self.actor_ids.as_deref()));
        any(exact_terms(TermKind::ActorName, self.actor_names.as_deref()));
        if self.actor_name_contains.is_some() {
            any(exact_terms(TermKind::ActorName, expansion.names.as_deref()));
        }
        any(exact_terms(TermKind::ActorEmail, self.actor_emails.as_deref()));
        if self.actor_email_contains.is_some() {
            any(exact_terms(TermKind::ActorEmail, expansion.emails.as_deref()));
        }
        if let Some(actors) = &self.actors {
            any(actors
                .iter()
                .map(|part| actors_terms(part, expansion))
                .collect::<Option<Vec<_>>>()
                .map(|all| all.concat()));
        }
        any(self.actor_present.map(|present| vec![term(TermKind::ActorPresence, terms::presence(present))]));
        match (&self.resource_types, &self.resource_ids) {
            (Some(types), Some(ids)) => {
                let pairs = types.iter().flat_map(|t| ids.iter().map(move |id| Term::Exact(terms::resource(t, id))));
                any(Some(pairs.collect()));
            }
            (types, ids) => {
                any(exact_terms(TermKind::ResourceType, types.as_deref()));
                any(exact_terms(TermKind::ResourceId, ids.as_deref()));
            }
        }
        any(exact_terms(TermKind::ResourceName, self.resource_names.as_deref()));
        any(self.resources.as_deref().map(resources_terms));
        any(exact_terms(TermKind::IpAddress, self.ip_addresses.as_deref()));
        any(exact_terms(TermKind::CorrelationId, self.correlation_ids.as_deref()));
        any(exact_terms(TermKind::Source, self.sources.as_deref()));
        any(exact_terms(TermKind::SourceEventId, self.source_event_ids.as_deref()));
        if self.truncated == Some(true) {
            any(Some(vec![Term::Exact(terms::truncated())]));
        }
        if self.masked == Some(true) {
            any(Some(vec![Term::Exact(terms::masked())]));
        }
        for sought in self.search.all.iter().filter(|_| !expansion.lacks_words) {
            let labelled = label_terms(sought);
            for own in sought.terms() {
                any(Some(own.into_iter().chain(labelled.iter().cloned()).collect()));
            }
        }
        let mut none = |any: Vec<Term>| {
            if !any.is_empty() {
                clauses.push(Clause { any, none: true });
            }
        };
        none(exact_terms(TermKind::Category, Some(&self.not_categories)).unwrap_or_default());
        none(action_terms(&self.not_actions, expansion));
        none(self.not_actor_kinds.iter().map(|k| numbered(TermKind::ActorKind, k.number())).collect());
        none(exact_terms(TermKind::ActorId, Some(&self.not_actor_ids)).unwrap_or_default());
        none(self.not_outcomes.iter().map(|o| numbered(TermKind::Outcome, o.number())).collect());
        none(self.not_actors.iter().filter_map(|part| actors_terms(part, expansion)).flatten().collect());
        none(resources_terms(&self.not_resources));
        none(exact_terms(TermKind::IpAddress, Some(&self.not_ip_addresses)).unwrap_or_default());
        none(exact_terms(TermKind::Source, Some(&self.not_sources)).unwrap_or_default());
        for terms in self.not_words.iter().filter(|_| !expansion.lacks_words).filter_map(told_by_terms) {
            none(terms);
        }
        if self.truncated == Some(false) {
            none(vec![Term::Exact(terms::truncated())]);
        }
        if self.masked == Some(false) {
            none(vec![Term::Exact(terms::masked())]);
        }
        clauses
    }

    /// Whether the clauses alone do not decide: words that are being made anew, what the index does not tell of a search, a part of a name or
    /// e-mail address that too many have, or a resource's name together with its type or id.
    #[must_use]
    pub fn needs_rows(&self, expansion: &Expansion) -> bool {
        self.search.all.iter().any(Sought::needs_rows)
            || self.not_words.iter().any(|search| told_by_terms(search).is_none())
            || (expansion.lacks_words && !(self.search.is_empty() && self.not_words.is_empty()))
            || (self.actor_name_contains.is_some() && expansion.names.is_none())
            || (self.actor_email_contains.is_some() && expansion.emails.is_none())
            || self.actor_parts().any(|part| actors_terms(part, expansion).is_none())
            || (self.resource_names.is_some() && (self.resource_types.is_some() || self.resource_ids.is_some()))
            || (self.resources.is_some()
                && (self.resource_types.is_some() || self.resource_ids.is_some() || self.resource_names.is_some()))
    }
}

/// The terms of which an event has one exactly if a search finds it; `None` where its terms alone do not tell.
fn told_by_terms(search: &Search) -> Option<Vec<Term>> {
    let [sought] = search.all.as_slice() else { return None };
    let [own] = <[_; 1]>::try_from(sought.terms()).ok().filter(|_| !sought.needs_rows())?;
    Some(own.into_iter().chain(label_terms(sought)).collect())
}

/// The terms of actions and categories that count because of their label.
fn label_terms(sought: &Sought) -> Vec<Term> {
    let actions = sought.actions.iter().map(|a| term(TermKind::Action, a));
    actions.chain(sought.categories.iter().map(|c| term(TermKind::Category, c))).collect()
}

/// The terms of actors who have a part; `None` where they are too many for the index.
fn actors_terms(part: &String, expansion: &Expansion) -> Option<Vec<Term>> {
    let (names, emails) = expansion.actors.get(part)?.as_ref()?;
    let named = names.iter().map(|name| term(TermKind::ActorName, name));
    let mailed = emails.iter().map(|email| term(TermKind::ActorEmail, email));
    Some(std::iter::once(term(TermKind::ActorId, part)).chain(named).chain(mailed).collect())
}

/// The terms of resources of which a value is type, id or name.
fn resources_terms(values: &[String]) -> Vec<Term> {
    let kinds = [TermKind::ResourceType, TermKind::ResourceId, TermKind::ResourceName];
    values.iter().flat_map(|value| kinds.map(|kind| term(kind, value))).collect()
}

fn term(kind: TermKind, value: &str) -> Term {
    Term::Exact(terms::exact(kind, value))
}

fn numbered(kind: TermKind, number: i16) -> Term {
    Term::Exact(terms::numbered(kind, number.into()))
}

fn exact_terms(kind: TermKind, values: Option<&[String]>) -> Option<Vec<Term>> {
    values.map(|values| values.iter().map(|value| term(kind, value)).collect())
}

fn action_terms(patterns: &[Pattern], expansion: &Expansion) -> Vec<Term> {
    let mut any = Vec::new();
    for pattern in patterns {
        match pattern {
            Pattern::Exact(name) => any.push(term(TermKind::Action, name)),
            Pattern::Prefix(_) => {
                any.extend(expansion.actions.iter().filter(|a| pattern.matches(a)).map(|a| term(TermKind::Action, a)));
            }
        }
    }
    any
}
