//! `[languages.de]`: what a product file calls things in other languages.

use std::{collections::HashMap, hash::Hash};

use super::{ACTOR_KINDS, labels, viewer};
use crate::{
    catalog::{
        Catalog, ColumnKind, FilterKind, Level, Viewer,
        actions::nearest,
        fault::Report,
        languages::{FilterWording, Translation, Wording, is_tag},
        management::OWN,
        section::{At, Entry, Section},
    },
    event::ActorKind,
};

/// More names than these are no help in a fault.
const MOST_KNOWN: usize = 12;

/// What of the file can be called otherwise.
pub(super) struct Of<'a> {
    pub language: &'a str,
    pub catalog: Option<&'a Catalog>,
    pub viewer: Option<&'a Viewer>,
    pub levels: &'a [Level],
    pub has_plans: bool,
}

/// `language = "de"`: that of the labels of the file; English where it is left out.
pub(super) fn language(root: &mut Section<'_, '_>) -> Option<String> {
    let At { value, span, key } = root.text_if_any("language")?;
    if !is_tag(&value) {
        root.report.add(span, key, no_tag(&value));
        return None;
    }
    Some(value)
}

/// The other languages, in the order of the file.
pub(super) fn languages(section: Option<Section<'_, '_>>, of: &Of<'_>) -> Vec<Translation> {
    let Some(section) = section else { return Vec::new() };
    let report = section.report;
    let mut translations: Vec<Translation> = Vec::new();
    for (tag, entry) in section.entries() {
        let Entry::Section(section) = entry else {
            report.add(tag.span, tag.key, "must be a table, not a text");
            continue;
        };
        if !is_tag(&tag.value) {
            report.add(tag.span, &tag.key, no_tag(&tag.value));
        } else if tag.value.eq_ignore_ascii_case(of.language) {
            report.add(tag.span, &tag.key, "is the language of the file's own labels");
        } else if translations.iter().any(|known| known.tag.eq_ignore_ascii_case(&tag.value)) {
            report.add(tag.span, &tag.key, "is a language above already");
        }
        translations.push(translation(tag.value, section, of));
    }
    translations
}

fn no_tag(text: &str) -> String {
    format!("must be the tag of a language (BCP 47), such as de, pt-BR or zh-Hant, not {text:?}")
}

fn translation(tag: String, mut section: Section<'_, '_>, of: &Of<'_>) -> Translation {
    let text = |text: Option<At<String>>| text.map(|text| text.value);
    let (label, title) = (section.text_if_any("label"), section.text_if_any("title"));
    let plan_title = section.text_if_any("plan_title");
    if let Some(title) = plan_title.as_ref().filter(|_| !of.has_plans) {
        section.report.add(title.span, &title.key, "needs plans in access");
    }
    let translation = Translation {
        tag,
        label: text(label),
        title: text(title),
        plan_title: text(plan_title),
        actions: actions(section.section_if_any("actions"), of),
        categories: categories(section.section_if_any("categories"), of),
        columns: columns(section.section_if_any("columns"), of),
        filters: filters(section.section_if_any("filters"), of),
        levels: levels(section.section_if_any("levels"), of),
        actor_labels: actor_labels(section.section_if_any("actor_labels"), of),
        role_labels: labels(section.section_if_any("role_labels")),
        plan_labels: labels(section.section_if_any("plan_labels")),
    };
    section.end();
    translation
}

/// Names of the file, each with its words: a label, or a table of them. What the file does not name is a fault.
fn named<T>(
    section: Option<Section<'_, '_>>,
    what: &str,
    known: &[&str],
    mut read: impl FnMut(&At<String>, Entry<'_, '_>) -> Option<T>,
) -> Vec<(At<String>, T)> {
    let Some(section) = section else { return Vec::new() };
    let report = section.report;
    let mut found = Vec::new();
    for (name, entry) in section.entries() {
        let words = read(&name, entry);
        if !known.contains(&name.value.as_str()) {
            let like = nearest(&name.value, known.iter().map(|name| (*name, *name)));
            let hint = match like.first() {
                Some(name) => format!("; did you mean {name}?"),
                None if known.len() <= MOST_KNOWN => format!("; known are {}", known.join(", ")),
                None => String::new(),
            };
            report.add(name.span, &name.key, format!("{:?} is {what}{hint}", name.value));
        }
        found.extend(words.map(|words| (name, words)));
    }
    found
}

/// A label, or a table with the words that can stand there.
fn wording(entry: Entry<'_, '_>, has_short: bool) -> Wording {
    match entry {
        Entry::Text(label) => Wording { label: Some(label.value), ..Wording::default() },
        Entry::Section(mut section) => {
            let mut text = |name| section.text_if_any(name).map(|text| text.value);
            let (label, description) = (text("label"), text("description"));
            let short_label = if has_short { text("short_label") } else { None };
            section.end();
            Wording { label, short_label, description }
        }
    }
}

fn text_alone(entry: Entry<'_, '_>) -> Option<String> {
    match entry {
        Entry::Text(text) => Some(text.value),
        Entry::Section(section) => {
            section.report.add(section.span, &section.path, "must be a text in quotes, not a table");
            None
        }
    }
}

