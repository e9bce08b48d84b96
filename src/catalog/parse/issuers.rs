//! Who makes a product's tokens, and where in them its claims are.

use std::{path::Path, sync::Arc};

use toml_span::{Span, value::ValueInner};

use super::names;
use crate::catalog::{
    AccessRules, ClaimPath, ClaimRule, ClaimRules, Issuer, IssuerName, KeySource,
    fault::Report,
    issuers::{EXPORT_SCOPE, Required, Split},
    section::{At, Section},
};

/// The presets, an identity provider each.
const PRESETS: &str = include_str!("presets.toml");

const SPLITS: [(&str, Split); 3] = [("nothing", Split::Nothing), ("blanks", Split::Blanks), ("commas", Split::Commas)];

/// What issuers refer to.
pub(super) struct Of<'a> {
    pub product: &'a str,
    pub access: Option<&'a AccessRules>,
    pub folder: Option<&'a Path>,
}

/// What an issuer has where its section says nothing.
struct Preset {
    /// Whether the file chose one.
    is_chosen: bool,
    claims: ClaimRules,
    /// Where the keys of a pattern's tenants are.
    jwks_url: Option<String>,
    /// Whether tokens that have no scope of ours may read.
    may_read: bool,
    any_organization: bool,
}

/// Reads `[[issuers]]`.
pub(super) fn issuers(root: &mut Section<'_, '_>, of: &Of<'_>) -> Vec<(Arc<Issuer>, Span)> {
    let sections = root.sections("issuers");
    if sections.is_empty() {
        root.report.add(root.span, "issuers", "is missing: say who makes the tokens");
    }
    sections.into_iter().filter_map(|section| issuer(section, of)).collect()
}

fn issuer(mut section: Section<'_, '_>, of: &Of<'_>) -> Option<(Arc<Issuer>, Span)> {
    let (report, key) = (section.report, section.path.clone());
    let preset = preset(&mut section);
    let name = section.text("issuer");
    let span = name.as_ref().map_or(section.span, |name| name.span);
    let named = name.as_ref().and_then(|name| issuer_name(report, name));
    let allow_http = section.flag("allow_http");
    let [ca_file, token_file] = ["ca_file", "token_file"].map(|key| section.text_if_any(key));
    let keys = keys(&mut section, &preset, name.as_ref().zip(named.as_ref()), allow_http, of.folder);
    let is_remote = keys.iter().any(KeySource::is_remote);
    for file in [&ca_file, &token_file].into_iter().flatten().filter(|_| !is_remote) {
        report.add(file.span, &file.key, "is for keys that are fetched: discovery or jwks_url");
    }
    if let Some(token) = token_file.as_ref().filter(|_| allow_http) {
        report.add(token.span, &token.key, "must not be beside allow_http: whoever listens would have the token");
    }
    let audiences = section.one_or_more_if_any("audience").unwrap_or_default();
    let required = required(section.section_if_any("required"));
    if audiences.is_empty() && required.is_empty() {
        let fault = "is missing: without it, required must say by which claim its tokens are told from others";
        report.add(section.span, section.key("audience"), fault);
    }
    let (default_scopes, allowed_scopes) = scopes(&mut section, &preset, of);
    let any_organization = section.flag_if_any("any_organization").unwrap_or(preset.any_organization);
    let claims = match section.section_if_any("claims") {
        Some(section) => claims(section, preset.claims),
        None => preset.claims,
    };
    section.end();
    let issuer = Issuer {
        place: format!("{}: {key}", of.product),
        key,
        name: named?,
        audiences: audiences.into_iter().map(|audience| audience.value).collect(),
        required,
        keys,
        allow_http,
        ca_file: ca_file.map(|file| beside(of.folder, &file.value)),
        token_file: token_file.map(|file| beside(of.folder, &file.value)),
        claims,
        default_scopes,
        allowed_scopes,
        any_organization,
    };
    Some((Arc::new(issuer), span))
}

/// What the section's preset says; where it has none, what tokens made for this service have.
fn preset(section: &mut Section<'_, '_>) -> Preset {
    let chosen = section.text_if_any("preset");
    let named = chosen.as_ref().and_then(|chosen| {
        let found = read_preset(&chosen.value);
        if found.is_none() {
            let known = preset_names().join(", ");
            section.report.add(chosen.span, &chosen.key, format!("must be one of {known}, not {:?}", chosen.value));
        }
        found
    });
    let claims = ClaimRules::standard();
    let none = Preset { is_chosen: chosen.is_some(), claims, jwks_url: None, may_read: false, any_organization: true };
    named.unwrap_or(none)
}

/// The names of all presets.
pub(in crate::catalog) fn preset_names() -> Vec<String> {
    let root = toml_span::parse(PRESETS).ok();
    let table = root.as_ref().and_then(|root| root.as_table());
    let mut names: Vec<_> = table.into_iter().flat_map(|table| table.keys()).map(|key| key.name.to_string()).collect();
    names.sort();
    names
}

