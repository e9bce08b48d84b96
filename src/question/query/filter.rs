//! A query becomes a filter.

use std::ops::Range;

use chrono::Days;
use chrono_tz::Tz;

use super::{Asked, Field, Item, Moment, Query, Value, fault, moment::start_of};
use crate::{
    error::{Error, Result},
    event::{ActorKind, Outcome, Timestamp, limits, words::Words},
    question::{
        filter::{Filter, Moving},
        input::FilterInput,
    },
};

const NO_WORD: &str = "must have a letter or a number to search for";

/// The moments that a query asks for.
#[derive(Clone, Debug, Default)]
pub struct Moments {
    after: Option<Placed>,
    before: Option<Placed>,
    on: Option<Placed>,
}

/// A moment, as it was written and where.
#[derive(Clone, Debug)]
struct Placed {
    moment: Moment,
    text: String,
    at: Range<usize>,
}

impl Moments {
    /// Whether any is asked for.
    #[must_use]
    pub fn is_some(&self) -> bool {
        self.after.is_some() || self.before.is_some() || self.on.is_some()
    }

    /// Refuses moments that are others tomorrow.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` on `query` that says `why`.
    pub fn must_not_move(&self, why: &str) -> Result<()> {
        let mut all = [&self.after, &self.before, &self.on].into_iter().flatten();
        match all.find(|placed| placed.moment.moves()) {
            Some(placed) => Err(fault(placed.at.clone(), format!("must be a day or time that stays: {why}"))),
            None => Ok(()),
        }
    }

    /// Sets the ends of a filter: what they are `now`, for people in `zone`.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` on `query`.
    pub fn set(self, filter: &mut Filter, zone: Tz, now: Timestamp) -> Result<()> {
        if let Some(on) = self.on {
            if self.after.is_some() || self.before.is_some() {
                return Err(fault(on.at, "on: must not stand together with after: or before:"));
            }
            let day = on.moment.day(zone, now);
            let day = day.ok_or_else(|| fault(on.at.clone(), "on: must be a day, such as 2026-11-01 or yesterday"))?;
            filter.from = Some(start_of(day, zone));
            filter.to = day.checked_add_days(Days::new(1)).map(|next| start_of(next, zone));
            filter.moving_from = on.moving(zone);
            filter.moving_to = on.moving(zone);
            return Ok(());
        }
        if let Some(after) = &self.after {
            filter.from = Some(after.moment.instant(zone, now));
            filter.moving_from = after.moving(zone);
        }
        if let Some(before) = &self.before {
            filter.to = Some(before.moment.instant(zone, now));
            filter.moving_to = before.moving(zone);
            if filter.from.is_some_and(|from| Some(from) > filter.to) {
                return Err(fault(before.at.clone(), "before: must not be earlier than after:"));
            }
        }
        Ok(())
    }
}

impl Placed {
    fn moving(&self, zone: Tz) -> Option<Moving> {
        let zone = Some(zone).filter(|_| self.moment.is_local());
        self.moment.moves().then(|| Moving { text: self.text.to_ascii_lowercase(), zone })
    }
}

impl Query {
    /// Adds what is asked for to a filter, and gives the moments.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` on `query` with the place, where a value is none of its field, or the filter asks for the same field.
    pub fn add_to(self, input: &mut FilterInput) -> Result<Moments> {
        // What the filter asks for itself: nothing of it is asked for by both.
        let given = input.clone();
        let mut moments = Moments::default();
        let mut words = Vec::from_iter(given.search.as_deref().map(closed));
        let mut wordless = None;
        for Item { at, is_excluded, asked } in self.items {
            let (field, values) = match asked {
                Asked::Words(text) if is_excluded && has_no_word(&text) => return Err(fault(at, NO_WORD)),
                Asked::Words(text) if is_excluded => {
                    add(&mut input.not_words, &given.not_words, vec![text], &at)?;
                    continue;
                }
                Asked::Words(text) => {
                    if has_no_word(&text) {
                        wordless.get_or_insert(at);
                    }
                    words.push(text);
                    continue;
                }
                Asked::Field(field, values) => (field, values),
            };
            let (list, given) = match (field, is_excluded) {
                (Field::After | Field::Before | Field::On | Field::Correlation, true) => {
                    return Err(fault(at, format!("{}: cannot be left out", field.name())));
                }
                (Field::After | Field::Before | Field::On, false) => {
                    if given.occurred_at.is_some() || given.period.is_some() {
                        return Err(fault(at, "the filter asks for a time too"));
                    }
                    moments.ask(field, values, at)?;
                    continue;
                }
                (Field::Has, _) => {
                    input.has(values, !is_excluded)?;
                    continue;
                }
                (Field::Kind, _) => {
                    let kinds = known(&values, &ActorKind::ALL.map(|kind| (kind.as_str(), kind)))?;
                    let (list, given) = match is_excluded {
                        false => (&mut input.actor_kinds, &given.actor_kinds),
                        true => (&mut input.not_actor_kinds, &given.not_actor_kinds),
                    };
                    add(list, given, kinds, &at)?;
                    continue;
                }
                (Field::Outcome, _) => {
                    let outcomes = known(&values, &Outcome::ALL.map(|outcome| (outcome.as_str(), outcome)))?;
                    let (list, given) = match is_excluded {
                        false => (&mut input.outcomes, &given.outcomes),
                        true => (&mut input.not_outcomes, &given.not_outcomes),
                    };
                    add(list, given, outcomes, &at)?;
                    continue;
                }
                (Field::Actor, false) => (&mut input.actors, &given.actors),
                (Field::Actor, true) => (&mut input.not_actors, &given.not_actors),
                (Field::Action, false) => (&mut input.actions, &given.actions),
                (Field::Action, true) => (&mut input.not_actions, &given.not_actions),
                (Field::Category, false) => (&mut input.categories, &given.categories),
                (Field::Category, true) => (&mut input.not_categories, &given.not_categories),
                (Field::Resource, false) => (&mut input.resources, &given.resources),
                (Field::Resource, true) => (&mut input.not_resources, &given.not_resources),
                (Field::Ip, false) => (&mut input.ip_addresses, &given.ip_addresses),
                (Field::Ip, true) => (&mut input.not_ip_addresses, &given.not_ip_addresses),
                (Field::Source, false) => (&mut input.sources, &given.sources),
                (Field::Source, true) => (&mut input.not_sources, &given.not_sources),
                (Field::Correlation, false) => (&mut input.correlation_ids, &given.correlation_ids),
            };
            let texts = match field {
                Field::Action => patterns(values),
                Field::Ip => whole(values)?,
                _ => texts(values),
            };
            add(list, given, texts, &at)?;
        }
        if let Some(at) = wordless.filter(|_| words.iter().all(|text| Words::of(text).is_empty())) {
            return Err(fault(at, NO_WORD));
        }
        input.search = (!words.is_empty()).then(|| words.join(" "));
        Ok(moments)
    }
}

