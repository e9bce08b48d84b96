//! What could be meant by what somebody is typing into a query box: from the catalog, and from whom the log tells of.

use super::{Reader, readable::Readable};
use crate::{
    auth::Principal,
    catalog::Product,
    error::{Error, Result},
    event::{Actor, ActorKind, Outcome},
    question::query::{Field, Query, Typed, written},
};

/// Most completions of one answer.
const MOST: usize = 20;

/// A text that could stand in the place of what is being typed.
pub struct Completion {
    /// The text: a value, in quotes where it needs them, with the name of its field where none stands there yet.
    pub text: String,
    /// What people call it.
    pub label: String,
    /// Where what it takes the place of begins: characters before it.
    pub from: usize,
    /// Where that ends.
    pub to: usize,
}

impl Reader {
    /// What could be meant where the cursor stands in a query, after `at` characters; at its end where absent.
    ///
    /// # Errors
    /// As [`Self::readable`], and `BAD_USER_INPUT` on `text` or `at`.
    pub async fn query_completions(
        &self,
        principal: &Principal,
        organization: Option<&str>,
        text: &str,
        at: Option<i64>,
    ) -> Result<Vec<Completion>> {
        let readable = self.readable(principal, organization, None).await?;
        let at = match at {
            Some(at) => {
                usize::try_from(at).map_err(|_| Error::bad_input("at", format!("must not be negative, got {at}")))?
            }
            None => text.chars().count(),
        };
        let Some(Typed { field, text, at }) = Query::typed(text, at)? else { return Ok(Vec::new()) };
        let product = &principal.product;
        let found = match field {
            None => parts(product, &readable, &text),
            Some(Field::Actor) => {
                let part = Some(text.as_str());
                let actors = Box::pin(self.actors(principal, organization, part, MOST as i64)).await?;
                actors.iter().filter_map(|actor| named(product, actor)).collect()
            }
            Some(field) => values(product, &readable, field, &text),
        };
        let completion = |(text, label)| Completion { text, label, from: at.start, to: at.end };
        Ok(found.into_iter().take(MOST).map(completion).collect())
    }
}

/// What could begin here: a field, or the value of one that has a label like it.
fn parts(product: &Product, readable: &Readable, typed: &str) -> Vec<(String, String)> {
    let lower = typed.to_lowercase();
    let fields = Field::ALL.into_iter().filter(|field| field.name().starts_with(&lower));
    let mut found: Vec<_> = fields.map(|field| (format!("{}:", field.name()), label(field).to_owned())).collect();
    if !lower.is_empty() {
        for field in [Field::Action, Field::Category] {
            let values = values(product, readable, field, typed).into_iter();
            found.extend(values.map(|(value, label)| (format!("{}:{value}", field.name()), label)));
        }
    }
    found
}

/// The values of a field that what is typed could become.
fn values(product: &Product, readable: &Readable, field: Field, typed: &str) -> Vec<(String, String)> {
    let texts =
        |all: &[(&str, &str)]| all.iter().map(|(name, label)| ((*name).to_owned(), (*label).to_owned())).collect();
    let all: Vec<(String, String)> = match field {
        Field::Action => {
            let catalog = &product.catalog;
            let known = catalog.actions.iter().map(|action| action.name.clone());
            let recorded = readable.actions().into_iter().filter(|name| catalog.action(name).is_none());
            known.chain(recorded).map(|name| (name.clone(), catalog.label_of(&name))).collect()
        }
        Field::Category => {
            product.catalog.categories.iter().map(|each| (each.code.clone(), each.label.clone())).collect()
        }
        Field::Kind => {
            let named = |kind: ActorKind| (kind.as_str().to_ascii_lowercase(), product.kind_label(kind).to_owned());
            product.actor_kinds().into_iter().map(named).collect()
        }
        Field::Outcome => {
            let named = |outcome: Outcome| outcome.as_str().to_ascii_lowercase();
            Outcome::ALL.into_iter().map(|outcome| (named(outcome), named(outcome))).collect()
        }
        Field::Has => texts(&[
            ("actor", "it is known who acted"),
            ("masked", "something was masked"),
            ("truncated", "something was cut"),
        ]),
        Field::After | Field::Before => texts(&[
            ("today", "the beginning of today"),
            ("yesterday", "the beginning of yesterday"),
            ("15m", "15 minutes ago"),
            ("1h", "an hour ago"),
            ("24h", "24 hours ago"),
            ("7d", "seven days ago"),
            ("30d", "30 days ago"),
        ]),
        Field::On => texts(&[("today", "today"), ("yesterday", "yesterday")]),
        Field::Actor | Field::Resource | Field::Ip | Field::Source | Field::Correlation => Vec::new(),
    };
    let typed = typed.to_lowercase();
    let fits = |text: &String| text.to_lowercase().contains(&typed);
    let fitting = all.into_iter().filter(|(name, label)| fits(name) || fits(label));
    fitting.map(|(name, label)| (written(&name), label)).collect()
}

/// An actor as a value: what tells them apart best.
fn named(product: &Product, actor: &Actor) -> Option<(String, String)> {
    let value = [&actor.email, &actor.id, &actor.name].into_iter().flatten().next()?;
    Some((written(value), product.actor_label(actor)))
}

const fn label(field: Field) -> &'static str {
    match field {
        Field::Actor => "who acted: an id, or a part of a name or e-mail address",
        Field::Action => "an action, or a beginning such as role.*",
        Field::Category => "a category",
        Field::Outcome => "success, failure or accepted",
        Field::Resource => "what was acted on: a type, an id or a name",
        Field::Ip => "an address",
        Field::After => "from a day, time or time ago on, such as 7d",
        Field::Before => "before a day, time or time ago",
        Field::On => "on a day",
        Field::Kind => "a kind of actor",
        Field::Source => "the system that it comes from",
        Field::Correlation => "a correlation id",
        Field::Has => "what is known or was done: actor, masked, truncated",
    }
}
