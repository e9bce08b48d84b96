//! Reading a TOML table key by key: what is missing, wrong or unknown is noted, and reading goes on.

use toml_span::{
    Span, Value,
    value::{Table, ValueInner},
};

use super::{actions::nearest, fault::Report};

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub value: T,
    pub span: Span,
    pub key: String,
}

/// What a table says under a key of the file's own.
pub(super) enum Entry<'r, 'de> {
    Text(At<String>),
    Section(Section<'r, 'de>),
}

/// A table that is being read. Every key that is asked for is known; [`Section::end`] notes all others.
pub(super) struct Section<'r, 'de> {
    pub report: &'r Report<'r>,
    pub path: String,
    pub span: Span,
    table: Table<'de>,
    known: Vec<&'static str>,
}

impl<'r, 'de> Section<'r, 'de> {
    pub fn new(report: &'r Report<'r>, path: String, value: &mut Value<'de>) -> Option<Self> {
        let span = value.span;
        match value.take() {
            ValueInner::Table(table) => Some(Self { report, path, span, table, known: Vec::new() }),
            other => {
                report.add(span, path, format!("must be a table, not {}", kind(&other)));
                None
            }
        }
    }

    /// The path of a key of this table.
    pub fn key(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// Whether a key is there and not yet read.
    pub fn has(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    fn take(&mut self, name: &'static str) -> Option<At<ValueInner<'de>>> {
        self.known.push(name);
        let mut value = self.table.remove(name)?;
        Some(At { value: value.take(), span: value.span, key: self.key(name) })
    }

    /// A value of one type; another type is noted.
    fn typed<T>(
        &mut self,
        name: &'static str,
        wanted: &str,
        read: impl FnOnce(ValueInner<'de>) -> Result<T, ValueInner<'de>>,
    ) -> Option<At<T>> {
        let At { value, span, key } = self.take(name)?;
        match read(value) {
            Ok(value) => Some(At { value, span, key }),
            Err(other) => {
                self.report.add(span, key, format!("must be {wanted}, not {}", kind(&other)));
                None
            }
        }
    }

    /// Notes that a key is missing, unless it is there (and wrong, which was noted).
    fn required<T>(&mut self, name: &'static str, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let there = self.has(name);
        let value = read(self);
        if !there {
            self.report.add(self.span, self.key(name), "is missing");
        }
        value
    }

    /// A text that may be left out; where it is given it must not be empty.
    pub fn text_if_any(&mut self, name: &'static str) -> Option<At<String>> {
        let text = self.typed(name, "a text in quotes", |value| match value {
            ValueInner::String(text) => Ok(text.into_owned()),
            other => Err(other),
        })?;
        if text.value.trim().is_empty() {
            self.report.add(text.span, text.key, "must not be empty");
            return None;
        }
        Some(text)
    }

    /// A text that must be there.
    pub fn text(&mut self, name: &'static str) -> Option<At<String>> {
        self.required(name, |section| section.text_if_any(name))
    }

    /// True or false; false where it is left out.
    pub fn flag(&mut self, name: &'static str) -> bool {
        self.flag_if_any(name).unwrap_or_default()
    }

    /// True or false that may be left out.
    pub fn flag_if_any(&mut self, name: &'static str) -> Option<bool> {
        let flag = self.typed(name, "true or false", |value| match value {
            ValueInner::Boolean(flag) => Ok(flag),
            other => Err(other),
        });
        flag.map(|flag| flag.value)
    }

    /// True or false that must be there.
    pub fn flag_given(&mut self, name: &'static str) -> bool {
        self.required(name, |section| Some(section.flag(name))).unwrap_or_default()
    }

    /// One of a few words.
    pub fn choice_if_any<T: Copy>(&mut self, name: &'static str, choices: &[(&'static str, T)]) -> Option<At<T>> {
        let At { value, span, key } = self.text_if_any(name)?;
        if let Some((_, choice)) = choices.iter().find(|(word, _)| *word == value) {
            return Some(At { value: *choice, span, key });
        }
        self.report.add(span, key, none_of(choices, &value));
        None
    }

    /// One of a few words that must be there.
    pub fn choice<T: Copy>(&mut self, name: &'static str, choices: &[(&'static str, T)]) -> Option<At<T>> {
        self.required(name, |section| section.choice_if_any(name, choices))
    }

    /// A list of texts, each once; `None` where it is left out.
    pub fn texts_if_any(&mut self, name: &'static str) -> Option<Vec<At<String>>> {
        let list = self.typed(name, "a list of texts", |value| match value {
            ValueInner::Array(list) => Ok(list),
            other => Err(other),
        })?;
        let mut texts: Vec<At<String>> = Vec::new();
        for (place, mut value) in list.value.into_iter().enumerate() {
            let (span, key) = (value.span, format!("{}[{place}]", list.key));
            match value.take() {
                ValueInner::String(text) if text.trim().is_empty() => self.report.add(span, key, "must not be empty"),
                ValueInner::String(text) if texts.iter().any(|known| known.value == text) => {
                    self.report.add(span, key, format!("{text:?} is in the list already"));
                }
                ValueInner::String(text) => texts.push(At { value: text.into_owned(), span, key }),
                other => self.report.add(span, key, format!("must be a text in quotes, not {}", kind(&other))),
            }
        }
        Some(texts)
    }

    /// A text, or a list of texts, each once; `None` where it is left out.
    pub fn one_or_more_if_any(&mut self, name: &'static str) -> Option<Vec<At<String>>> {
        match self.table.get(name).map(Value::as_ref) {
            Some(ValueInner::String(_)) => Some(self.text_if_any(name).into_iter().collect()),
            _ => self.texts_if_any(name),
        }
    }

