//! The query of a list: repeated parameters are lists, and a name that is none is refused, because a filter that is
//! silently left out shows too much.

use serde::Deserialize;
use url::form_urlencoded;
use utoipa::{IntoParams, ToSchema};

use crate::{
    auth::LogName,
    catalog::nearest,
    error::{Error, Result},
    event::{ActorKind, Outcome, limits},
    question::{
        cursor::{Order, OrderField},
        input::{FilterInput, PeriodInput, RangeInput},
        period::Preset,
    },
    reading::{
        list::{Asked, PartInput, Wanted},
        shown::json::snake,
    },
};

/// Parameters as they came, decoded.
pub type Pairs = Vec<(String, String)>;

/// The parameters of a query.
pub fn pairs(query: Option<&str>) -> Pairs {
    form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect()
}

/// What a list is asked by. Names are those of the GraphQL schema in snake case, with those of what they lie in before them.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Parameters {
    /// Size of the page: from 1 to 1,000, 20 by default.
    #[param(minimum = 1, maximum = 1000, default = 20)]
    limit: Option<i64>,
    /// The page comes after this cursor, which is `page.end` of another.
    after: Option<String>,
    /// The page comes before this cursor, which is `page.start` of another. Not together with `after`.
    before: Option<String>,
    /// What to tell besides; may be repeated. `total` counts the whole list, which may cost more than the page.
    include: Option<Vec<Include>>,
    /// What the list is ordered by.
    #[param(default = "OCCURRED_AT")]
    order_by_field: Option<OrderBy>,
    /// Which end of the list comes first.
    #[param(default = "DESC")]
    order_by_direction: Option<Direction>,
    /// The organization; needed where the token names none.
    organization: Option<String>,
    /// The log as level and id, such as `project:p_1`; the organization's own where absent.
    #[param(pattern = "^[^:]+:.+$")]
    log: Option<String>,
    /// Whether events of logs nested in it are listed too; the level's setting where absent.
    include_nested: Option<bool>,
    /// Words that must all occur in an event, anywhere; `word*` is a prefix, `"two words"` a phrase. At most 16 words.
    #[param(max_length = 256)]
    search: Option<String>,
    /// What a person types into a query box, such as `actor:ada action:role.* -outcome:success after:7d "two words"`; the
    /// manual has the grammar. A field may be asked for here or by its parameter, not both.
    #[param(max_length = 1000)]
    q: Option<String>,
    /// IANA name of the zone that the days and times of `q` are of, such as `Europe/Berlin`; UTC where absent.
    q_time_zone: Option<String>,
    /// Category codes. Like all lists: may be repeated up to 100 times, and one of the values must hold.
    #[param(max_items = 100)]
    categories: Option<Vec<String>>,
    /// Action names. A trailing `*` makes one a prefix, as in `admin.*`; `\*` is a star.
    #[param(max_items = 100)]
    actions: Option<Vec<String>>,
    /// Outcomes.
    #[param(max_items = 100)]
    outcomes: Option<Vec<Outcome>>,
    /// Kinds of actor.
    #[param(max_items = 100)]
    actor_kinds: Option<Vec<ActorKind>>,
    /// The product's own ids of actors.
    #[param(max_items = 100)]
    actor_ids: Option<Vec<String>>,
    /// Names of actors, exactly as recorded.
    #[param(max_items = 100)]
    actor_names: Option<Vec<String>>,
    /// A part of the actor's name; case is ignored, every character is a plain one.
    actor_name_contains: Option<String>,
    /// E-mail addresses of actors, exactly as recorded.
    #[param(max_items = 100)]
    actor_emails: Option<Vec<String>>,
    /// A part of the actor's e-mail address; case is ignored, every character is a plain one.
    actor_email_contains: Option<String>,
    /// Texts of which one is the actor's id, or a part of the name or e-mail address; case is ignored there.
    #[param(max_items = 100)]
    actor_any_contains: Option<Vec<String>>,
    /// Whether an id, a name or an e-mail address of the actor is known.
    actor_present: Option<bool>,
    /// Types of things that were acted on. With several `resource_` parameters, one resource must have them all.
    #[param(max_items = 100)]
    resource_types: Option<Vec<String>>,
    /// The product's own ids of things.
    #[param(max_items = 100)]
    resource_ids: Option<Vec<String>>,
    /// Names of things, exactly as recorded.
    #[param(max_items = 100)]
    resource_names: Option<Vec<String>>,
    /// Texts of which one is the type, the id or the name of a thing, exactly as recorded.
    #[param(max_items = 100)]
    resource_any_is: Option<Vec<String>>,
    /// Addresses, as they were sent.
    #[param(max_items = 100)]
    ip_addresses: Option<Vec<String>>,
    /// Correlation ids.
    #[param(max_items = 100)]
    correlation_ids: Option<Vec<String>>,
    /// Systems that events come from.
    #[param(max_items = 100)]
    sources: Option<Vec<String>>,
    /// Those systems' own ids.
    #[param(max_items = 100)]
    source_event_ids: Option<Vec<String>>,
    /// Whether something of the event was cut or replaced.
    truncated: Option<bool>,
    /// Whether something of the event was masked.
    masked: Option<bool>,
    /// The first instant: an event at exactly this time is kept. Not together with `period_preset`.
    #[param(format = DateTime)]
    occurred_at_from: Option<String>,
    /// The instant after the last: an event at exactly this time is not kept.
    #[param(format = DateTime)]
    occurred_at_to: Option<String>,
    /// Days that end today, in the zone of `period_time_zone`, which must be there too.
    period_preset: Option<PeriodPreset>,
    /// IANA name of a time zone, such as `Europe/Berlin`.
    period_time_zone: Option<String>,
    /// Category codes to leave out.
    #[param(max_items = 100)]
    not_categories: Option<Vec<String>>,
    /// Action names and prefixes to leave out.
    #[param(max_items = 100)]
    not_actions: Option<Vec<String>>,
    /// Kinds of actor to leave out.
    #[param(max_items = 100)]
    not_actor_kinds: Option<Vec<ActorKind>>,
    /// The product's own ids of actors to leave out.
    #[param(max_items = 100)]
    not_actor_ids: Option<Vec<String>>,
    /// Outcomes to leave out. An event that has none is kept.
    #[param(max_items = 100)]
    not_outcomes: Option<Vec<Outcome>>,
    /// Actors to leave out, as in `actor_any_contains`.
    #[param(max_items = 100)]
    not_actors: Option<Vec<String>>,
    /// Things to leave out, as in `resource_any_is`.
    #[param(max_items = 100)]
    not_resources: Option<Vec<String>>,
    /// Addresses to leave out, as they were sent.
    #[param(max_items = 100)]
    not_ip_addresses: Option<Vec<String>>,
    /// Systems to leave out the events of.
    #[param(max_items = 100)]
    not_sources: Option<Vec<String>>,
    /// Texts as in `search`: what one of them finds is left out.
    #[param(max_items = 100)]
    not_words: Option<Vec<String>>,
    /// Number of the page, for the routes of products that number them.
    #[param(ignore)]
    page: Option<i64>,
}

