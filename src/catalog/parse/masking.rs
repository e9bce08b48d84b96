//! What of a product's events is masked.

use crate::{
    catalog::section::Section,
    event::masking::{Addresses, Masking, NAMES, normal},
};

const ADDRESSES: [(&str, Addresses); 3] =
    [("keep", Addresses::Keep), ("shorten", Addresses::Shorten), ("omit", Addresses::Omit)];

/// Reads `[masking]`.
pub(super) fn masking(mut section: Section<'_, '_>) -> Masking {
    let mut names = |key: &'static str| {
        let names = section.texts_if_any(key);
        for name in names.iter().flatten().filter(|name| normal(&name.value).is_empty()) {
            section.report.add(name.span, &name.key, "must have a letter or a digit");
        }
        names.map(|names| names.into_iter().map(|name| name.value).collect::<Vec<_>>())
    };
    let (keys, also, never) = (names("keys"), names("also"), names("never"));
    let addresses = section.choice_if_any("ip_address", &ADDRESSES).map(|choice| choice.value);
    if keys.is_some() && also.is_some() {
        section.report.add(
            section.span,
            section.key("also"),
            "adds to the usual keys, in whose place keys stands already",
        );
    }
    section.end();
    let keys = keys.unwrap_or_else(|| NAMES.map(str::to_owned).to_vec());
    let names = keys.iter().chain(also.iter().flatten()).map(String::as_str);
    Masking::new(names, never.iter().flatten().map(String::as_str), addresses.unwrap_or_default())
}
