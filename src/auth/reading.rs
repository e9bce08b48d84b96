//! What a token says, as its issuer's section of the product file reads it. Nothing here is proved: that is what a signature
//! is for.

use std::borrow::Cow;

use serde_json::Value;

use super::{EXPORT, MANAGE, RECORD, STAFF};
use crate::catalog::{ClaimPath, ClaimRule, Door, issuers::Split};

/// What of a token is read, in the words of this service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Organization.
    pub organization: Field,
    /// Scopes, as far as the issuer may give them.
    pub scopes: Field,
    /// Roles.
    pub roles: Field,
    /// Plan.
    pub plan: Field,
    /// Subject.
    pub subject: Field,
    /// E-mail address.
    pub email: Field,
    /// Name.
    pub name: Field,
    /// Logs.
    pub logs: Field,
}

/// What was found of one thing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Field {
    /// The claims that had something.
    pub found: Vec<String>,
    /// What they said.
    pub values: Vec<String>,
    /// Claims that are there and of a form that cannot be read: they count as absent.
    pub odd: Vec<Odd>,
    /// Whether the values are those by default.
    pub is_default: bool,
    /// What was said and does not count, and why.
    pub withheld: Vec<(String, &'static str)>,
}

/// A claim of a form that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Odd {
    /// The claim.
    pub at: String,
    /// What it is, such as `an object`.
    pub is: &'static str,
}

impl Field {
    /// The only value, or the first.
    #[must_use]
    pub fn first(&self) -> Option<&str> {
        self.values.first().map(String::as_str)
    }
}

impl Reading {
    /// Every part with its name.
    #[must_use]
    pub fn fields(&self) -> [(&'static str, &Field); 8] {
        [
            ("subject", &self.subject),
            ("organization", &self.organization),
            ("scopes", &self.scopes),
            ("roles", &self.roles),
            ("plan", &self.plan),
            ("logs", &self.logs),
            ("email", &self.email),
            ("name", &self.name),
        ]
    }
}

/// Reads claims as an issuer's section says.
#[must_use]
pub fn read(claims: &Value, door: &Door) -> Reading {
    let rules = &door.issuer.claims;
    let is_same = |a: &str, b: &str| door.product.access.is_same(a, b);
    let one = |rule: &ClaimRule| first(claims, rule, &is_same);
    let organization = one(&rules.organization);
    let mut scopes = all(claims, &rules.scopes, &|a, b| a == b);
    bound(&mut scopes, door, organization.values.is_empty());
    Reading {
        scopes,
        roles: all(claims, &rules.roles, &is_same),
        plan: one(&rules.plan),
        subject: one(&rules.subject),
        email: one(&rules.email),
        name: one(&rules.name),
        logs: all(claims, &rules.logs, &is_same),
        organization,
    }
}

/// Whether claims are meant for an issuer's audience, and have what else it asks for.
#[must_use]
pub fn is_meant(claims: &Value, door: &Door) -> bool {
    is_for_audience(claims, door) && missing(claims, door).is_none()
}

/// Whether claims are meant for an issuer's audience. Where it names none, what it requires says so.
#[must_use]
pub fn is_for_audience(claims: &Value, door: &Door) -> bool {
    let issuer = &door.issuer;
    let named = || issuer.claims.audience.iter().find_map(|place| place.of(claims));
    issuer.audiences.is_empty() || named().is_some_and(|value| is_one_of(value, &issuer.audiences))
}

/// The first claim that an issuer requires and that has none of the values it must have.
#[must_use]
pub fn missing<'a>(claims: &Value, door: &'a Door) -> Option<&'a ClaimPath> {
    let has = |at: &ClaimPath, values: &[String]| at.of(claims).is_some_and(|value| is_one_of(value, values));
    door.issuer.required.iter().find(|required| !has(&required.at, &required.values)).map(|required| &required.at)
}

/// Whether a text is one of these, or a list has one of them.
fn is_one_of(value: &Value, wanted: &[String]) -> bool {
    let is = |value: &Value| plain(value).is_some_and(|text| wanted.iter().any(|wanted| *wanted == text));
    match value {
        Value::Array(items) => items.iter().any(is),
        value => is(value),
    }
}

/// Text, a whole number, or true and false, as text.
fn plain(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(Cow::Owned(number.to_string())),
        Value::Bool(flag) => Some(Cow::Borrowed(if *flag { "true" } else { "false" })),
        _ => None,
    }
}

