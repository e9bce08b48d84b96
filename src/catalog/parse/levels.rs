//! Levels, categories and actions of a product file, and what they say of each other.

use super::names::fault_of_name;
use crate::{
    catalog::{
        Action, Catalog, Category, Level, LogDeletion,
        section::{At, Section},
    },
    event::{Outcome, limits},
};

const DELETIONS: [(&str, LogDeletion); 3] =
    [("REMOVE", LogDeletion::Remove), ("CLEAR", LogDeletion::Clear), ("KEEP", LogDeletion::Keep)];
const OUTCOMES: [(&str, Outcome); 3] =
    [("SUCCESS", Outcome::Success), ("FAILURE", Outcome::Failure), ("ACCEPTED", Outcome::Accepted)];

/// Reads the levels: one without a parent, all others below it.
pub(super) fn levels(root: &mut Section<'_, '_>) -> Vec<Level> {
    let sections = root.sections("levels");
    if sections.is_empty() {
        root.report.add(root.span, "levels", "is missing: there must be the organization's own level");
    }
    let mut levels: Vec<Level> = Vec::new();
    let mut parents: Vec<Option<At<String>>> = Vec::new();
    let mut top: Option<String> = None;
    for mut section in sections {
        let name = section.text("name");
        let label = section.text("label");
        let parent = section.text_if_any("parent");
        let on_delete = match &parent {
            Some(_) => section.choice("on_delete", &DELETIONS),
            None => section.choice_if_any("on_delete", &DELETIONS),
        };
        let include_nested = section.flag("include_nested");
        let (report, span, path) = (section.report, section.span, section.path.clone());
        section.end();
        if parent.is_none() {
            if let Some(on_delete) = &on_delete {
                report.add(
                    on_delete.span,
                    &on_delete.key,
                    "is for nested levels: the organization's own log is not deleted",
                );
            }
            match &top {
                Some(first) => report.add(
                    span,
                    format!("{path}.parent"),
                    format!("is missing: {first} is the organization's own level already"),
                ),
                None => top = name.as_ref().map(|name| name.value.clone()),
            }
        }
        let (Some(name), Some(label)) = (name, label) else { continue };
        if let Some(fault) = fault_of_name(&name.value) {
            report.add(name.span, &name.key, fault);
        }
        if levels.iter().any(|level| level.name == name.value) {
            report.add(name.span, &name.key, format!("{:?} is the name of a level above already", name.value));
            continue;
        }
        levels.push(Level {
            name: name.value,
            label: label.value,
            parent: parent.as_ref().map(|parent| parent.value.clone()),
            on_delete: on_delete.map_or(LogDeletion::Keep, |on_delete| on_delete.value),
            include_nested,
        });
        parents.push(parent);
    }
    check_parents(root, &levels, &parents);
    levels
}

fn check_parents(root: &Section<'_, '_>, levels: &[Level], parents: &[Option<At<String>>]) {
    let above = |name: &str| levels.iter().find(|level| level.name == name).and_then(|level| level.parent.as_deref());
    for (level, parent) in levels.iter().zip(parents) {
        let Some(parent) = parent else { continue };
        if !levels.iter().any(|known| known.name == parent.value) {
            root.report.add(parent.span, &parent.key, format!("{:?} is no level", parent.value));
            continue;
        }
        let chain: Vec<&str> =
            std::iter::successors(Some(level.name.as_str()), |name| above(name)).take(levels.len() + 1).collect();
        if chain.len() > levels.len() {
            let ring = chain.iter().skip(1).position(|name| *name == level.name).map_or(chain.len(), |end| end + 2);
            if ring <= chain.len() {
                root.report.add(
                    parent.span,
                    &parent.key,
                    format!("goes round in a circle: {}", chain[..ring].join(" in ")),
                );
            }
        } else if chain.len() > limits::LOG_DEPTH + 1 {
            root.report.add(parent.span, &parent.key, format!("nests deeper than {} levels", limits::LOG_DEPTH));
        }
    }
}