fn read_preset(name: &str) -> Option<Preset> {
    let report = Report::new("presets.toml", PRESETS);
    let ValueInner::Table(mut root) = toml_span::parse(PRESETS).ok()?.take() else { return None };
    let mut table = root.remove(name)?;
    let mut section = Section::new(&report, name.to_owned(), &mut table)?;
    let jwks_url = section.text_if_any("jwks_url").map(|url| url.value);
    let (may_read, any_organization) = (section.flag("may_read"), section.flag("any_organization"));
    let claims = claims(section.section("claims")?, ClaimRules::nowhere());
    section.end();
    debug_assert!(report.into_faults().is_empty(), "the presets are sound");
    Some(Preset { is_chosen: true, claims, jwks_url, may_read, any_organization })
}

/// `https://login.example/{tid}/v2.0` is a pattern: one segment of the path is a variable.
fn issuer_name(report: &Report<'_>, at: &At<String>) -> Option<IssuerName> {
    let text = &at.value;
    let fault = |message: String| {
        report.add(at.span, &at.key, message);
        None
    };
    if !text.contains(['{', '}']) {
        return match names::fault_of_issuer(text) {
            Some(message) => fault(message),
            None => Some(IssuerName::Exact(text.clone())),
        };
    }
    let rule = "must have one variable, a whole segment of the path, such as https://login.example/{tid}/v2.0";
    let parts = text.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)));
    let Some((before, (variable, after))) = parts else { return fault(rule.to_owned()) };
    let is_path = before.split_once("://").is_some_and(|(_, rest)| rest.contains('/')) && before.ends_with('/');
    let is_segment = after.is_empty() || after.starts_with('/');
    let is_one = !after.contains(['{', '}']) && !variable.contains('{');
    let is_name = !variable.is_empty() && variable.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_path || !is_segment || !is_one || !is_name {
        return fault(rule.to_owned());
    }
    if let Some(message) = names::fault_of_issuer(&format!("{before}x{after}")) {
        return fault(message);
    }
    let [before, variable, after] = [before, variable, after].map(str::to_owned);
    Some(IssuerName::Pattern { before, variable, after })
}

fn keys(
    section: &mut Section<'_, '_>,
    preset: &Preset,
    name: Option<(&At<String>, &IssuerName)>,
    allow_http: bool,
    folder: Option<&Path>,
) -> Vec<KeySource> {
    let mut sources: Vec<KeySource> = Vec::new();
    let (discovery, is_given) = (section.flag("discovery"), section.has("keys"));
    for section in section.sections("keys") {
        let (report, at, path) = (section.report, section.span, section.path.clone());
        match key(section, allow_http, folder) {
            Some(source) if sources.contains(&source) => report.add(at, path, "is the same as one above"),
            Some(source) => sources.push(source),
            None => {}
        }
    }
    let report = section.report;
    match name {
        Some((at, IssuerName::Exact(issuer))) if discovery || (preset.is_chosen && !is_given) => {
            match names::fault_of_address(issuer, allow_http) {
                Some(fault) => report.add(at.span, &at.key, format!("{fault}: discovery asks there")),
                None => sources.push(KeySource::Discovery(issuer.clone())),
            }
        }
        Some((at, IssuerName::Pattern { .. })) if discovery => {
            let fault = "is a pattern, of which there is no one OpenID configuration: name a jwks_url in keys";
            report.add(at.span, &at.key, fault);
        }
        Some((_, IssuerName::Pattern { .. })) if preset.is_chosen && !is_given => match &preset.jwks_url {
            Some(url) => sources.push(KeySource::JwksUrl(url.clone())),
            None => report.add(section.span, section.key("keys"), "is missing: a pattern needs a jwks_url"),
        },
        _ if !is_given && !discovery && !preset.is_chosen => {
            let fault = "is missing: say where the keys come from that tokens are checked with, or discovery = true";
            report.add(section.span, section.key("keys"), fault);
        }
        _ => {}
    }
    sources
}

fn key(mut section: Section<'_, '_>, allow_http: bool, folder: Option<&Path>) -> Option<KeySource> {
    const SOURCES: [&str; 4] = ["secret_env", "secret_file", "jwks_file", "jwks_url"];
    if SOURCES.iter().filter(|source| section.has(source)).count() != 1 {
        section.report.add(section.span, &section.path, format!("must have one of {}", SOURCES.join(", ")));
    }
    let kid = section.text_if_any("kid");
    let mut given = Vec::new();
    if let Some(variable) = section.text_if_any("secret_env") {
        match names::fault_of_variable(&variable.value) {
            Some(fault) => section.report.add(variable.span, &variable.key, fault),
            None => given.push(KeySource::SecretEnv {
                variable: variable.value,
                kid: kid.as_ref().map(|kid| kid.value.clone()),
            }),
        }
    }
    if let Some(file) = section.text_if_any("secret_file") {
        let kid = kid.as_ref().map(|kid| kid.value.clone());
        given.push(KeySource::SecretFile { path: beside(folder, &file.value), kid });
    }
    if let Some(file) = section.text_if_any("jwks_file") {
        given.push(KeySource::JwksFile(beside(folder, &file.value)));
    }
    if let Some(url) = section.text_if_any("jwks_url") {
        match names::fault_of_address(&url.value, allow_http) {
            Some(fault) => section.report.add(url.span, &url.key, fault),
            None => given.push(KeySource::JwksUrl(url.value)),
        }
    }
    if let (Some(kid), Some(KeySource::JwksFile(_) | KeySource::JwksUrl(_))) = (&kid, given.first()) {
        section.report.add(kid.span, &kid.key, "belongs to a secret: a JWKS has the ids of its keys itself");
    }
    section.end();
    given.pop()
}

