//! Terms: how an event stands in the search index of either database.
//!
//! A term is the organization's number in base 36 after the count of its digits, so that a posting list belongs to one
//! tenant, and then either a word or `=`, a kind letter and the exact value: itself if it is short and has
//! nothing but `a` to `z` and digits, else 128 bits of its SHA-256 in base 32, or its number where it has one. No word can begin with `=`.
//! The count and hashing keep `a*` from matching values, organization `1000` from reading into `10000`,
//! and `CREATE` from meeting `create`: SQLite's index knows no upper case.

use super::{Draft, hash, json, words};

/// Largest organization number that five base-36 digits hold.
pub const ORGANIZATION_MAX: i64 = 36_i64.pow(5) - 1;

/// What a filter term is about; the letter stands in the index and MUST NOT change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TermKind {
    /// Category code.
    Category,
    /// Action name.
    Action,
    /// Actor id.
    ActorId,
    /// Actor name.
    ActorName,
    /// Actor e-mail.
    ActorEmail,
    /// Actor kind.
    ActorKind,
    /// Whether the actor has an id, a name or an e-mail.
    ActorPresence,
    /// Resource type.
    ResourceType,
    /// Resource id.
    ResourceId,
    /// Resource name.
    ResourceName,
    /// Type and id of one resource.
    Resource,
    /// Outcome.
    Outcome,
    /// Address.
    IpAddress,
    /// Correlation id.
    CorrelationId,
    /// Source.
    Source,
    /// The source's own event id.
    SourceEventId,
    /// The log that the event belongs to.
    OwnLog,
    /// A log that the event lies in: its own, or one above.
    WithinLog,
    /// That something of the event was cut or replaced; there is no term for all others.
    Truncated,
    /// That something of the event was masked; there is no term for all others.
    Masked,
}

impl TermKind {
    fn letter(self) -> char {
        match self {
            Self::Category => 'c',
            Self::Action => 'a',
            Self::ActorId => 'i',
            Self::ActorName => 'm',
            Self::ActorEmail => 'e',
            Self::ActorKind => 'k',
            Self::ActorPresence => 'p',
            Self::ResourceType => 't',
            Self::ResourceId => 'r',
            Self::ResourceName => 'w',
            Self::Resource => 'b',
            Self::Outcome => 'u',
            Self::IpAddress => 'x',
            Self::CorrelationId => 'q',
            Self::Source => 's',
            Self::SourceEventId => 'v',
            Self::OwnLog => 'o',
            Self::WithinLog => 'n',
            Self::Truncated => 'z',
            Self::Masked => 'h',
        }
    }
}

const BASE_36: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// The part of a term that says whose it is.
#[must_use]
pub fn organization_prefix(organization_no: i64) -> String {
    debug_assert!((0..=ORGANIZATION_MAX).contains(&organization_no), "the store refuses to create it");
    let mut digits = Vec::with_capacity(6);
    let mut rest = organization_no.cast_unsigned();
    while rest > 0 || digits.is_empty() {
        digits.push(BASE_36[(rest % 36) as usize]);
        rest /= 36;
    }
    digits.push(BASE_36[digits.len()]);
    digits.iter().rev().map(|digit| char::from(*digit)).collect()
}

/// Characters of 128 bits in base 32. Shorter values stand as they are, so none of them can be taken for a hash.
const HASH_CHARS: usize = 26;

/// The term of an exact value, without its organization.
#[must_use]
pub fn exact(kind: TermKind, value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if value.len() < HASH_CHARS && value.bytes().all(plain) {
        let mut term = start(kind);
        term.push_str(value);
        return term;
    }
    hashed(kind, &[value.as_bytes()])
}

/// The term of a resource's type and id together, without its organization.
#[must_use]
pub fn resource(kind: &str, id: &str) -> String {
    hashed(TermKind::Resource, &[&(kind.len() as u64).to_be_bytes(), kind.as_bytes(), id.as_bytes()])
}

/// The term of something that has a number of its own, such as a log, without its organization.
#[must_use]
pub fn numbered(kind: TermKind, number: i64) -> String {
    format!("={}{number}", kind.letter())
}

fn start(kind: TermKind) -> String {
    let mut term = String::with_capacity(2 + HASH_CHARS);
    term.push('=');
    term.push(kind.letter());
    term
}

fn hashed(kind: TermKind, parts: &[&[u8]]) -> String {
    let bits = u128::from_be_bytes(hash::of(parts));
    let mut term = start(kind);
    for i in (0..HASH_CHARS).rev() {
        term.push(char::from(b"0123456789abcdefghijklmnopqrstuv"[(bits >> (i * 5)) as usize & 31]));
    }
    term
}

/// Every text of an event in which search finds words, one call a value.
pub fn searched_values(event: &Draft, mut visit: impl FnMut(&str)) {
    searched_fields(event, &mut visit);
    json::values(&event.metadata, &mut visit);
}

