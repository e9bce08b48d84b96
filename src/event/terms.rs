//! Terms: how an event stands in the search index of either database.
//!
//! A term is the organization's number in base 36 after the count of its digits, so that a posting list belongs to one
//! tenant, and then either a word or `=`, a kind letter and the exact value: itself if it is short and has
//! nothing but `a` to `z` and digits, else 128 bits of its SHA-256 in base 32, or its number where it has one. No word can begin with `=`.
//! Of words that hang together as a [chain](super::words), what begins at each but the last is a term too, as `=10=0=0=1`, `=0=0=1` and
//! `=0=1` of an address: so the index alone finds each piece of it, and each beginning. With two `=` it is no value's. Of a word of a script without
//! blanks, each two neighbouring characters are a term, and the last one alone.
//! The count and hashing keep `a*` from matching values, organization `1000` from reading into `10000`,
//! and `CREATE` from meeting `create`: SQLite's index knows no upper case.

use super::{
    Draft, hash,
    json::{self, Seen},
    words::{self, Words, clusters, is_dense, version_1},
};

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

/// Longest term of a chain, in bytes. What is longer is cut, so that a chain of up to so many words brings no square of its bytes.
const CHAIN_BYTES: usize = 48;

/// A chain up to so many bytes is told from all others by its terms alone: those that were cut are longer.
pub const CHAIN_TOLD_BYTES: usize = CHAIN_BYTES - 4;

/// What a text of an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    /// A key of metadata.
    Key,
    /// What a field, or a leaf of metadata, says.
    Value,
}

/// Every text of an event in which search finds words, one call each.
pub fn searched_texts(event: &Draft, mut visit: impl FnMut(Text, &str)) {
    fields(event, &mut |text: &str| visit(Text::Value, text));
    metadata_texts(&event.metadata, visit);
}

/// Those of metadata.
pub fn metadata_texts(metadata: &str, mut visit: impl FnMut(Text, &str)) {
    json::texts(metadata, &mut |seen| match seen {
        Seen::Key(key) => visit(Text::Key, key),
        Seen::Value(value) => visit(Text::Value, value),
        Seen::Replaced(_) => {}
    });
}

/// Those beside metadata.
fn fields(event: &Draft, visit: &mut impl FnMut(&str)) {
    fields_of_version_1(event, visit);
    let represented = event.on_behalf_of.iter().flat_map(|actor| [&actor.id, &actor.name, &actor.email]);
    represented.flatten().for_each(|text| visit(text));
}

/// Those that version 1 of the normaliser knew. They stay as they are: they tell which words it gave to an event.
fn fields_of_version_1(event: &Draft, visit: &mut impl FnMut(&str)) {
    visit(&event.action);
    let actor = &event.actor;
    let texts = [&event.category, &actor.id, &actor.name, &actor.email, &event.ip_address, &event.user_agent];
    texts.into_iter().flatten().for_each(|text| visit(text));
    for resource in &event.resources {
        [&resource.kind, &resource.id, &resource.name].into_iter().flatten().for_each(|text| visit(text));
    }
}

/// Adds what the index holds of a text.
pub fn add_text(terms: &mut Vec<String>, kind: Text, text: &str) {
    let words = Words::of(text);
    for word in words.iter() {
        if is_dense(word) {
            let clusters = clusters(word);
            terms.extend(clusters.windows(2).map(<[&str]>::concat));
            terms.extend(clusters.last().map(|last| (*last).to_owned()));
        } else {
            terms.push(words::indexed(word));
        }
    }
    for chain in words.chains() {
        let end = chain.end;
        terms.extend((chain.start..end - 1).map(|from| chained(words.joined(from..end))));
    }
    // Keys are many and alike: their parts would cost more than they find.
    if kind == Text::Value {
        words::parts(text, |part| terms.push(part));
    }
}

/// The term of a chain, given as [`Words::joined`] has it.
#[must_use]
pub fn chained(words: &str) -> String {
    let mut term = String::with_capacity(1 + words.len().min(CHAIN_BYTES));
    term.push('=');
    term.push_str(words::beginning(words, CHAIN_BYTES));
    term
}

/// The terms of a stored event: see [`of_content`].
#[must_use]
pub fn of_stored(event: &Draft) -> Vec<String> {
    let mut found = Vec::with_capacity(64);
    metadata_texts(&event.metadata, |kind, text| add_text(&mut found, kind, text));
    of_content(event, found)
}

/// The words that version 1 of the normaliser gave to a stored event: sorted, each once.
#[must_use]
pub fn words_of_version_1(event: &Draft) -> Vec<String> {
    let mut found = Vec::with_capacity(64);
    fields_of_version_1(event, &mut |text: &str| found.extend(version_1::words(text)));
    json::values(&event.metadata, &mut |text| found.extend(version_1::words(text)));
    found.sort_unstable();
    found.dedup();
    found
}

/// The terms of what an event says, given those of its metadata's texts, without its organization; sorted, each once. They do not depend on any number
/// that the store gives: those of its logs are added by [`of_logs`].
#[must_use]
pub fn of_content(event: &Draft, metadata: Vec<String>) -> Vec<String> {
    let mut terms = metadata;
    terms.reserve(32);
    fields(event, &mut |text: &str| add_text(&mut terms, Text::Value, text));
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
    fn a_chain_is_found_from_each_of_its_words_on() {
        let of = |kind, text: &str| {
            let mut terms = Vec::new();
            add_text(&mut terms, kind, text);
            terms
        };
        assert_eq!(of(Text::Value, "10.0.0.1"), ["10", "0", "0", "1", "=10=0=0=1", "=0=0=1", "=0=1"]);
        assert_eq!(of(Text::Value, "認証完"), ["認証", "証完", "完"]);
        assert_eq!(of(Text::Value, "ข่าว"), ["ข่า", "าว", "ว"]);
        assert_eq!(of(Text::Value, "getUser"), ["getuser", "get", "user"]);
        assert_eq!(of(Text::Key, "getUser_id"), ["getuser", "id", "=getuser=id"]);
        let long = format!("{}.{}", "a".repeat(60), "b".repeat(60));
        assert_eq!(of(Text::Value, &long)[2].len(), 1 + CHAIN_BYTES);
        // However an event is made, its terms fit into what PostgreSQL takes of one: a megabyte.
        for unit in ["%.", "%-", "%. ", "\u{fdfa}%:", "%.證"] {
            let text: String = (0..)
                .map(|i| unit.replace('%', &short(i)))
                .scan(0, |bytes, each| {
                    *bytes += each.len();
                    (*bytes <= 65_000).then_some(each)
                })
                .collect();
            let mut terms = of(Text::Value, &text);
            terms.sort_unstable();
            terms.dedup();
            let bytes: usize = terms.iter().map(|term| 6 + term.len()).sum();
            assert!(bytes < 1_000_000, "{bytes} of {unit}");
        }
    }

    /// A number in as few letters as can be.
    fn short(n: usize) -> String {
        let letter = |n: usize| char::from(BASE_36[n % 36]);
        [n / 1_296 % 36, n / 36, n].iter().map(|n| letter(*n)).collect()
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
