//! What the viewer asks for, as it stands in a link: the query of an address. `web/src/view/address.ts` writes and reads it.
//!
//! It is checked as far as the service understands it, so that what is saved can be opened, today and by everybody.

use chrono::{NaiveDate, NaiveDateTime};
use url::form_urlencoded;

use super::{
    input::FilterInput,
    period::{Preset, time_zone},
    query::Query,
};
use crate::{
    error::{Error, Result},
    event::{ActorKind, Outcome, names::check_text},
};

/// Longest question, in bytes.
pub const BYTES: usize = 2_048;

/// Parameters that hold values or words of any kind.
const FREE: [&str; 16] = [
    "email-contains",
    "category",
    "action",
    "actor",
    "actor-name",
    "email",
    "resource-type",
    "resource",
    "resource-name",
    "ip",
    "correlation",
    "source",
    "source-event",
    "not-category",
    "not-action",
    "not-actor",
];
/// Parameters that say which part of an answer is looked at, and not what is asked.
const PLACES: [&str; 3] = ["after", "before", "event"];
/// Times that end now, besides the days of [`Preset`].
const RECENT: [&str; 4] = ["LAST_15_MINUTES", "LAST_HOUR", "LAST_4_HOURS", "LAST_24_HOURS"];
const DAYS: [Preset; 4] = [Preset::Today, Preset::Last7Days, Preset::Last30Days, Preset::Last90Days];

/// Checks a question of the viewer.
///
/// # Errors
/// `BAD_USER_INPUT` on `query`.
pub fn check(query: &str) -> Result<()> {
    check_text(&"query", query, BYTES)?;
    if let Some(control) = query.chars().find(|c| c.is_control()) {
        return Err(refused(format!("must be the query of an address, found U+{:04X}", control as u32)));
    }
    form_urlencoded::parse(query.as_bytes()).try_for_each(|(name, value)| check_parameter(&name, &value))
}

fn check_parameter(name: &str, value: &str) -> Result<()> {
    if value.contains('\0') {
        return Err(refused(format!("{name} must not contain NUL (U+0000)")));
    }
    match name {
        "q" => check_typed(value),
        "outcome" => one_of(name, value, Outcome::ALL.map(Outcome::as_str)),
        "actor-kind" | "not-actor-kind" => one_of(name, value, ActorKind::ALL.map(ActorKind::as_str)),
        "period" => one_of(name, value, DAYS.map(Preset::as_str).into_iter().chain(RECENT)),
        "from" | "to" if is_moment(value) => Ok(()),
        "from" | "to" => {
            Err(refused(format!("{name} must be a day such as 2026-03-01 or a minute such as 2026-03-01T09:30")))
        }
        "tz" => time_zone("query", value).map(drop),
        "log" if is_log(value) => Ok(()),
        "log" => Err(refused("log must be a level and an id such as project:p_1, or a star".to_owned())),
        _ if FREE.contains(&name) => Ok(()),
        _ if PLACES.contains(&name) => {
            Err(refused(format!("{name} says which part of an answer is looked at, and not what is asked")))
        }
        _ => Err(refused(format!("{name:?} is no parameter of the viewer's address"))),
    }
}

/// What stands in the query box.
fn check_typed(text: &str) -> Result<()> {
    let read = Query::parse(text).and_then(|query| query.add_to(&mut FilterInput::default()));
    read.map(drop).map_err(|error| match error {
        Error::BadQuery { at, rule, .. } => refused(format!("q, at {}: {rule}", at.start + 1)),
        Error::BadInput { rule, .. } => refused(format!("q {rule}")),
        other => other,
    })
}

fn one_of(name: &str, value: &str, known: impl IntoIterator<Item = &'static str>) -> Result<()> {
    let known: Vec<_> = known.into_iter().collect();
    if known.contains(&value) {
        return Ok(());
    }
    Err(refused(format!("{name} must be one of {}, got {value:?}", known.join(", "))))
}

fn is_moment(text: &str) -> bool {
    let is_day = text.len() == 10 && NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok();
    is_day || (text.len() == 16 && NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").is_ok())
}

fn is_log(text: &str) -> bool {
    text == "*" || text.split_once(':').is_some_and(|(level, id)| !level.is_empty() && !id.is_empty())
}

fn refused(rule: String) -> Error {
    Error::bad_input("query", rule)
}

#[cfg(test)]
mod tests {
    use super::{BYTES, check};

    fn rule(query: &str) -> String {
        check(query).err().map_or_else(String::new, |error| error.to_string())
    }

    #[test]
    fn what_the_viewer_writes_is_a_question() {
        for query in [
            "",
            "q=",
            "q=actor%3Aada+-outcome%3Asuccess+after%3A7d+%22two+words%22&tz=Europe%2FBerlin",
            "category=auth&action=user.*&outcome=FAILURE&outcome=SUCCESS&actor-kind=USER&not-actor-kind=SYSTEM&not-actor=u_1",
            "from=2026-03-01&to=2026-03-02T09%3A30&period=LAST_30_DAYS&tz=America%2FArgentina%2FBuenos_Aires",
            "period=LAST_15_MINUTES&log=*",
            "log=project%3Ap%3A1&resource-name=%E6%9D%B1%E4%BA%AC&actor-name=Ünal+%F0%9F%91%8D",
            &format!("action={}", "a".repeat(BYTES - 7)),
        ] {
            assert_eq!(rule(query), "", "{query}");
        }
    }

    #[test]
    fn what_could_not_be_opened_is_refused_with_the_reason() {
        for (query, part) in [
            ("event=evt_1", "event says which part"),
            ("after=c1", "after says which part"),
            ("?q=x", "\"?q\" is no parameter"),
            ("colour=red", "\"colour\" is no parameter"),
            ("outcome=failure", "outcome must be one of SUCCESS, FAILURE, ACCEPTED"),
            ("not-actor-kind=ROBOT", "not-actor-kind must be one of USER"),
            ("period=LAST_YEAR", "period must be one of TODAY"),
            ("from=2026-02-30", "from must be a day"),
            ("to=2026-3-1", "to must be a day"),
            ("to=2026-03-01T24%3A30", "to must be a day"),
            ("tz=Moon%2FBase", "must be an IANA time zone"),
            ("log=p_1", "log must be a level"),
            ("q=after%3Ayesteryear", "q, at 7: must be a day"),
            ("q=-correlation%3Ax", "q, at 1: correlation: cannot be left out"),
            ("action=a%00b", "action must not contain NUL"),
            ("q=a\nb", "found U+000A"),
        ] {
            let rule = rule(query);
            assert!(rule.starts_with("query: ") && rule.contains(part), "{query}: {rule}");
        }
        assert!(rule(&format!("action={}", "a".repeat(BYTES - 6))).contains("must be at most 2048 bytes, got 2049"));
    }
}