/// Those beside metadata.
fn searched_fields(event: &Draft, visit: &mut impl FnMut(&str)) {
    visit(&event.action);
    let actor = &event.actor;
    let texts = [&event.category, &actor.id, &actor.name, &actor.email, &event.ip_address, &event.user_agent];
    texts.into_iter().flatten().for_each(|text| visit(text));
    for resource in &event.resources {
        [&resource.kind, &resource.id, &resource.name].into_iter().flatten().for_each(|text| visit(text));
    }
}

/// The terms of a stored event: see [`of_content`].
#[must_use]
pub fn of_stored(event: &Draft) -> Vec<String> {
    let mut found = Vec::with_capacity(64);
    json::values(&event.metadata, &mut |text| found.extend(words::words(text).map(words::indexed)));
    of_content(event, found)
}

/// The terms of what an event says, given its metadata's words, without its organization; sorted, each once. They do not depend on any number
/// that the store gives: those of its logs are added by [`of_logs`].
#[must_use]
pub fn of_content(event: &Draft, metadata: Vec<String>) -> Vec<String> {
    let mut terms = metadata;
    terms.reserve(32);
    searched_fields(event, &mut |text: &str| terms.extend(words::words(text).map(words::indexed)));
    let actor = &event.actor;
    let values = [
        (TermKind::Action, Some(event.action.as_str())),
        (TermKind::Category, event.category.as_deref()),
        (TermKind::ActorId, actor.id.as_deref()),
        (TermKind::ActorName, actor.name.as_deref()),
        (TermKind::ActorEmail, actor.email.as_deref()),
        (TermKind::ActorPresence, Some(presence(actor.is_present()))),
        (TermKind::IpAddress, event.ip_address.as_deref()),
        (TermKind::CorrelationId, event.correlation_id.as_deref()),
        (TermKind::Source, event.source.as_deref()),
        (TermKind::SourceEventId, event.source_event_id.as_deref()),
    ];
    for (kind, value) in values {
        terms.extend(value.map(|value| exact(kind, value)));
    }
    terms.push(numbered(TermKind::ActorKind, actor.kind.number().into()));
    terms.extend(event.outcome.map(|outcome| numbered(TermKind::Outcome, outcome.number().into())));
    terms.extend((!event.truncated.is_empty()).then(truncated));
    terms.extend((!event.masked.is_empty()).then(masked));
    for each in &event.resources {
        terms.extend(each.kind.as_deref().map(|value| exact(TermKind::ResourceType, value)));
        terms.extend(each.id.as_deref().map(|value| exact(TermKind::ResourceId, value)));
        terms.extend(each.name.as_deref().map(|value| exact(TermKind::ResourceName, value)));
        if let (Some(kind), Some(id)) = (&each.kind, &each.id) {
            terms.push(resource(kind, id));
        }
    }
    terms.sort_unstable();
    terms.dedup();
    terms
}

/// The terms of the log that an event belongs to, and of all that it lies `within`: its own, and those above.
pub fn of_logs(own: i64, within: impl Iterator<Item = i64>) -> impl Iterator<Item = String> {
    std::iter::once(numbered(TermKind::OwnLog, own)).chain(within.map(|no| numbered(TermKind::WithinLog, no)))
}

/// The term of all events of which something was cut or replaced, without their organization.
#[must_use]
pub fn truncated() -> String {
    numbered(TermKind::Truncated, 1)
}

/// The term of all events of which something was masked, without their organization.
#[must_use]
pub fn masked() -> String {
    numbered(TermKind::Masked, 1)
}

/// The indexed value of [`TermKind::ActorPresence`].
#[must_use]
pub fn presence(present: bool) -> &'static str {
    if present { "1" } else { "0" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_organization_number_begins_with_another() {
        for (no, prefix) in
            [(0, "10"), (35, "1z"), (36, "210"), (1_000, "2rs"), (10_000, "37ps"), (ORGANIZATION_MAX, "5zzzzz")]
        {
            assert_eq!(organization_prefix(no), prefix);
        }
    }

    #[test]
    fn values_that_differ_in_case_blanks_or_parts_have_terms_of_their_own() {
        let long = "a".repeat(26);
        let actions = ["create", "CREATE", "Create", "create ", "cre ate", "a – b", "a - b", "", &long, &long[1..]];
        let terms: std::collections::BTreeSet<_> = actions.iter().map(|a| exact(TermKind::Action, a)).collect();
        assert_eq!(terms.len(), actions.len());
        assert!(terms.iter().all(|term| !term.bytes().any(|byte| byte.is_ascii_uppercase())));
        // A value that reads like the hash of another.
        assert_ne!(
            exact(TermKind::Action, exact(TermKind::Action, "CREATE").trim_start_matches("=a")),
            exact(TermKind::Action, "CREATE")
        );
        assert_ne!(resource("ab", "c"), resource("a", "bc"));
        assert_ne!(exact(TermKind::ActorId, "x"), exact(TermKind::ResourceId, "x"));
    }
}