/// A file lies beside the product file.
fn beside(folder: Option<&Path>, name: &str) -> std::path::PathBuf {
    folder.map_or_else(|| Path::new(name).to_owned(), |folder| folder.join(name))
}

/// `[issuers.required]`: by claim, the value that it must have, or one of several.
fn required(section: Option<Section<'_, '_>>) -> Vec<Required> {
    let lists = section.map(Section::lists).unwrap_or_default();
    let values = |list: Vec<At<String>>| list.into_iter().map(|value| value.value).collect();
    lists.into_iter().map(|(at, list)| Required { at: ClaimPath::new(at), values: values(list) }).collect()
}

/// The scopes by default, and those that may be given. An identity provider gives reading and exporting, unless the file
/// says more.
fn scopes(section: &mut Section<'_, '_>, preset: &Preset, of: &Of<'_>) -> (Vec<String>, Option<Vec<String>>) {
    let reading = of.access.map(|access| access.scopes.clone()).unwrap_or_default();
    let default = section.texts_if_any("default_scopes");
    let allowed = section.texts_if_any("allowed_scopes");
    let report = section.report;
    for scope in default.iter().chain(&allowed).flatten().filter(|scope| scope.value.contains(char::is_whitespace)) {
        report.add(scope.span, &scope.key, "must not have blanks: they part the scopes of a token");
    }
    let allowed = allowed.map(|scopes| scopes.into_iter().map(|scope| scope.value).collect::<Vec<_>>());
    let of_preset = || preset.is_chosen.then(|| reading.iter().cloned().chain([EXPORT_SCOPE.to_owned()]).collect());
    let allowed = allowed.or_else(of_preset);
    for scope in default.iter().flatten() {
        if allowed.as_ref().is_some_and(|allowed| !allowed.contains(&scope.value)) {
            report.add(scope.span, &scope.key, "is not in allowed_scopes");
        }
    }
    let default = match default {
        Some(scopes) => scopes.into_iter().map(|scope| scope.value).collect(),
        None if preset.may_read => {
            reading.into_iter().filter(|scope| allowed.as_ref().is_none_or(|allowed| allowed.contains(scope))).collect()
        }
        None => Vec::new(),
    };
    (default, allowed)
}

/// `[issuers.claims]` over what counts where it says nothing.
fn claims(mut section: Section<'_, '_>, base: ClaimRules) -> ClaimRules {
    let audience = section.one_or_more_if_any("audience");
    let rules = ClaimRules {
        audience: audience.map_or(base.audience, |places| paths(section.report, places)),
        organization: rule(&mut section, "organization", base.organization),
        scopes: rule(&mut section, "scopes", base.scopes),
        roles: rule(&mut section, "roles", base.roles),
        plan: rule(&mut section, "plan", base.plan),
        subject: rule(&mut section, "subject", base.subject),
        email: rule(&mut section, "email", base.email),
        name: rule(&mut section, "name", base.name),
        logs: rule(&mut section, "logs", base.logs),
    };
    section.end();
    rules
}

/// A place, a list of places, or a table that says more.
fn rule(section: &mut Section<'_, '_>, name: &'static str, base: ClaimRule) -> ClaimRule {
    if !section.has(name) {
        section.texts_if_any(name);
        return base;
    }
    if !section.is_section(name) {
        let places = section.one_or_more_if_any(name).unwrap_or_default();
        return ClaimRule { at: paths(section.report, places), ..base };
    }
    let Some(mut table) = section.section_if_any(name) else { return base };
    let at = table.one_or_more_if_any("at").map(|places| paths(table.report, places));
    let split = table.choice_if_any("split", &SPLITS);
    let has_keys = table.flag_if_any("keys");
    let words = table.section_if_any("words").map(Section::texts);
    table.end();
    ClaimRule {
        at: at.unwrap_or(base.at),
        split: split.map_or(base.split, |split| split.value),
        has_keys: has_keys.unwrap_or(base.has_keys),
        words: words.map_or(base.words, |words| words.into_iter().map(|(word, own)| (word, own.value)).collect()),
    }
}

fn paths(report: &Report<'_>, places: Vec<At<String>>) -> Vec<ClaimPath> {
    for place in &places {
        let is_broken = place.value.split('~').skip(1).any(|rest| !rest.starts_with(['0', '1']));
        if place.value.starts_with('/') && is_broken {
            report.add(place.span, &place.key, "must be a claim's name or a JSON pointer: ~ is ~0 in it, and / is ~1");
        }
    }
    places.into_iter().map(|place| ClaimPath::new(place.value)).collect()
}
