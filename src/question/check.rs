//! The way of what is asked into a [`Filter`]. Faults name the fields that clients write.

use chrono_tz::Tz;

use super::{
    filter::{Filter, Pattern},
    input::{FilterInput, PeriodInput, RangeInput},
    period::{self, Period},
    query::{Moments, Query},
    search::Search,
    sought::InLabel,
};
use crate::{
    error::{Error, Result},
    event::{Timestamp, limits, names::check_text},
};

impl FilterInput {
    /// The names of what is asked by, without the values: of a query, those of its fields.
    #[must_use]
    pub fn named(&self) -> Vec<String> {
        let mut all = self.clone();
        let asks_for_time = all.take_query().is_ok_and(|moments| moments.is_some());
        let written = serde_json::to_value(all).unwrap_or_default();
        let members = written.as_object().into_iter().flatten();
        let mut named: Vec<String> =
            members.filter(|(_, value)| !value.is_null()).map(|(name, _)| name.clone()).collect();
        named.extend(asks_for_time.then(|| "occurredAt".to_owned()));
        named.sort_unstable();
        named
    }

    /// The same with days and times that move with the clock as instants: those of its checked form.
    #[must_use]
    pub fn dated(mut self, checked: &Filter) -> Self {
        if !checked.moves() {
            return self;
        }
        if let Err(fault) = self.take_query() {
            unreachable!("it has been checked: {fault}");
        }
        let text = |at: Option<Timestamp>| at.map(|at| at.to_string());
        self.period = None;
        self.occurred_at = Some(RangeInput { from: text(checked.from), to: text(checked.to) });
        self
    }

    /// Refuses days and times that are others tomorrow, in what is kept and asked again and again.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` on `filter.period` or `query` that says `why`.
    pub fn must_not_move(&self, why: &str) -> Result<()> {
        if self.period.is_some() {
            return Err(Error::bad_input("filter.period", format!("must be absent: {why}")));
        }
        self.clone().take_query()?.must_not_move(why)
    }

    /// Turns the query into the fields that it asks for, and gives its moments.
    fn take_query(&mut self) -> Result<Moments> {
        self.query_time_zone = None;
        match self.query.take() {
            Some(text) => Query::parse(&text)?.add_to(self),
            None => Ok(Moments::default()),
        }
    }