/// What is told besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Include {
    /// `page.total`: events of the whole list, as it was when paging began.
    Total,
    /// `metadata_text` of every event.
    MetadataText,
}

const INCLUDES: [(&str, Include); 2] = [("total", Include::Total), ("metadata_text", Include::MetadataText)];

/// The key of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrderBy {
    /// When things happened: the order for people. A late event appears in its own place.
    OccurredAt,
    /// When they were recorded: the order for programs. Past pages never change.
    Sequence,
}

const ORDERS: [(&str, OrderBy); 2] = [("OCCURRED_AT", OrderBy::OccurredAt), ("SEQUENCE", OrderBy::Sequence)];

/// Which end of an order comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Direction {
    /// Oldest first.
    Asc,
    /// Newest first.
    Desc,
}

const DIRECTIONS: [(&str, Direction); 2] = [("ASC", Direction::Asc), ("DESC", Direction::Desc)];

/// Days that end today.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
pub enum PeriodPreset {
    /// From local midnight.
    #[serde(rename = "TODAY")]
    Today,
    /// From local midnight six days ago.
    #[serde(rename = "LAST_7_DAYS")]
    Last7Days,
    /// From local midnight 29 days ago.
    #[serde(rename = "LAST_30_DAYS")]
    Last30Days,
    /// From local midnight 89 days ago.
    #[serde(rename = "LAST_90_DAYS")]
    Last90Days,
}