fn actions(section: Option<Section<'_, '_>>, of: &Of<'_>) -> HashMap<String, Wording> {
    let report = section.as_ref().map(|section| section.report);
    let Some(catalog) = of.catalog else { return HashMap::new() };
    let known = catalog.actions.iter().map(|action| action.name.as_str()).chain(OWN.map(|(name, _)| name));
    let known: Vec<_> = known.collect();
    let read = named(section, "no action of the catalog", &known, |_, entry| Some(wording(entry, false)));
    let own: Vec<_> = catalog.actions.iter().map(|action| (action.name.as_str(), action.label.as_str())).collect();
    told_apart(report, &read, &own, "an action");
    read.into_iter().map(|(name, words)| (name.value, words)).collect()
}

fn categories(section: Option<Section<'_, '_>>, of: &Of<'_>) -> HashMap<String, Wording> {
    let report = section.as_ref().map(|section| section.report);
    let Some(catalog) = of.catalog else { return HashMap::new() };
    let known: Vec<_> = catalog.categories.iter().map(|category| category.code.as_str()).collect();
    let read = named(section, "the code of no category", &known, |_, entry| Some(wording(entry, true)));
    let own: Vec<_> = catalog.categories.iter().map(|one| (one.code.as_str(), one.label.as_str())).collect();
    told_apart(report, &read, &own, "a category");
    read.into_iter().map(|(code, words)| (code.value, words)).collect()
}

/// Readers choose by label: two with one could not be told apart, in any language.
fn told_apart(report: Option<&Report<'_>>, read: &[(At<String>, Wording)], own: &[(&str, &str)], what: &str) {
    let Some(report) = report else { return };
    let label_of =
        |name: &str| read.iter().find(|(known, _)| known.value == name).and_then(|(_, words)| words.label.as_deref());
    for (place, (name, words)) in read.iter().enumerate() {
        let Some(label) = words.label.as_deref() else { continue };
        let above = read[..place].iter().any(|(_, other)| other.label.as_deref() == Some(label));
        // What has no words of its own here is called as in the file.
        let in_file = own.iter().any(|(other, own)| *other != name.value && *own == label && label_of(other).is_none());
        if above || in_file {
            report.add(name.span, &name.key, format!("{label:?} is the label of {what} already"));
        }
    }
}

/// Of the words that files have for kinds, those that this file has, each with what it means.
fn kinds<T: Copy>(all: &[(&'static str, T)], is_there: impl Fn(T) -> bool) -> Vec<(&'static str, T)> {
    all.iter().copied().filter(|(_, kind)| is_there(*kind)).collect()
}

/// Words for kinds of the file.
fn named_kinds<T: Copy + Eq + Hash, W>(
    section: Option<Section<'_, '_>>,
    what: &str,
    kinds: &[(&str, T)],
    mut read: impl FnMut(Option<T>, Entry<'_, '_>) -> Option<W>,
) -> HashMap<T, W> {
    let known: Vec<_> = kinds.iter().map(|(name, _)| *name).collect();
    let kind = |name: &str| kinds.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind);
    let found = named(section, what, &known, |name, entry| read(kind(&name.value), entry));
    found.into_iter().filter_map(|(name, words)| Some((kind(&name.value)?, words))).collect()
}

fn columns(section: Option<Section<'_, '_>>, of: &Of<'_>) -> HashMap<ColumnKind, String> {
    let Some(viewer) = of.viewer else { return HashMap::new() };
    let kinds = kinds(&viewer::COLUMNS, |kind| viewer.columns.iter().any(|column| column.kind == kind));
    named_kinds(section, "the kind of no column", &kinds, |_, entry| text_alone(entry))
}

fn filters(section: Option<Section<'_, '_>>, of: &Of<'_>) -> HashMap<FilterKind, FilterWording> {
    let Some(viewer) = of.viewer else { return HashMap::new() };
    let kinds = kinds(&viewer::FILTERS, |kind| viewer.filters.iter().any(|filter| filter.kind == kind));
    named_kinds(section, "the kind of no filter", &kinds, |kind, entry| {
        Some(match entry {
            Entry::Text(label) => FilterWording { label: Some(label.value), ..FilterWording::default() },
            Entry::Section(mut section) => {
                let words = viewer::filter_words(&mut section, kind);
                section.end();
                words
            }
        })
    })
}

fn levels(section: Option<Section<'_, '_>>, of: &Of<'_>) -> HashMap<String, String> {
    let known: Vec<_> = of.levels.iter().map(|level| level.name.as_str()).collect();
    let read = named(section, "no level", &known, |_, entry| text_alone(entry));
    read.into_iter().map(|(name, text)| (name.value, text)).collect()
}

fn actor_labels(section: Option<Section<'_, '_>>, of: &Of<'_>) -> HashMap<ActorKind, String> {
    let taken = of.catalog.map(|catalog| catalog.actor_kinds.as_slice()).unwrap_or_default();
    let kinds = kinds(&ACTOR_KINDS, |kind| taken.is_empty() || taken.contains(&kind));
    named_kinds(section, "no kind of actor of the file", &kinds, |_, entry| text_alone(entry))
}
