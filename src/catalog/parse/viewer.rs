//! How a product file wants its log shown.

use crate::catalog::{
    ActionDisplay, ColumnKind, DateFilter, FilterKind, Paging, Viewer, ViewerColumn, ViewerFilter,
    languages::FilterWording,
    section::{At, Section},
};

pub(super) const COLUMNS: [(&str, ColumnKind); 9] = [
    ("TIME", ColumnKind::Time),
    ("ACTION", ColumnKind::Action),
    ("CATEGORY", ColumnKind::Category),
    ("ACTOR", ColumnKind::Actor),
    ("RESOURCE", ColumnKind::Resource),
    ("IP_ADDRESS", ColumnKind::IpAddress),
    ("OUTCOME", ColumnKind::Outcome),
    ("DETAILS", ColumnKind::Details),
    ("LOG", ColumnKind::Log),
];
pub(super) const FILTERS: [(&str, FilterKind); 12] = [
    ("SEARCH", FilterKind::Search),
    ("CATEGORY", FilterKind::Category),
    ("ACTION", FilterKind::Action),
    ("EMAIL", FilterKind::Email),
    ("OUTCOME", FilterKind::Outcome),
    ("ACTOR_KIND", FilterKind::ActorKind),
    ("ACTOR", FilterKind::Actor),
    ("RESOURCE_TYPE", FilterKind::ResourceType),
    ("RESOURCE_ID", FilterKind::ResourceId),
    ("RESOURCE_NAME", FilterKind::ResourceName),
    ("IP_ADDRESS", FilterKind::IpAddress),
    ("LOG", FilterKind::Log),
];
const PAGINGS: [(&str, Paging); 2] = [("PAGES", Paging::Pages), ("MORE", Paging::More)];
const DATE_FILTERS: [(&str, DateFilter); 4] = [
    ("RANGE", DateFilter::Range),
    ("PRESETS", DateFilter::Presets),
    ("BOTH", DateFilter::Both),
    ("NONE", DateFilter::None),
];
const ACTION_DISPLAYS: [(&str, ActionDisplay); 2] = [("LABEL", ActionDisplay::Label), ("NAME", ActionDisplay::Name)];

/// Reads the section, whose `plan_title` only a product with plans can have.
pub(super) fn viewer(mut section: Section<'_, '_>, has_plans: bool) -> Option<Viewer> {
    let title = section.text_if_any("title");
    let plan_title = section.text_if_any("plan_title");
    if let Some(title) = plan_title.as_ref().filter(|_| !has_plans) {
        section.report.add(title.span, &title.key, "needs plans in access");
    }
    let paging = section.choice("paging", &PAGINGS);
    let date_filter = section.choice("date_filter", &DATE_FILTERS);
    let action_display = section.choice("action_display", &ACTION_DISPLAYS);
    let columns = columns(&mut section);
    let filters = filters(&mut section);
    section.end();
    let text = |text: Option<At<String>>| text.map(|text| text.value);
    Some(Viewer {
        title: text(title),
        plan_title: text(plan_title),
        columns,
        paging: paging?.value,
        date_filter: date_filter?.value,
        filters,
        action_display: action_display?.value,
    })
}

fn columns(section: &mut Section<'_, '_>) -> Vec<ViewerColumn> {
    let mut columns: Vec<ViewerColumn> = Vec::new();
    let sections = section.sections("columns");
    if sections.is_empty() {
        section.report.add(section.span, section.key("columns"), "is missing: there must be a column");
    }
    for mut column in sections {
        let (kind, label) = (column.choice("kind", &COLUMNS), column.text("label"));
        let report = column.report;
        column.end();
        let (Some(kind), Some(label)) = (kind, label) else { continue };
        if columns.iter().any(|known| known.kind == kind.value) {
            report.add(kind.span, kind.key, "is the kind of a column above already");
        } else {
            columns.push(ViewerColumn { kind: kind.value, label: label.value });
        }
    }
    columns
}

/// The filters of the file; all of them, by the viewer's own names, where it says nothing.
fn filters(section: &mut Section<'_, '_>) -> Vec<ViewerFilter> {
    if !section.has("filters") {
        let plain = |kind| ViewerFilter { kind, label: None, all_label: None, hint: None };
        section.sections("filters");
        return FilterKind::ALL.map(plain).into();
    }
    let mut filters: Vec<ViewerFilter> = Vec::new();
    for mut filter in section.sections("filters") {
        let kind = filter.choice("kind", &FILTERS);
        let words = filter_words(&mut filter, kind.as_ref().map(|kind| kind.value));
        let report = filter.report;
        filter.end();
        let Some(kind) = kind else { continue };
        if filters.iter().any(|known| known.kind == kind.value) {
            report.add(kind.span, kind.key, "is the kind of a filter above already");
            continue;
        }
        let FilterWording { label, all_label, hint } = words;
        filters.push(ViewerFilter { kind: kind.value, label, all_label, hint });
    }
    filters
}

/// What a filter is called, as far as its kind has a place for it.
pub(super) fn filter_words(section: &mut Section<'_, '_>, kind: Option<FilterKind>) -> FilterWording {
    let [label, all_label, hint] = ["label", "all_label", "hint"].map(|name| section.text_if_any(name));
    if let (Some(all), Some(false)) = (&all_label, kind.map(FilterKind::is_choice)) {
        section.report.add(all.span, &all.key, "is for filters with a list to choose from");
    }
    if let (Some(hint), Some(false)) = (&hint, kind.map(FilterKind::is_typed)) {
        section.report.add(hint.span, &hint.key, "is for filters to type into: SEARCH and EMAIL");
    }
    let [label, all_label, hint] = [label, all_label, hint].map(|text| text.map(|text| text.value));
    FilterWording { label, all_label, hint }
}