const PRESETS: [(&str, PeriodPreset); 4] = [
    ("TODAY", PeriodPreset::Today),
    ("LAST_7_DAYS", PeriodPreset::Last7Days),
    ("LAST_30_DAYS", PeriodPreset::Last30Days),
    ("LAST_90_DAYS", PeriodPreset::Last90Days),
];

const BOOLEANS: [(&str, bool); 2] = [("true", true), ("false", false)];

impl Parameters {
    /// Reads the parameters of a query; `page` only where the list is asked for by numbers.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming the parameter.
    pub fn read(pairs: Pairs, numbered: bool) -> Result<Self> {
        let mut given = Given { pairs, known: Vec::new() };
        let kinds = ActorKind::ALL.map(|kind| (kind.as_str(), kind));
        let outcomes = Outcome::ALL.map(|outcome| (outcome.as_str(), outcome));
        let read = Self {
            limit: given.number("limit")?,
            after: given.one("after")?,
            before: given.one("before")?,
            include: given.words("include", &INCLUDES)?,
            order_by_field: given.word("order_by_field", &ORDERS)?,
            order_by_direction: given.word("order_by_direction", &DIRECTIONS)?,
            organization: given.one("organization")?,
            log: given.one("log")?,
            include_nested: given.word("include_nested", &BOOLEANS)?,
            search: given.one("search")?,
            q: given.one("q")?,
            q_time_zone: given.one("q_time_zone")?,
            categories: given.list("categories"),
            actions: given.list("actions"),
            outcomes: given.words("outcomes", &outcomes)?,
            actor_kinds: given.words("actor_kinds", &kinds)?,
            actor_ids: given.list("actor_ids"),
            actor_names: given.list("actor_names"),
            actor_name_contains: given.one("actor_name_contains")?,
            actor_emails: given.list("actor_emails"),
            actor_email_contains: given.one("actor_email_contains")?,
            actor_any_contains: given.list("actor_any_contains"),
            actor_present: given.word("actor_present", &BOOLEANS)?,
            resource_types: given.list("resource_types"),
            resource_ids: given.list("resource_ids"),
            resource_names: given.list("resource_names"),
            resource_any_is: given.list("resource_any_is"),
            ip_addresses: given.list("ip_addresses"),
            correlation_ids: given.list("correlation_ids"),
            sources: given.list("sources"),
            source_event_ids: given.list("source_event_ids"),
            truncated: given.word("truncated", &BOOLEANS)?,
            masked: given.word("masked", &BOOLEANS)?,
            occurred_at_from: given.one("occurred_at_from")?,
            occurred_at_to: given.one("occurred_at_to")?,
            period_preset: given.word("period_preset", &PRESETS)?,
            period_time_zone: given.one("period_time_zone")?,
            not_categories: given.list("not_categories"),
            not_actions: given.list("not_actions"),
            not_actor_kinds: given.words("not_actor_kinds", &kinds)?,
            not_actor_ids: given.list("not_actor_ids"),
            not_outcomes: given.words("not_outcomes", &outcomes)?,
            not_actors: given.list("not_actors"),
            not_resources: given.list("not_resources"),
            not_ip_addresses: given.list("not_ip_addresses"),
            not_sources: given.list("not_sources"),
            not_words: given.list("not_words"),
            page: if numbered { given.number("page")? } else { None },
        };
        given.end()?;
        Ok(read)
    }

