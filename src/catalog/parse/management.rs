//! Who manages a product's logs, and what.

use crate::catalog::{
    AccessRules, Category, Feature, Management,
    management::KEY_PREFIX,
    section::{At, Section},
};

const FEATURES: [(&str, Feature); 9] = [
    (Feature::Tokens.as_str(), Feature::Tokens),
    (Feature::Exports.as_str(), Feature::Exports),
    (Feature::Endpoints.as_str(), Feature::Endpoints),
    (Feature::Rules.as_str(), Feature::Rules),
    (Feature::Retention.as_str(), Feature::Retention),
    (Feature::Holds.as_str(), Feature::Holds),
    (Feature::Erasure.as_str(), Feature::Erasure),
    (Feature::Views.as_str(), Feature::Views),
    (Feature::OrganizationEnd.as_str(), Feature::OrganizationEnd),
];
/// Characters of a beginning of keys, at most.
const PREFIX_CHARS: usize = 32;

/// Reads `[management]`, which refers to the categories and to who may read.
pub(super) fn management(
    mut section: Section<'_, '_>,
    categories: &[Category],
    access: Option<&AccessRules>,
) -> Management {
    let category = section.text_if_any("category");
    if let Some(category) = category.as_ref().filter(|each| !categories.iter().any(|known| known.code == each.value)) {
        section.report.add(category.span, &category.key, format!("{:?} is the code of no category", category.value));
    }
    let names = |list: Option<Vec<At<String>>>, of_readers: fn(&AccessRules) -> &Vec<String>| match list {
        Some(list) => list.into_iter().map(|each| each.value).collect(),
        None => access.map(of_readers).cloned().unwrap_or_default(),
    };
    let roles = names(section.texts_if_any("roles"), |access| &access.roles);
    let plans = names(section.texts_if_any("plans"), |access| &access.plans);
    let features = match section.choices_if_any("features", &FEATURES) {
        Some(chosen) => {
            if chosen.is_empty() {
                let fault = "must name what can be managed, or be left out; without the section nothing can be";
                section.report.add(section.span, section.key("features"), fault);
            }
            chosen.into_iter().map(|each| each.value).collect()
        }
        // What cannot be undone is there only where a file names it.
        None => Feature::ALL.into_iter().filter(|feature| *feature != Feature::OrganizationEnd).collect(),
    };
    let key_prefix = section.text_if_any("key_prefix");
    if let Some((prefix, fault)) = key_prefix.as_ref().and_then(|at| Some((at, fault_of_prefix(&at.value)?))) {
        section.report.add(prefix.span, &prefix.key, fault);
    }
    section.end();
    Management {
        category: category.map(|category| category.value),
        roles,
        plans,
        features,
        key_prefix: key_prefix.map_or_else(|| KEY_PREFIX.to_owned(), |prefix| prefix.value),
    }
}

/// A key is told from other tokens by how it begins: no JWT has an underscore before its first dot by accident alone, so
/// the last character is one.
fn fault_of_prefix(prefix: &str) -> Option<String> {
    let is_plain = prefix.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if is_plain && prefix.ends_with('_') && prefix.len() >= 3 && prefix.len() <= PREFIX_CHARS {
        return None;
    }
    Some(format!(
        "must be 3 to {PREFIX_CHARS} lower-case letters, digits and _, with a _ at the end, such as \"ck_live_\", not {prefix:?}"
    ))
}