    /// Whether a key holds a table.
    pub fn is_section(&self, name: &str) -> bool {
        matches!(self.table.get(name).map(Value::as_ref), Some(ValueInner::Table(_)))
    }

    /// The lists of texts, or single texts, of a table whose keys are the file's own, in the order of the file.
    pub fn lists(mut self) -> Vec<(String, Vec<At<String>>)> {
        let mut lists = Vec::new();
        for (name, mut value) in std::mem::take(&mut self.table) {
            let (key, at) = (self.key(&name.name), value.span);
            let mut texts = Vec::new();
            let items = match value.take() {
                ValueInner::Array(items) => items,
                one => vec![Value::with_span(one, at)],
            };
            for mut item in items {
                let span = item.span;
                match item.take() {
                    ValueInner::String(text) if !text.trim().is_empty() => {
                        texts.push(At { value: text.into_owned(), span, key: key.clone() });
                    }
                    ValueInner::String(_) => self.report.add(span, &key, "must not be empty"),
                    other => {
                        let fault = format!("must be a text in quotes or a list of them, not {}", kind(&other));
                        self.report.add(span, &key, fault);
                    }
                }
            }
            lists.push((at.start, (name.name.into_owned(), texts)));
        }
        lists.sort_by_key(|(start, _)| *start);
        lists.into_iter().map(|(_, list)| list).collect()
    }

    /// A list of words out of a few, each once; `None` where it is left out.
    pub fn choices_if_any<T: Copy>(&mut self, name: &'static str, choices: &[(&'static str, T)]) -> Option<Vec<At<T>>> {
        let chosen = self.texts_if_any(name)?.into_iter().filter_map(|At { value, span, key }| {
            let found = choices.iter().find(|(word, _)| *word == value);
            if found.is_none() {
                self.report.add(span, &key, none_of(choices, &value));
            }
            found.map(|(_, choice)| At { value: *choice, span, key })
        });
        Some(chosen.collect())
    }

    /// A table inside this one.
    pub fn section_if_any(&mut self, name: &'static str) -> Option<Section<'r, 'de>> {
        self.known.push(name);
        let path = self.key(name);
        let mut value = self.table.remove(name)?;
        Section::new(self.report, path, &mut value)
    }

    /// A table inside this one that must be there.
    pub fn section(&mut self, name: &'static str) -> Option<Section<'r, 'de>> {
        self.required(name, |section| section.section_if_any(name))
    }

    /// The tables of a list (`[[name]]`), none where it is left out.
    pub fn sections(&mut self, name: &'static str) -> Vec<Section<'r, 'de>> {
        let list = self.typed(name, "a list of tables", |value| match value {
            ValueInner::Array(list) => Ok(list),
            other => Err(other),
        });
        let Some(list) = list else { return Vec::new() };
        let read = |(place, mut value): (usize, Value<'de>)| {
            Section::new(self.report, format!("{}[{place}]", list.key), &mut value)
        };
        list.value.into_iter().enumerate().filter_map(read).collect()
    }

    /// The texts of a table whose keys are the file's own, in the order of the file.
    pub fn texts(mut self) -> Vec<(String, At<String>)> {
        let mut texts = Vec::new();
        for (name, mut value) in std::mem::take(&mut self.table) {
            let (key, span) = (self.key(&name.name), value.span);
            match value.take() {
                ValueInner::String(text) if !text.trim().is_empty() => {
                    texts.push((name.name.into_owned(), At { value: text.into_owned(), span, key }));
                }
                ValueInner::String(_) => self.report.add(span, key, "must not be empty"),
                other => self.report.add(span, key, format!("must be a text in quotes, not {}", kind(&other))),
            }
        }
        texts.sort_by_key(|(_, text)| text.span.start);
        texts
    }

    /// What a table says under keys of the file's own, a text or a table each, in the order of the file.
    pub fn entries(mut self) -> Vec<(At<String>, Entry<'r, 'de>)> {
        let mut entries = Vec::new();
        for (name, mut value) in std::mem::take(&mut self.table) {
            let (key, span) = (self.key(&name.name), value.span);
            let name = At { value: name.name.into_owned(), span: name.span, key: key.clone() };
            match value.take() {
                ValueInner::String(text) if !text.trim().is_empty() => {
                    entries.push((name, Entry::Text(At { value: text.into_owned(), span, key })));
                }
                ValueInner::Table(table) => {
                    let section = Section { report: self.report, path: key, span, table, known: Vec::new() };
                    entries.push((name, Entry::Section(section)));
                }
                ValueInner::String(_) => self.report.add(span, key, "must not be empty"),
                other => {
                    self.report.add(span, key, format!("must be a text in quotes or a table, not {}", kind(&other)));
                }
            }
        }
        entries.sort_by_key(|(name, _)| name.span.start);
        entries
    }

    /// Ends the reading of this table: a key that nothing asked for is a fault, most often a slip of the pen.
    pub fn end(self) {
        for key in self.table.keys() {
            let like = nearest(&key.name, self.known.iter().map(|name| (*name, *name)));
            let hint = like
                .first()
                .map_or_else(|| format!("known are {}", self.known.join(", ")), |name| format!("did you mean {name}?"));
            self.report.add(key.span, self.key(&key.name), format!("is no key of this table; {hint}"));
        }
    }
}

fn none_of<T>(choices: &[(&'static str, T)], value: &str) -> String {
    let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
    format!("must be one of {}, not {value:?}", words.join(", "))
}

fn kind(value: &ValueInner<'_>) -> &'static str {
    match value {
        ValueInner::String(_) => "a text",
        ValueInner::Integer(_) | ValueInner::Float(_) => "a number",
        ValueInner::Boolean(_) => "true or false",
        ValueInner::Array(_) => "a list",
        ValueInner::Table(_) => "a table",
    }
}