    /// Whether something was asked for besides.
    pub fn includes(&self, wanted: Include) -> bool {
        self.include.as_ref().is_some_and(|include| include.contains(&wanted))
    }

    /// Size of the page.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` on `limit`.
    pub fn size(&self) -> Result<i64> {
        let most = limits::PAGE_MAX_REST;
        match self.limit {
            None => Ok(limits::PAGE_DEFAULT as i64),
            Some(n) if n >= 1 && n <= most as i64 => Ok(n),
            Some(n) => Err(Error::bad_input("limit", format!("must be from 1 to {most}, got {n}"))),
        }
    }

    /// The list that is asked for, in the words of the core; its log, where the address names it.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming the parameter.
    pub fn asked(self, log: Option<LogName>) -> Result<Asked> {
        let size = self.size()?;
        if self.after.is_some() && self.before.is_some() {
            return Err(Error::bad_input("before", "must not be given together with after"));
        }
        let is_range = self.occurred_at_from.is_some() || self.occurred_at_to.is_some();
        let period = match (self.period_preset, self.period_time_zone.clone()) {
            (Some(_), _) if is_range => {
                let rule = "must not be given together with occurred_at_from or occurred_at_to";
                return Err(Error::bad_input("period_preset", rule));
            }
            (Some(_), None) => return Err(Error::bad_input("period_time_zone", "must be given with period_preset")),
            (None, Some(_)) => return Err(Error::bad_input("period_preset", "must be given with period_time_zone")),
            (Some(preset), Some(time_zone)) => Some(PeriodInput { preset: core(preset), time_zone }),
            (None, None) => None,
        };
        let named = match &self.log {
            Some(text) => {
                let rule = "must be a level and an id with a colon between, such as project:p_1";
                Some(LogName::parse(text).ok_or_else(|| Error::bad_input("log", rule))?)
            }
            None => None,
        };
        let wanted = Wanted { totals: self.includes(Include::Total), ..Wanted::default() };
        let (first, last) = if self.before.is_some() { (None, Some(size)) } else { (Some(size), None) };
        Ok(Asked {
            organization: self.organization,
            log: log.or(named),
            include_nested: self.include_nested,
            order: Order {
                field: match self.order_by_field.unwrap_or(OrderBy::OccurredAt) {
                    OrderBy::OccurredAt => OrderField::OccurredAt,
                    OrderBy::Sequence => OrderField::Sequence,
                },
                descending: self.order_by_direction.unwrap_or(Direction::Desc) == Direction::Desc,
            },
            part: PartInput { first, after: self.after, last, before: self.before, number: self.page },
            most: limits::PAGE_MAX_REST,
            wanted,
            filter: FilterInput {
                categories: self.categories,
                actions: self.actions,
                outcomes: self.outcomes,
                actor_kinds: self.actor_kinds,
                actor_ids: self.actor_ids,
                actor_names: self.actor_names,
                actor_name_contains: self.actor_name_contains,
                actor_emails: self.actor_emails,
                actor_email_contains: self.actor_email_contains,
                actors: self.actor_any_contains,
                actor_present: self.actor_present,
                resource_types: self.resource_types,
                resource_ids: self.resource_ids,
                resource_names: self.resource_names,
                resources: self.resource_any_is,
                ip_addresses: self.ip_addresses,
                correlation_ids: self.correlation_ids,
                sources: self.sources,
                source_event_ids: self.source_event_ids,
                truncated: self.truncated,
                masked: self.masked,
                occurred_at: is_range.then_some(RangeInput { from: self.occurred_at_from, to: self.occurred_at_to }),
                period,
                not_categories: self.not_categories,
                not_actions: self.not_actions,
                not_actor_kinds: self.not_actor_kinds,
                not_actor_ids: self.not_actor_ids,
                not_outcomes: self.not_outcomes,
                not_actors: self.not_actors,
                not_resources: self.not_resources,
                not_ip_addresses: self.not_ip_addresses,
                not_sources: self.not_sources,
                not_words: self.not_words,
                search: self.search,
                query: self.q,
                query_time_zone: self.q_time_zone,
            },
        })
    }
}