/// The organization's own level first, every parent before its children, else as in the file.
pub(super) fn in_order(levels: Vec<Level>) -> Vec<Level> {
    let mut ordered: Vec<Level> = Vec::with_capacity(levels.len());
    let mut waiting = levels;
    loop {
        let ready = |level: &Level| {
            level.parent.as_ref().is_none_or(|parent| ordered.iter().any(|above| above.name == *parent))
        };
        let Some(next) = waiting.iter().position(ready) else { return ordered };
        ordered.push(waiting.remove(next));
    }
}

/// Reads the catalog.
pub(super) fn catalog(mut section: Section<'_, '_>, levels: &[Level]) -> Catalog {
    let open = section.flag_given("open");
    let open_prefixes = section.texts_if_any("open_prefixes").unwrap_or_default();
    if let (true, Some(prefix)) = (open, open_prefixes.first()) {
        section.report.add(prefix.span, section.key("open_prefixes"), "says nothing in an open catalog");
    }
    let defaults = Defaults {
        levels: section.texts_if_any("default_levels").unwrap_or_default(),
        outcome: section.choice_if_any("default_outcome", &OUTCOMES).map(|outcome| outcome.value),
    };
    known_levels(&section, &defaults.levels, levels);
    let categories = categories(section.sections("categories"));
    let actions = actions(section.sections("actions"), &defaults, &categories, levels);
    section.end();
    Catalog::new(open, open_prefixes.into_iter().map(|prefix| prefix.value).collect(), categories, actions)
}

/// What holds for an action that does not say otherwise.
struct Defaults {
    levels: Vec<At<String>>,
    outcome: Option<Outcome>,
}

fn categories(sections: Vec<Section<'_, '_>>) -> Vec<Category> {
    let mut categories: Vec<Category> = Vec::new();
    for mut section in sections {
        let (code, label, short_label) =
            (section.text("code"), section.text("label"), section.text_if_any("short_label"));
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
        categories.push(Category { code: code.value, label: label.value, short_label });
    }
    categories
}

fn actions(
    sections: Vec<Section<'_, '_>>,
    defaults: &Defaults,
    categories: &[Category],
    levels: &[Level],
) -> Vec<Action> {
    let mut actions: Vec<Action> = Vec::new();
    for mut section in sections {
        let (name, label, category) = (section.text("name"), section.text("label"), section.text_if_any("category"));
        let own_levels = section.texts_if_any("levels");
        let outcome = section.choice_if_any("default_outcome", &OUTCOMES);
        let description = section.text_if_any("description");
        known_levels(&section, own_levels.as_deref().unwrap_or_default(), levels);
        let report = section.report;
        section.end();
        if let Some(category) =
            category.as_ref().filter(|each| !categories.iter().any(|known| known.code == each.value))
        {
            report.add(category.span, &category.key, format!("{:?} is the code of no category", category.value));
        }
        let (Some(name), Some(label)) = (name, label) else { continue };
        if name.value.chars().count() > limits::ACTION_CHARS || name.value.contains(char::is_control) {
            report.add(
                name.span,
                &name.key,
                format!("must be printable text of at most {} characters", limits::ACTION_CHARS),
            );
        }
        if actions.iter().any(|known| known.name == name.value) {
            report.add(name.span, name.key, format!("{:?} is the name of an action above already", name.value));
            continue;
        }
        if actions.iter().any(|known| known.label == label.value) {
            // Readers choose by label: two actions with one could not be told apart.
            report.add(label.span, &label.key, format!("{:?} is the label of an action above already", label.value));
        }
        let levels = own_levels.as_ref().unwrap_or(&defaults.levels);
        actions.push(Action {
            name: name.value,
            label: label.value,
            category: category.map(|category| category.value),
            levels: levels.iter().map(|level| level.value.clone()).collect(),
            default_outcome: outcome.map(|outcome| outcome.value).or(defaults.outcome),
            description: description.map(|description| description.value),
        });
    }
    actions
}

fn known_levels(section: &Section<'_, '_>, named: &[At<String>], levels: &[Level]) {
    for name in named.iter().filter(|name| !levels.iter().any(|level| level.name == name.value)) {
        section.report.add(name.span, &name.key, format!("{:?} is no level", name.value));
    }
}
