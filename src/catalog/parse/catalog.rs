//! Categories, actions and beginnings of names of a product file, and what they say of each other.

use super::ACTOR_KINDS;
use crate::{
    catalog::{
        Action, ActionForm, Catalog, Category, Level, Prefix, Rules,
        ocsf::{CLASSES, Ocsf},
        section::{At, Section},
    },
    event::{ActorKind, Outcome, limits},
};

const OUTCOMES: [(&str, Outcome); 3] =
    [("SUCCESS", Outcome::Success), ("FAILURE", Outcome::Failure), ("ACCEPTED", Outcome::Accepted)];
const FORMS: [(&str, ActionForm); 1] = [(ActionForm::ResourceAction.as_str(), ActionForm::ResourceAction)];

/// Reads the catalog.
pub(super) fn catalog(mut section: Section<'_, '_>, levels: &[Level]) -> Catalog {
    let open = section.flag_given("open");
    let open_prefixes = section.texts_if_any("open_prefixes").unwrap_or_default();
    if let (true, Some(prefix)) = (open, open_prefixes.first()) {
        section.report.add(prefix.span, section.key("open_prefixes"), "says nothing in an open catalog");
    }
    let form = section.choice_if_any("action_form", &FORMS).map(|form| form.value);
    let actor_kinds = section.choices_if_any("actor_kinds", &ACTOR_KINDS);
    let default_levels = section.texts_if_any("default_levels").unwrap_or_default();
    let default_outcome = section.choice_if_any("default_outcome", &OUTCOMES);
    let default_outcomes = values(section.choices_if_any("default_outcomes", &OUTCOMES));
    let excluded = |outcome: &&At<Outcome>| !default_outcomes.is_empty() && !default_outcomes.contains(&outcome.value);
    if let Some(outcome) = default_outcome.as_ref().filter(excluded) {
        section.report.add(outcome.span, &outcome.key, "is none of default_outcomes");
    }
    known_levels(&section, &default_levels, levels);
    let categories = categories(section.sections("categories"));
    let context = Context {
        default_levels: default_levels.into_iter().map(|level| level.value).collect(),
        default_outcome: default_outcome.map(|outcome| outcome.value),
        default_outcomes,
        actor_kinds: values(actor_kinds),
        form,
        categories: &categories,
        levels,
    };
    let mut catalog = Catalog::of(actions(section.sections("actions"), &context));
    catalog.prefixes = prefixes(section.sections("prefixes"), open_prefixes, &context);
    section.end();
    catalog.open = open;
    catalog.form = form;
    catalog.actor_kinds = context.actor_kinds;
    catalog.categories = categories;
    catalog
}

/// What the rest of the file says that actions refer to, or take where they do not say otherwise.
struct Context<'a> {
    default_levels: Vec<String>,
    default_outcome: Option<Outcome>,
    default_outcomes: Vec<Outcome>,
    actor_kinds: Vec<ActorKind>,
    form: Option<ActionForm>,
    categories: &'a [Category],
    levels: &'a [Level],
}

fn values<T>(list: Option<Vec<At<T>>>) -> Vec<T> {
    list.unwrap_or_default().into_iter().map(|each| each.value).collect()
}

fn categories(sections: Vec<Section<'_, '_>>) -> Vec<Category> {
    let mut categories: Vec<Category> = Vec::new();
    for mut section in sections {
        let (code, label, short_label) =
            (section.text("code"), section.text("label"), section.text_if_any("short_label"));
        let description = section.text_if_any("description").map(|description| description.value);
        let report = section.report;
        section.end();
        let (Some(code), Some(label)) = (code, label) else { continue };
        if code.value.len() > limits::TEXT_BYTES || code.value.contains(char::is_control) {
            report.add(code.span, &code.key, format!("must be printable text of at most {} bytes", limits::TEXT_BYTES));
        }
        if categories.iter().any(|known| known.code == code.value) {
            report.add(code.span, code.key, format!("{:?} is the code of a category above already", code.value));
            continue;
        }
        if categories.iter().any(|known| known.label == label.value) {
            report.add(label.span, &label.key, format!("{:?} is the label of a category above already", label.value));
        }
        let short_label = short_label.map_or_else(|| label.value.clone(), |short| short.value);
        categories.push(Category { code: code.value, label: label.value, short_label, description });
    }
    categories
}