    /// The validated filter. `labelled` gives the actions and categories whose label has words, as in
    /// [`Search::parse`]; `now` ends the days of a period.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming the field below `filter`, or `search`.
    pub fn check(
        mut self,
        labelled: impl Fn(&str, InLabel) -> (Vec<String>, Vec<String>),
        now: Timestamp,
    ) -> Result<Filter> {
        let zone = self.query_time_zone.as_deref();
        let zone = zone.map_or(Ok(Tz::UTC), |name| period::time_zone("queryTimeZone", name))?;
        let moments = self.take_query()?;
        let mut filter = Filter {
            categories: texts("filter.categories", self.categories)?,
            actions: patterns("filter.actions", self.actions)?,
            outcomes: list("filter.outcomes", self.outcomes)?,
            actor_kinds: list("filter.actor.kinds", self.actor_kinds)?,
            actor_ids: texts("filter.actor.ids", self.actor_ids)?,
            actor_names: texts("filter.actor.names", self.actor_names)?,
            actor_name_contains: part("filter.actor.nameContains", self.actor_name_contains)?,
            actor_emails: texts("filter.actor.emails", self.actor_emails)?,
            actor_email_contains: part("filter.actor.emailContains", self.actor_email_contains)?,
            actors: texts("filter.actor.anyContains", self.actors)?,
            actor_present: self.actor_present,
            resource_types: texts("filter.resource.types", self.resource_types)?,
            resource_ids: texts("filter.resource.ids", self.resource_ids)?,
            resource_names: texts("filter.resource.names", self.resource_names)?,
            resources: texts("filter.resource.anyIs", self.resources)?,
            ip_addresses: texts_of("filter.ipAddresses", self.ip_addresses, limits::HEADER_BYTES)?,
            correlation_ids: texts("filter.correlationIds", self.correlation_ids)?,
            sources: texts("filter.sources", self.sources)?,
            source_event_ids: texts("filter.sourceEventIds", self.source_event_ids)?,
            truncated: self.truncated,
            masked: self.masked,
            not_categories: texts("filter.not.categories", self.not_categories)?.unwrap_or_default(),
            not_actions: patterns("filter.not.actions", self.not_actions)?.unwrap_or_default(),
            not_actor_kinds: list("filter.not.actorKinds", self.not_actor_kinds)?.unwrap_or_default(),
            not_actor_ids: texts("filter.not.actorIds", self.not_actor_ids)?.unwrap_or_default(),
            not_outcomes: list("filter.not.outcomes", self.not_outcomes)?.unwrap_or_default(),
            not_actors: texts("filter.not.actors", self.not_actors)?.unwrap_or_default(),
            not_resources: texts("filter.not.resources", self.not_resources)?.unwrap_or_default(),
            not_ip_addresses: texts_of("filter.not.ipAddresses", self.not_ip_addresses, limits::HEADER_BYTES)?
                .unwrap_or_default(),
            not_sources: texts("filter.not.sources", self.not_sources)?.unwrap_or_default(),
            ..Filter::default()
        };
        if let Some(range) = &self.occurred_at {
            if self.period.is_some() {
                return Err(Error::bad_input("filter.period", "must not be given together with occurredAt"));
            }
            let instant =
                |at: &Option<String>, field| at.as_ref().map(|at| Timestamp::read_bound(at, field)).transpose();
            filter.from = instant(&range.from, "filter.occurredAt.from")?;
            filter.to = instant(&range.to, "filter.occurredAt.to")?;
        }
        if let Some(PeriodInput { preset, time_zone }) = self.period {
            let zone = period::time_zone("filter.period.timeZone", &time_zone)?;
            filter.from = Some(period::start_of(preset, zone, now));
            filter.period = Some(Period { preset, zone });
        }
        moments.set(&mut filter, zone, now)?;
        if let Some(text) = &self.search {
            filter.search = Search::parse(text, &labelled)?;
        }
        let not_words = list("filter.not.words", self.not_words)?.unwrap_or_default();
        let left_out = not_words.iter().map(|text| Search::parse(text, &labelled));
        filter.not_words = left_out.collect::<Result<Vec<_>>>()?;
        filter.not_words.retain(|search| !search.is_empty());
        filter.check()?;
        Ok(filter)
    }
}

fn list<T>(field: &str, values: Option<Vec<T>>) -> Result<Option<Vec<T>>> {
    match values {
        Some(values) if values.len() > limits::FILTER_VALUES => Err(Error::bad_input(
            field,
            format!("must be at most {} values, got {}", limits::FILTER_VALUES, values.len()),
        )),
        values => Ok(values),
    }
}

fn texts(field: &str, values: Option<Vec<String>>) -> Result<Option<Vec<String>>> {
    texts_of(field, values, limits::TEXT_BYTES)
}

fn texts_of(field: &str, values: Option<Vec<String>>, most: usize) -> Result<Option<Vec<String>>> {
    let values = list(field, values)?;
    for text in values.iter().flatten() {
        check_text(&field, text, most)?;
    }
    Ok(values)
}

/// A part to look for; an empty one is in everything.
fn part(field: &str, part: Option<String>) -> Result<Option<String>> {
    let part = part.filter(|part| !part.is_empty());
    part.iter().try_for_each(|part| check_text(&field, part, limits::TEXT_BYTES))?;
    Ok(part)
}

fn patterns(field: &str, values: Option<Vec<String>>) -> Result<Option<Vec<Pattern>>> {
    Ok(texts(field, values)?.map(|values| values.iter().map(|text| Pattern::parse(text)).collect()))
}
