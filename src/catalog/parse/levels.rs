//! Levels of a product file.

use super::{below_floor, by_plan, kept, names::fault_of_name};
use crate::{
    catalog::{
        Level, LogDeletion,
        section::{At, Section},
    },
    event::limits,
};

const DELETIONS: [(&str, LogDeletion); 3] =
    [("REMOVE", LogDeletion::Remove), ("CLEAR", LogDeletion::Clear), ("KEEP", LogDeletion::Keep)];

/// Reads the levels: one without a parent, all others below it.
pub(super) fn levels(root: &mut Section<'_, '_>, floor: i64) -> Vec<Level> {
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
        let retention = section.text_if_any("retention").and_then(|text| kept(section.report, text));
        if let Some(retention) = &retention {
            below_floor(section.report, retention, floor);
        }
        let retention_by_plan = by_plan(section.section_if_any("retention_by_plan"), floor);
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
            retention: retention.map(|kept| kept.value),
            retention_by_plan,
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