fn actions(sections: Vec<Section<'_, '_>>, context: &Context<'_>) -> Vec<Action> {
    let mut actions: Vec<Action> = Vec::new();
    for mut section in sections {
        let (name, label) = (section.text("name"), section.text("label"));
        let rules = rules(&mut section, context, context.default_outcome);
        let description = section.text_if_any("description").map(|description| description.value);
        let report = section.report;
        section.end();
        let (Some(name), Some(label)) = (name, label) else { continue };
        if name.value.chars().count() > limits::ACTION_CHARS || name.value.contains(char::is_control) {
            report.add(
                name.span,
                &name.key,
                format!("must be printable text of at most {} characters", limits::ACTION_CHARS),
            );
        } else if let Some(form) = context.form.filter(|form| !form.fits(&name.value)) {
            report.add(name.span, &name.key, form.rule());
        }
        if actions.iter().any(|known| known.name == name.value) {
            report.add(name.span, name.key, format!("{:?} is the name of an action above already", name.value));
            continue;
        }
        if actions.iter().any(|known| known.label == label.value) {
            // Readers choose by label: two actions with one could not be told apart.
            report.add(label.span, &label.key, format!("{:?} is the label of an action above already", label.value));
        }
        actions.push(Action { name: name.value, label: label.value, rules, description });
    }
    actions
}

/// Beginnings with rules of their own, and after them those that are only listed.
fn prefixes(sections: Vec<Section<'_, '_>>, listed: Vec<At<String>>, context: &Context<'_>) -> Vec<Prefix> {
    let mut prefixes: Vec<Prefix> = Vec::new();
    for mut section in sections {
        let prefix = section.text("prefix");
        let rules = rules(&mut section, context, None);
        let description = section.text_if_any("description").map(|description| description.value);
        let report = section.report;
        section.end();
        let Some(prefix) = prefix else { continue };
        if prefixes.iter().any(|known| known.prefix == prefix.value) {
            report.add(prefix.span, prefix.key, format!("{:?} is a prefix above already", prefix.value));
            continue;
        }
        if listed.iter().any(|each| each.value == prefix.value) {
            report.add(prefix.span, prefix.key, format!("{:?} is in open_prefixes already", prefix.value));
            continue;
        }
        prefixes.push(Prefix { prefix: prefix.value, rules, description });
    }
    prefixes.extend(listed.into_iter().map(|prefix| Prefix {
        prefix: prefix.value,
        rules: Rules::default(),
        description: None,
    }));
    prefixes
}

/// What a section says of the events of an action.
fn rules(section: &mut Section<'_, '_>, context: &Context<'_>, default_outcome: Option<Outcome>) -> Rules {
    let category = section.text_if_any("category");
    let levels = section.texts_if_any("levels");
    let actor_kinds = section.choices_if_any("actor_kinds", &ACTOR_KINDS);
    let outcomes = section.choices_if_any("outcomes", &OUTCOMES);
    let own_outcome = section.choice_if_any("default_outcome", &OUTCOMES);
    let ocsf = section.section_if_any("ocsf").and_then(ocsf);
    let report = section.report;
    known_levels(section, levels.as_deref().unwrap_or_default(), context.levels);
    let is_known = |each: &At<String>| context.categories.iter().any(|known| known.code == each.value);
    if let Some(category) = category.as_ref().filter(|each| !is_known(each)) {
        report.add(category.span, &category.key, format!("{:?} is the code of no category", category.value));
    }
    let taken = |kind: &At<ActorKind>| context.actor_kinds.is_empty() || context.actor_kinds.contains(&kind.value);
    for kind in actor_kinds.iter().flatten().filter(|kind| !taken(kind)) {
        report.add(kind.span, &kind.key, format!("{} is not in catalog.actor_kinds", kind.value.as_str()));
    }
    let outcomes = outcomes.map_or_else(|| context.default_outcomes.clone(), |outcomes| values(Some(outcomes)));
    let possible = |outcome: &Outcome| outcomes.is_empty() || outcomes.contains(outcome);
    if let Some(outcome) = own_outcome.as_ref().filter(|outcome| !possible(&outcome.value)) {
        report.add(outcome.span, &outcome.key, "is none of the outcomes that it takes");
    }
    Rules {
        category: category.map(|category| category.value),
        levels: levels.map_or_else(|| context.default_levels.clone(), |levels| values(Some(levels))),
        actor_kinds: values(actor_kinds),
        default_outcome: own_outcome.map(|outcome| outcome.value).or(default_outcome.filter(possible)),
        outcomes,
        ocsf,
    }
}

/// A class of the Open Cybersecurity Schema Framework, and what of it was done.
fn ocsf(mut section: Section<'_, '_>) -> Option<Ocsf> {
    let class = section.choice("class", &CLASSES.map(|class| (class.name, class)));
    let activity = section.text("activity");
    let report = section.report;
    section.end();
    let (class, activity) = (class?.value, activity?);
    let found = class.activity(&activity.value);
    if found.is_none() {
        let known = class.activities.iter().map(|(_, caption)| *caption).chain(["Other"]).collect::<Vec<_>>();
        report.add(
            activity.span,
            activity.key,
            format!("must be one of {}, not {:?}", known.join(", "), activity.value),
        );
    }
    found
}

fn known_levels(section: &Section<'_, '_>, named: &[At<String>], levels: &[Level]) {
    for name in named.iter().filter(|name| !levels.iter().any(|level| level.name == name.value)) {
        section.report.add(name.span, &name.key, format!("{:?} is no level", name.value));
    }
}