/// What the first place says that says something.
fn first(claims: &Value, rule: &ClaimRule, is_same: &dyn Fn(&str, &str) -> bool) -> Field {
    let mut field = Field::default();
    for place in &rule.at {
        let Some(value) = place.of(claims) else { continue };
        // `true` says nothing of who or what.
        let found = if value.is_boolean() { None } else { values(value, place, rule) };
        match found.as_deref() {
            Some([only]) => {
                field.found.push(place.to_string());
                field.values.push(translated(only.clone(), rule, is_same));
                return field;
            }
            Some([]) => {}
            Some(_) => field.odd.push(Odd { at: place.to_string(), is: "several values" }),
            None => field.odd.push(Odd { at: place.to_string(), is: kind(value) }),
        }
    }
    field
}

/// What all places say.
fn all(claims: &Value, rule: &ClaimRule, is_same: &dyn Fn(&str, &str) -> bool) -> Field {
    let mut field = Field::default();
    for place in &rule.at {
        let Some(value) = place.of(claims) else { continue };
        let Some(found) = values(value, place, rule) else {
            field.odd.push(Odd { at: place.to_string(), is: kind(value) });
            continue;
        };
        field.found.push(place.to_string());
        for word in found {
            let own = translated(word, rule, is_same);
            if !field.values.contains(&own) {
                field.values.push(own);
            }
        }
    }
    field
}

/// The values of a claim; `None` where it has a form that cannot be read.
fn values(value: &Value, place: &ClaimPath, rule: &ClaimRule) -> Option<Vec<String>> {
    let of_text = |text: &str| match rule.split {
        Split::Nothing => vec![text.to_owned()],
        Split::Blanks => text.split_whitespace().map(str::to_owned).collect(),
        Split::Commas => text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect(),
    };
    match value {
        Value::Bool(true) => Some(vec![place.last()]),
        Value::Bool(false) => Some(Vec::new()),
        Value::Array(items) => {
            let texts: Option<Vec<Vec<String>>> = items.iter().map(|item| Some(of_text(&whole(item)?))).collect();
            Some(texts?.concat())
        }
        Value::Object(members) if rule.has_keys => Some(members.keys().cloned().collect()),
        value => Some(of_text(&whole(value)?)),
    }
}

/// Text or a whole number.
fn whole(value: &Value) -> Option<Cow<'_, str>> {
    plain(value).filter(|_| !value.is_boolean())
}

/// Our word for an issuer's; itself, where the file says nothing of it.
fn translated(word: String, rule: &ClaimRule, is_same: &dyn Fn(&str, &str) -> bool) -> String {
    let exactly = rule.words.iter().find(|(theirs, _)| *theirs == word);
    let nearly = || rule.words.iter().find(|(theirs, _)| is_same(theirs, &word));
    exactly.or_else(nearly).map_or(word, |(_, own)| own.clone())
}

/// Leaves the scopes that the issuer may give, and gives those by default where there is none of ours.
fn bound(scopes: &mut Field, door: &Door, is_without_organization: bool) {
    let (issuer, access) = (&door.issuer, &door.product.access);
    let is_ours =
        |scope: &String| [RECORD, MANAGE, EXPORT, STAFF].contains(&scope.as_str()) || access.scopes.contains(scope);
    if let Some(allowed) = &issuer.allowed_scopes {
        withhold(scopes, &|scope| allowed.contains(scope), "allowed_scopes does not have it");
    }
    if !scopes.values.iter().any(is_ours) && !issuer.default_scopes.is_empty() {
        scopes.is_default = true;
        scopes.values.extend(issuer.default_scopes.iter().cloned());
    }
    let is_staff = scopes.values.iter().any(|scope| scope == STAFF);
    if is_without_organization && !issuer.any_organization && !is_staff {
        let why = "the token names no organization, and any_organization is not set";
        withhold(scopes, &|scope| scope != RECORD && scope != MANAGE, why);
    }
}

fn withhold(field: &mut Field, keep: &dyn Fn(&String) -> bool, why: &'static str) {
    let (kept, withheld) = std::mem::take(&mut field.values).into_iter().partition(keep);
    field.values = kept;
    field.withheld.extend(<Vec<String>>::into_iter(withheld).map(|value| (value, why)));
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list of other things than texts",
        Value::Object(_) => "an object",
    }
}