impl Moments {
    fn ask(&mut self, field: Field, values: Vec<Value>, at: Range<usize>) -> Result<()> {
        let place = match field {
            Field::After => &mut self.after,
            Field::Before => &mut self.before,
            _ => &mut self.on,
        };
        let name = field.name();
        let mut values = values.into_iter();
        match (values.next(), values.next(), &place) {
            (Some(value), None, None) => {
                *place = Some(Placed { moment: Moment::parse(&value)?, text: value.text, at });
                Ok(())
            }
            _ => Err(fault(at, format!("{name}: must stand once, with one value"))),
        }
    }
}

impl FilterInput {
    fn has(&mut self, values: Vec<Value>, has: bool) -> Result<()> {
        for value in values {
            let asked = match value.text.to_ascii_lowercase().as_str() {
                "actor" => &mut self.actor_present,
                "masked" => &mut self.masked,
                "truncated" => &mut self.truncated,
                _ => return Err(unknown(&value, &["actor", "masked", "truncated"])),
            };
            if asked.is_some_and(|asked| asked != has) {
                return Err(fault(value.at, "is asked for and left out"));
            }
            *asked = Some(has);
        }
        Ok(())
    }
}

/// Whether a text has nothing that could be searched for. A star, a quote or a minus that somebody has only begun with asks for
/// nothing yet.
fn has_no_word(text: &str) -> bool {
    Words::of(text).is_empty() && text.contains(|c: char| !c.is_whitespace() && !matches!(c, '*' | '"' | '-'))
}

/// Adds values to those that the query asks for in a field. Those that the filter asks for have to hold as well, and cannot
/// be said beside them.
fn add<T>(own: &mut Option<Vec<T>>, given: &Option<Vec<T>>, values: Vec<T>, at: &Range<usize>) -> Result<()> {
    if given.is_some() {
        return Err(fault(at.clone(), "the filter asks for the same field: ask for it in one of them"));
    }
    let own = own.get_or_insert_default();
    own.extend(values);
    if own.len() > limits::FILTER_VALUES {
        return Err(fault(at.clone(), format!("must be at most {} values of a field", limits::FILTER_VALUES)));
    }
    Ok(())
}

fn texts(values: Vec<Value>) -> Vec<String> {
    values.into_iter().map(|value| value.text).collect()
}

/// Values that have to be there as a whole.
fn whole(values: Vec<Value>) -> Result<Vec<String>> {
    match values.iter().find(|value| !value.is_quoted && value.text.ends_with('*')) {
        Some(value) => {
            Err(fault(value.at.clone(), "must be a whole address: search for its beginning without the field"))
        }
        None => Ok(texts(values)),
    }
}

/// Names and beginnings of names, as a filter has them: in quotes, a star is a star.
fn patterns(values: Vec<Value>) -> Vec<String> {
    let pattern = |value: Value| if value.is_quoted { value.text.replace('*', "\\*") } else { value.text };
    values.into_iter().map(pattern).collect()
}

/// Values out of a few, in any case.
fn known<T: Copy>(values: &[Value], all: &[(&str, T)]) -> Result<Vec<T>> {
    let read = |value: &Value| {
        let found = all.iter().find(|(name, _)| name.eq_ignore_ascii_case(&value.text)).map(|(_, known)| *known);
        found.ok_or_else(|| unknown(value, &all.iter().map(|(name, _)| *name).collect::<Vec<_>>()))
    };
    values.iter().map(read).collect()
}

fn unknown(value: &Value, all: &[&str]) -> Error {
    let all: Vec<String> = all.iter().map(|name| name.to_ascii_lowercase()).collect();
    let rule = format!("must be one of {}, got {:?}", all.join(", "), value.text);
    Error::BadQuery { at: value.at.clone(), rule, suggestions: all }
}

/// A search text whose last quote is closed, so that text can follow it.
fn closed(search: &str) -> String {
    let is_open = search.matches('"').count() % 2 == 1;
    if is_open { format!("{search}\"") } else { search.to_owned() }
}
