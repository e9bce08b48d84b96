//! From the text of a product file to a [`Product`], or to everything that is wrong with it.

mod catalog;
mod issuers;
mod languages;
mod levels;
mod management;
mod masking;
mod names;
mod routes;
mod viewer;

use std::{collections::HashMap, path::Path, sync::Arc};

use toml_span::Span;

#[cfg(test)]
pub(super) use issuers::preset_names;
pub(crate) use names::{fault_of_address, is_loopback};

use super::{
    AccessRules, Issuer, Keep, Labels, Level, Product, ProductError,
    fault::Report,
    is_same_but_for_case,
    languages::USUAL,
    retention::PlanRule,
    section::{At, Section},
};
use crate::event::ActorKind;

/// Days between the confirmation of an organization's end and its beginning, where the file says nothing.
const END_DELAY: i64 = 30;

/// Scope that permits reading where a file names no other.
const READ_SCOPE: &str = "audit:read";

const ACTOR_KINDS: [(&str, ActorKind); 6] = [
    (ActorKind::User.as_str(), ActorKind::User),
    (ActorKind::ApiKey.as_str(), ActorKind::ApiKey),
    (ActorKind::Service.as_str(), ActorKind::Service),
    (ActorKind::Staff.as_str(), ActorKind::Staff),
    (ActorKind::System.as_str(), ActorKind::System),
    (ActorKind::Anonymous.as_str(), ActorKind::Anonymous),
];

/// What a file came to.
pub(super) struct Parsed {
    /// The product, where nothing is wrong.
    pub product: Option<Product>,
    /// What is wrong.
    pub faults: Vec<ProductError>,
    /// Its issuers, each with the fault to note where another one makes the same tokens.
    pub issuers: Vec<(Arc<Issuer>, ProductError)>,
}

/// Reads a product file. Files that it names lie beside it, in `folder`.
pub(super) fn parse(file: &str, text: &str, folder: Option<&Path>) -> Parsed {
    let report = Report::new(file, text);
    let mut read = None;
    let mut issuers = Vec::new();
    match toml_span::parse(text) {
        Err(error) => report.add(error.span, "", format!("is not TOML: {error}")),
        Ok(mut root) => {
            if let Some(section) = Section::new(&report, String::new(), &mut root) {
                read = product(section, file, folder, &mut issuers);
            }
        }
    }
    let at = |(issuer, span): (Arc<Issuer>, Span)| {
        let ((line, column), key) = (report.place(span), format!("{}.issuer", issuer.key));
        (issuer, ProductError { file: file.to_owned(), line, column, key, message: String::new() })
    };
    let issuers = issuers.into_iter().map(at).collect();
    let faults = report.into_faults();
    Parsed { product: read.filter(|_| faults.is_empty()), faults, issuers }
}

fn product(
    mut root: Section<'_, '_>,
    file: &str,
    folder: Option<&Path>,
    issuers_at: &mut Vec<(Arc<Issuer>, Span)>,
) -> Option<Product> {
    let name = root.text("name");
    let stem = Path::new(file).file_stem().and_then(|stem| stem.to_str());
    if let Some(name) = &name {
        if let Some(fault) = names::fault_of_name(&name.value) {
            root.report.add(name.span, &name.key, fault);
        } else if stem != Some(name.value.as_str()) {
            root.report.add(
                name.span,
                &name.key,
                format!("must be the name of the file, which is {:?}", stem.unwrap_or_default()),
            );
        }
    }
    let label = root.text("label");
    let language = languages::language(&mut root).unwrap_or_else(|| USUAL.to_owned());
    let retention = retention(&mut root);
    let floor = floor(&mut root, retention.as_ref());
    let retention_by_plan = by_plan(root.section_if_any("retention_by_plan"), floor);
    let end_delay = end_delay(&mut root);
    let access = root.section("access").map(access);
    let of = issuers::Of { product: name.as_ref().map_or("", |name| &name.value), access: access.as_ref(), folder };
    let issuers = issuers::issuers(&mut root, &of);
    issuers_at.extend(issuers.iter().map(|(issuer, span)| (issuer.clone(), *span)));
    let levels = levels::levels(&mut root, floor);
    let record_reads = record_reads(&mut root, &levels);
    let catalog = root.section("catalog").map(|section| catalog::catalog(section, &levels));
    let actor_kinds = catalog.as_ref().map(|catalog| catalog.actor_kinds.as_slice()).unwrap_or_default();
    let categories = catalog.as_ref().map(|catalog| catalog.categories.as_slice()).unwrap_or_default();
    let management = root.section_if_any("management");
    let management = management.map(|section| management::management(section, categories, access.as_ref()));
    let actor_labels = actor_labels(root.section_if_any("actor_labels"), actor_kinds);
    let role_labels = labels(root.section_if_any("role_labels"));
    let plan_labels = labels(root.section_if_any("plan_labels"));
    let has_plans = access.as_ref().is_none_or(|access| !access.plans.is_empty());
    let viewer = root.section("viewer").and_then(|section| viewer::viewer(section, has_plans));
    let masking = root.section_if_any("masking").map(masking::masking).unwrap_or_default();
    let routes = routes::routes(&mut root, &levels);
    let of = languages::Of {
        language: &language,
        catalog: catalog.as_ref(),
        viewer: viewer.as_ref(),
        levels: &levels,
        has_plans,
    };
    let translations = languages::languages(root.section_if_any("languages"), &of);
    root.end();
    let product = Product {
        name: name?.value,
        label: label?.value,
        issuers: issuers.into_iter().map(|(issuer, _)| issuer).collect(),
        access: access?,
        management,
        levels: levels::in_order(levels),
        catalog: catalog?,
        actor_labels,
        role_labels,
        plan_labels,
        viewer: viewer?,
        masking,
        record_reads,
        routes,
        retention: retention?.value,
        retention_by_plan,
        retention_floor: floor,
        end_delay,
        language,
        languages: Vec::new(),
        written: None,
    };
    Some(product.with(&translations))
}