fn core(preset: PeriodPreset) -> Preset {
    match preset {
        PeriodPreset::Today => Preset::Today,
        PeriodPreset::Last7Days => Preset::Last7Days,
        PeriodPreset::Last30Days => Preset::Last30Days,
        PeriodPreset::Last90Days => Preset::Last90Days,
    }
}

/// The error of a list, its field named as the parameter is: `filter.actor.emailContains` is `actor_email_contains`.
pub fn of_list(error: Error) -> Error {
    match error {
        Error::BadInput { field, rule, given, suggestions } => {
            let field = match field.strip_prefix("log.") {
                // Level and id are one parameter.
                Some(_) => "log".to_owned(),
                None if field == "queryTimeZone" => "q_time_zone".to_owned(),
                None => snake(field.strip_prefix("filter.").unwrap_or(&field)).replace('.', "_"),
            };
            Error::BadInput { field, rule, given, suggestions }
        }
        other => other,
    }
}

/// Parameters that are being read. Every name that is asked for is known; [`Given::end`] refuses all others.
struct Given {
    pairs: Pairs,
    known: Vec<&'static str>,
}

impl Given {
    fn list(&mut self, name: &'static str) -> Option<Vec<String>> {
        self.known.push(name);
        let (found, rest) = std::mem::take(&mut self.pairs).into_iter().partition(|(given, _)| given == name);
        self.pairs = rest;
        let found: Pairs = found;
        (!found.is_empty()).then(|| found.into_iter().map(|(_, value)| value).collect())
    }

    fn one(&mut self, name: &'static str) -> Result<Option<String>> {
        let mut values = self.list(name).unwrap_or_default();
        match values.len() {
            0 | 1 => Ok(values.pop()),
            n => Err(Error::bad_input(name, format!("must stand once, got {n}"))),
        }
    }

    fn number(&mut self, name: &'static str) -> Result<Option<i64>> {
        let text = self.one(name)?;
        let read = |text: String| {
            text.parse().map_err(|_| Error::bad_input(name, format!("must be a whole number, got {text:?}")))
        };
        text.map(read).transpose()
    }

    fn word<T: Copy>(&mut self, name: &'static str, words: &[(&str, T)]) -> Result<Option<T>> {
        self.one(name)?.map(|text| word(name, &text, words)).transpose()
    }

    fn words<T: Copy>(&mut self, name: &'static str, words: &[(&str, T)]) -> Result<Option<Vec<T>>> {
        let texts = self.list(name);
        texts.map(|texts| texts.iter().map(|text| word(name, text, words)).collect()).transpose()
    }

    fn end(self) -> Result<()> {
        let Some((name, _)) = self.pairs.first() else { return Ok(()) };
        let suggestions = nearest(name, self.known.iter().map(|known| (*known, *known)));
        let field = name.clone();
        Err(Error::BadInput { field, rule: "is no parameter of this list".to_owned(), given: None, suggestions })
    }
}

fn word<T: Copy>(name: &str, text: &str, words: &[(&str, T)]) -> Result<T> {
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    found.ok_or_else(|| {
        let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        Error::bad_input(name, format!("must be one of {}, got {text:?}", words.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::routes::PARAMETERS;

    #[test]
    fn routes_of_products_may_take_parameters_that_there_are() {
        let ours: Vec<String> = Parameters::into_params(|| None).into_iter().map(|parameter| parameter.name).collect();
        for name in PARAMETERS {
            assert!(name == "page" || ours.iter().any(|known| known == name), "{name}");
            assert!(
                Parameters::read(vec![(name.to_owned(), "x".to_owned())], true)
                    .err()
                    .is_none_or(|error| !error.to_string().contains("is no parameter"))
            );
        }
        for name in &ours {
            let read = Parameters::read(vec![(name.clone(), "x".to_owned())], false);
            assert!(read.err().is_none_or(|error| !error.to_string().contains("is no parameter")), "{name}");
        }
    }
}
