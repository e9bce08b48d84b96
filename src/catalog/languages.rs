//! A product in other languages: the same one, with other labels.

use std::{collections::HashMap, sync::Arc};

use super::{ColumnKind, FilterKind, Labels, Product, actions::Spoken};
use crate::event::ActorKind;

/// The language of labels, where a file does not say.
pub(super) const USUAL: &str = "en";

/// What a product, and what it has, is called in a language. What is absent is called as in the file's own.
#[derive(Clone, Debug, Default)]
pub(super) struct Translation {
    pub tag: String,
    pub label: Option<String>,
    pub title: Option<String>,
    pub plan_title: Option<String>,
    pub actions: HashMap<String, Wording>,
    pub categories: HashMap<String, Wording>,
    pub columns: HashMap<ColumnKind, String>,
    pub filters: HashMap<FilterKind, FilterWording>,
    pub levels: HashMap<String, String>,
    pub actor_labels: HashMap<ActorKind, String>,
    pub role_labels: Labels,
    pub plan_labels: Labels,
}

/// The words of an action or a category.
#[derive(Clone, Debug, Default)]
pub(super) struct Wording {
    pub label: Option<String>,
    pub short_label: Option<String>,
    pub description: Option<String>,
}

/// The words of a filter.
#[derive(Clone, Debug, Default)]
pub(super) struct FilterWording {
    pub label: Option<String>,
    pub all_label: Option<String>,
    pub hint: Option<String>,
}

/// Whether a text is a language tag of BCP 47 in its usual parts: language, script, region, variants (RFC 5646, 2.1).
pub(super) fn is_tag(text: &str) -> bool {
    let mut parts = text.split('-').peekable();
    let letters = |part: &str, sizes: std::ops::RangeInclusive<usize>| {
        sizes.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphabetic())
    };
    if !parts.next().is_some_and(|language| letters(language, 2..=3)) {
        return false;
    }
    parts.next_if(|part| letters(part, 4..=4));
    parts.next_if(|part| letters(part, 2..=2) || (part.len() == 3 && part.bytes().all(|b| b.is_ascii_digit())));
    parts.all(|part| {
        let is_long = (5..=8).contains(&part.len()) || (part.len() == 4 && part.as_bytes()[0].is_ascii_digit());
        is_long && part.bytes().all(|b| b.is_ascii_alphanumeric())
    })
}

impl Product {
    /// The product as it is shown to whoever wants one of these languages, the likest first: in the first that it has, by
    /// the lookup of RFC 4647 (3.4), which takes `de` for `de-CH`; else as its file has it.
    #[must_use]
    pub fn spoken<'a>(self: &Arc<Self>, wanted: impl IntoIterator<Item = &'a str>) -> Arc<Self> {
        for range in wanted {
            let mut range = range;
            loop {
                if range == "*" || range.eq_ignore_ascii_case(&self.language) {
                    return self.clone();
                }
                if let Some((_, spoken)) = self.languages.iter().find(|(tag, _)| tag.eq_ignore_ascii_case(range)) {
                    return spoken.clone();
                }
                let Some((shorter, _)) = range.rsplit_once('-') else { break };
                // A single letter begins an extension, and says nothing without it.
                range = match shorter.rsplit_once('-') {
                    Some((before, single)) if single.len() == 1 => before,
                    _ => shorter,
                };
            }
        }
        self.clone()
    }

    /// The product as its file has it: what is recorded says the same, whoever's request it comes by.
    #[must_use]
    pub fn as_written(&self) -> &Self {
        self.written.as_deref().unwrap_or(self)
    }

    /// Adds the languages of its file.
    pub(super) fn with(mut self, translations: &[Translation]) -> Self {
        if translations.is_empty() {
            return self;
        }
        self.catalog.spoken = self.spoken_labels(translations);
        let written = Arc::new(self.clone());
        self.languages = translations
            .iter()
            .map(|translation| (translation.tag.clone(), Arc::new(self.translated(translation, &written))))
            .collect();
        self
    }

    fn translated(&self, translation: &Translation, written: &Arc<Self>) -> Self {
        let mut product = self.clone();
        product.written = Some(written.clone());
        product.language.clone_from(&translation.tag);
        put(&mut product.label, translation.label.as_ref());
        put_if_any(&mut product.viewer.title, translation.title.as_ref());
        put_if_any(&mut product.viewer.plan_title, translation.plan_title.as_ref());
        for action in &mut product.catalog.actions {
            let Some(words) = translation.actions.get(&action.name) else { continue };
            put(&mut action.label, words.label.as_ref());
            put_if_any(&mut action.description, words.description.as_ref());
        }
        let own = translation.actions.iter().filter(|(name, _)| self.catalog.action(name).is_none());
        product.catalog.own_labels =
            own.filter_map(|(name, words)| Some((name.clone(), words.label.clone()?))).collect();
        for category in &mut product.catalog.categories {
            let Some(words) = translation.categories.get(&category.code) else { continue };
            // A badge in the words of another language would be no shorter name of this one.
            let short = words.short_label.as_ref().or(words.label.as_ref());
            put(&mut category.short_label, short);
            put(&mut category.label, words.label.as_ref());
            put_if_any(&mut category.description, words.description.as_ref());
        }
        for column in &mut product.viewer.columns {
            put(&mut column.label, translation.columns.get(&column.kind));
        }
        for filter in &mut product.viewer.filters {
            let Some(words) = translation.filters.get(&filter.kind) else { continue };
            put_if_any(&mut filter.label, words.label.as_ref());
            put_if_any(&mut filter.all_label, words.all_label.as_ref());
            put_if_any(&mut filter.hint, words.hint.as_ref());
        }
        for level in &mut product.levels {
            put(&mut level.label, translation.levels.get(&level.name));
        }
        product.actor_labels.extend(translation.actor_labels.clone());
        product.role_labels = translation.role_labels.over(&product.role_labels);
        product.plan_labels = translation.plan_labels.over(&product.plan_labels);
        product
    }

    fn spoken_labels(&self, translations: &[Translation]) -> Spoken {
        let pair = |name: &str, label: &str| (name.to_owned(), label.to_owned());
        let mut spoken = Spoken::default();
        spoken.actions.extend(self.catalog.actions.iter().map(|action| pair(&action.name, &action.label)));
        for category in &self.catalog.categories {
            spoken.categories.push(pair(&category.code, &category.label));
            spoken.categories.push(pair(&category.code, &category.short_label));
        }
        for translation in translations {
            for (name, words) in &translation.actions {
                spoken.actions.extend(words.label.as_deref().map(|label| pair(name, label)));
            }
            for (code, words) in &translation.categories {
                let labels = words.label.iter().chain(&words.short_label);
                spoken.categories.extend(labels.map(|label| pair(code, label)));
            }
        }
        spoken
    }
}

fn put(place: &mut String, text: Option<&String>) {
    if let Some(text) = text {
        place.clone_from(text);
    }
}

fn put_if_any(place: &mut Option<String>, text: Option<&String>) {
    if text.is_some() {
        *place = text.cloned();
    }
}