/// `retention = "forever"` or `"400 days"`.
fn retention(root: &mut Section<'_, '_>) -> Option<At<Keep>> {
    let text = root.text("retention")?;
    kept(root.report, text)
}

/// `retention_floor = "183 days"`: 0 where it is left out.
fn floor(root: &mut Section<'_, '_>, retention: Option<&At<Keep>>) -> i64 {
    let Some(text) = root.text_if_any("retention_floor") else { return 0 };
    let (span, key) = (text.span, text.key.clone());
    let Some(floor) = kept(root.report, text) else { return 0 };
    let Some(floor) = floor.value.days() else {
        root.report.add(span, key, "must be a number of days: keep everything by retention = \"forever\"");
        return 0;
    };
    if let Some(retention) = retention {
        below_floor(root.report, retention, floor);
    }
    floor
}

/// `[retention_by_plan]`: plans, and for how long events of their organizations are kept.
fn by_plan(section: Option<Section<'_, '_>>, floor: i64) -> Vec<PlanRule> {
    let Some(section) = section else { return Vec::new() };
    let report = section.report;
    let rule = |(plan, text)| {
        let keep = kept(report, text)?;
        below_floor(report, &keep, floor);
        Some(PlanRule { plan, keep: keep.value })
    };
    section.texts().into_iter().filter_map(rule).collect()
}

/// `organization_end_delay = "30 days"`, which it also is where it is left out.
fn end_delay(root: &mut Section<'_, '_>) -> i64 {
    let Some(At { value, span, key }) = root.text_if_any("organization_end_delay") else { return END_DELAY };
    match Keep::parse(&value).and_then(Keep::days) {
        Some(days) => days,
        None => {
            let fault = "must be a number of days, at least one, such as \"30 days\"";
            root.report.add(span, &key, format!("{fault}, not {value:?}"));
            END_DELAY
        }
    }
}

/// A time to keep events for; another text is noted.
fn kept(report: &Report<'_>, At { value, span, key }: At<String>) -> Option<At<Keep>> {
    let kept = Keep::parse(&value);
    if kept.is_none() {
        let fault = "must be \"forever\" or a number of days such as \"400 days\"";
        report.add(span, &key, format!("{fault}, not {value:?}"));
    }
    kept.map(|value| At { value, span, key })
}

/// Notes a time that is shorter than the floor.
fn below_floor(report: &Report<'_>, kept: &At<Keep>, floor: i64) {
    if kept.value.days().is_some_and(|days| days < floor) {
        report.add(kept.span, &kept.key, format!("must be at least retention_floor, which is {floor} days"));
    }
}

