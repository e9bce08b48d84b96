//! What is written to an address when a rule fires. Everything in it that somebody else chose is one line of a text.

use std::fmt::Write;

use serde::Deserialize;

use crate::{
    delivery::mail::Letter,
    error::{Error, Result},
    reading::shown::Shown,
    store::control::alerts::LentRule,
};

/// Longest name of an organization in a subject, in bytes.
const NAME_BYTES: usize = 100;

/// What the event of a firing tells.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fired {
    threshold: i64,
    window_seconds: i64,
    per: String,
    count: i64,
    /// Id of the last event that was counted.
    pub last_event: String,
}

impl Fired {
    /// Reads it from the event.
    pub fn read(event: &Shown) -> Result<Self> {
        serde_json::from_str(&event.event().metadata).map_err(Error::internal)
    }
}

/// The letter of a firing: `event` tells of it, `last` is the last event that was counted, if it can be read.
pub fn of(lent: &LentRule, event: &Shown, fired: &Fired, last: Option<&Shown>, public_url: &str) -> Letter {
    let (label, organization) = (line(&lent.rule.label), line(&lent.organization));
    let Fired { threshold, window_seconds, per, count, .. } = fired;
    let mut text = format!("The rule \"{label}\" of {organization} ({}) has fired.\n\n", line(&event.product().label));
    let events = if *count == 1 { "1 event was".to_owned() } else { format!("{count} events were") };
    let _ = write!(text, "{events} recorded");
    if *threshold > 1 {
        let whose = match per.as_str() {
            "ACTOR" => " of one actor",
            "IP_ADDRESS" => " from one IP address",
            _ => "",
        };
        let _ = write!(text, "{whose} within {window_seconds} seconds");
    }
    text.push_str(".\n");
    if let Some(last) = last {
        let said = last.event();
        let actor = &said.actor;
        let who = [&actor.name, &actor.email, &actor.id].into_iter().flatten().map(|text| line(text));
        let who = who.collect::<Vec<_>>().join(", ");
        let _ = writeln!(text, "\nThe last one:\n  Recorded at: {}", said.recorded_at);
        let _ = writeln!(text, "  Action: {} ({})", line(&last.action_label()), line(&said.action));
        let kind = line(last.actor().kind_label());
        let _ = writeln!(text, "  Actor: {}", if who.is_empty() { kind } else { format!("{who} ({kind})") });
        if let Some(address) = &said.ip_address {
            let _ = writeln!(text, "  IP address: {}", line(address));
        }
        let _ = writeln!(text, "  Event: {}", said.id());
    }
    let id = event.event().id();
    let _ = writeln!(text, "\nThe audit log tells of this alert in the event {id}.");
    if !public_url.is_empty() {
        let _ = writeln!(text, "{public_url}/v1/audit-events/{id}");
    }
    let mut organization = organization;
    organization.truncate(organization.floor_char_boundary(NAME_BYTES));
    Letter { subject: format!("Alert: {label} ({organization})"), text, id: id.to_string() }
}

/// A text without what could begin a new line, or turn the direction of the line that it stands in.
fn line(text: &str) -> String {
    let is_plain = |letter: char| {
        !letter.is_control()
            && !matches!(letter, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|letter| if is_plain(letter) { letter } else { ' ' }).collect()
}