/// `record_reads = "access"`: the level whose log tells of reads. It is right below the organization's own, and nothing is
/// below it.
fn record_reads(root: &mut Section<'_, '_>, levels: &[Level]) -> Option<String> {
    let At { value: name, span, key } = root.text_if_any("record_reads")?;
    let level = |name: &str| levels.iter().find(|level| level.name == name);
    let above = level(&name).and_then(|own| own.parent.as_deref()).and_then(level);
    let fault = match (level(&name), above) {
        (None, _) => format!("{name:?} is no level"),
        (Some(_), Some(top)) if top.parent.is_none() && top.include_nested => {
            format!(
                "must not be a level below {}, whose include_nested would list reads among all other events",
                top.name
            )
        }
        (Some(_), Some(top))
            if top.parent.is_none() && !levels.iter().any(|one| one.parent.as_ref() == Some(&name)) =>
        {
            return Some(name);
        }
        _ => "must be a level right below the organization's own, with none below it".to_owned(),
    };
    root.report.add(span, key, fault);
    None
}

fn access(mut section: Section<'_, '_>) -> AccessRules {
    let scopes = section.texts_if_any("scopes");
    if let Some(scopes) = &scopes {
        if scopes.is_empty() {
            section.report.add(section.span, section.key("scopes"), "must name a scope, or be left out");
        }
        for scope in scopes.iter().filter(|scope| scope.value.contains(char::is_whitespace)) {
            section.report.add(scope.span, &scope.key, "must not have blanks: they part the scopes of a token");
        }
    }
    let scopes = scopes
        .map_or_else(|| vec![READ_SCOPE.to_owned()], |scopes| scopes.into_iter().map(|scope| scope.value).collect());
    let (redirect, upgrade) = (href(&mut section, "redirect_href"), href(&mut section, "upgrade_href"));
    let case_sensitive = section.flag("case_sensitive");
    let mut names = |key: &'static str| {
        let names = section.texts_if_any(key).unwrap_or_default();
        for (place, name) in names.iter().enumerate().filter(|_| !case_sensitive) {
            if names[..place].iter().any(|other| is_same_but_for_case(&other.value, &name.value)) {
                let fault = format!("{:?} is in the list already: case_sensitive is not set", name.value);
                section.report.add(name.span, &name.key, fault);
            }
        }
        names.into_iter().map(|name| name.value).collect()
    };
    let rules = AccessRules {
        scopes,
        roles: names("roles"),
        plans: names("plans"),
        case_sensitive,
        hidden_without_plan: section.flag("hidden_without_plan"),
        redirect_href: redirect.as_ref().map(|href| href.value.clone()),
        upgrade_href: upgrade.as_ref().map(|href| href.value.clone()),
    };
    if rules.hidden_without_plan && rules.plans.is_empty() {
        section.report.add(section.span, section.key("hidden_without_plan"), "needs plans");
    }
    if let Some(redirect) = redirect.filter(|_| rules.roles.is_empty()) {
        section.report.add(redirect.span, redirect.key, "needs roles: it is for readers whose role may not read");
    }
    if let Some(upgrade) = upgrade.filter(|_| rules.plans.is_empty()) {
        section.report.add(upgrade.span, upgrade.key, "needs plans: it is for readers whose plan does not include it");
    }
    section.end();
    rules
}

/// An address that a page may lead to.
fn href(section: &mut Section<'_, '_>, name: &'static str) -> Option<At<String>> {
    let href = section.text_if_any(name)?;
    if let Some(fault) = names::fault_of_href(&href.value) {
        section.report.add(href.span, href.key, fault);
        return None;
    }
    Some(href)
}

/// What codes of the file's own are called.
fn labels(section: Option<Section<'_, '_>>) -> Labels {
    let texts = section.map(Section::texts).unwrap_or_default();
    Labels::new(texts.into_iter().map(|(code, label)| (code, label.value)))
}

/// What the kinds of actors are called. A kind that the product does not take needs no name.
fn actor_labels(section: Option<Section<'_, '_>>, taken: &[ActorKind]) -> HashMap<ActorKind, String> {
    let mut labels: HashMap<ActorKind, String> = [
        (ActorKind::User, "User"),
        (ActorKind::ApiKey, "API key"),
        (ActorKind::Service, "Service"),
        (ActorKind::Staff, "Staff"),
        (ActorKind::System, "System"),
        (ActorKind::Anonymous, "Anonymous"),
    ]
    .map(|(kind, label)| (kind, label.to_owned()))
    .into();
    if let Some(mut section) = section {
        for kind in ActorKind::ALL {
            let Some(label) = section.text_if_any(kind.as_str()) else { continue };
            if !taken.is_empty() && !taken.contains(&kind) {
                section.report.add(label.span, label.key, "is not in catalog.actor_kinds");
            }
            labels.insert(kind, label.value);
        }
        section.end();
    }
    labels
}
