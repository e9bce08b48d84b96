//! A JSON text as a tree of its own pieces: what is not changed stays as it is spelled.

use std::{borrow::Cow, collections::HashMap};

use super::{
    Seen, decode, number_survives,
    pieces::{in_brackets, plain_length, push_index, push_key, string_length},
};

/// A value of a JSON text.
#[derive(Clone, Debug)]
pub enum Tree<'t> {
    /// An object: keys and strings are tokens, quotes included.
    Object(Vec<(&'t str, Tree<'t>)>),
    /// An array.
    List(Vec<Tree<'t>>),
    /// A string token, quotes included.
    String(Cow<'t, str>),
    /// A number, `true`, `false` or `null`, as spelled.
    Plain(&'t str),
    /// An object or an array below the deepest level that was asked for, as spelled.
    Deep(&'t str),
}

impl<'t> Tree<'t> {
    /// Reads a text down to a level; the outermost brackets are level 1. The text MUST have passed a JSON parser:
    /// nothing is checked here.
    #[must_use]
    pub fn read(text: &'t str, levels: usize) -> Self {
        Reader { text, at: 0 }.value(levels)
    }

    /// The text, without blanks between its pieces.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::with_capacity(self.length());
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Object(members) => {
                out.push('{');
                for (place, (key, value)) in members.iter().enumerate() {
                    if place > 0 {
                        out.push(',');
                    }
                    out.push_str(key);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
            Self::List(items) => {
                out.push('[');
                for (place, item) in items.iter().enumerate() {
                    if place > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Self::String(token) => out.push_str(token),
            Self::Plain(text) | Self::Deep(text) => out.push_str(text),
        }
    }

    /// Bytes of the text.
    #[must_use]
    pub fn length(&self) -> usize {
        let list = |pieces: usize, inside: usize| 2 + pieces.saturating_sub(1) + inside;
        match self {
            Self::Object(members) => {
                list(members.len(), members.iter().map(|(key, value)| key.len() + 1 + value.length()).sum())
            }
            Self::List(items) => list(items.len(), items.iter().map(Self::length).sum()),
            Self::String(token) => token.len(),
            Self::Plain(text) | Self::Deep(text) => text.len(),
        }
    }

    /// Visits every value that holds no other, with the path of keys and indexes that leads to it.
    pub fn each_leaf(&mut self, visit: &mut dyn FnMut(&str, &mut Self)) {
        self.leaves(&mut String::new(), visit);
    }

    fn leaves(&mut self, path: &mut String, visit: &mut dyn FnMut(&str, &mut Self)) {
        let outer = path.len();
        match self {
            Self::Object(members) => {
                for (key, value) in members {
                    push_key(path, &decode(key).text);
                    value.leaves(path, visit);
                    path.truncate(outer);
                }
            }
            Self::List(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    push_index(path, index);
                    item.leaves(path, visit);
                    path.truncate(outer);
                }
            }
            leaf => visit(path, leaf),
        }
    }

    /// Visits every key, and every string, number, `true` and `false`, each with its path, as [`super::texts`] tells them.
    pub fn each_text(&self, visit: &mut dyn FnMut(&str, Seen<'_>)) {
        self.texts(&mut String::new(), visit);
    }

    fn texts(&self, path: &mut String, visit: &mut dyn FnMut(&str, Seen<'_>)) {
        let outer = path.len();
        match self {
            Self::Object(members) => {
                for (key, value) in members {
                    let key = decode(key);
                    push_key(path, &key.text);
                    visit(path, Seen::Key(&key.text));
                    value.texts(path, visit);
                    path.truncate(outer);
                }
            }
            Self::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    push_index(path, index);
                    item.texts(path, visit);
                    path.truncate(outer);
                }
            }
            Self::String(token) => visit(path, Seen::Value(&decode(token).text)),
            Self::Plain("null") | Self::Deep(_) => {}
            Self::Plain(text) => visit(path, Seen::Value(text)),
        }
    }

    /// The value as any JSON library reads it. What no text can hold is U+FFFD; a key that is then read like one before
    /// it has ` (2)`, ` (3)`, … at its end; a number beyond every double is a string.
    #[must_use]
    pub fn shown(&self) -> serde_json::Value {
        use serde_json::Value;
        match self {
            Self::Object(members) => {
                let mut object = serde_json::Map::with_capacity(members.len());
                let mut names = Names::default();
                for (key, value) in members {
                    let key = names.free(decode(key).text.into_owned(), |name| object.contains_key(name));
                    object.insert(key, value.shown());
                }
                Value::Object(object)
            }
            Self::List(items) => Value::Array(items.iter().map(Self::shown).collect()),
            Self::String(token) => Value::String(decode(token).text.into_owned()),
            Self::Plain(text) => serde_json::from_str(text).unwrap_or_else(|_| Value::String((*text).to_owned())),
            Self::Deep(text) => Value::String((*text).to_owned()),
        }
    }

    /// Whether it is a number that a JSON library would change by reading it.
    #[must_use]
    pub fn is_changed_number(&self) -> bool {
        matches!(self, Self::Plain(text) if !matches!(*text, "true" | "false" | "null") && !number_survives(text))
    }
}

/// Names of an object's keys that are spelled differently and read alike.
#[derive(Default)]
pub struct Names {
    /// How often a name was given: there may be thousands that are read alike.
    given: HashMap<String, usize>,
}

impl Names {
    /// The name itself or, where that is taken, with ` (2)`, ` (3)`, … at its end.
    pub fn free(&mut self, name: String, is_taken: impl Fn(&str) -> bool) -> String {
        if !is_taken(&name) {
            return name;
        }
        let times = self.given.entry(name.clone()).or_insert(1);
        loop {
            *times += 1;
            let next = format!("{name} ({times})");
            if !is_taken(&next) {
                return next;
            }
        }
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn peek(&mut self) -> u8 {
        let bytes = self.text.as_bytes();
        while self.at < bytes.len() && bytes[self.at].is_ascii_whitespace() {
            self.at += 1;
        }
        bytes.get(self.at).copied().unwrap_or(0)
    }

    fn take(&mut self, length: usize) -> &'t str {
        let piece = &self.text[self.at..self.at + length];
        self.at += length;
        piece
    }

    fn value(&mut self, levels: usize) -> Tree<'t> {
        match self.peek() {
            b'{' | b'[' if levels == 0 => {
                let length = in_brackets(&self.text[self.at..]);
                Tree::Deep(self.take(length))
            }
            b'{' => {
                self.at += 1;
                let mut members = Vec::new();
                while self.peek() != b'}' {
                    let length = string_length(&self.text[self.at..]);
                    let key = self.take(length);
                    self.peek();
                    self.at += 1; // the colon
                    members.push((key, self.value(levels - 1)));
                    self.comma();
                }
                self.at += 1;
                Tree::Object(members)
            }
            b'[' => {
                self.at += 1;
                let mut items = Vec::new();
                while self.peek() != b']' {
                    items.push(self.value(levels - 1));
                    self.comma();
                }
                self.at += 1;
                Tree::List(items)
            }
            b'"' => {
                let length = string_length(&self.text[self.at..]);
                Tree::String(Cow::Borrowed(self.take(length)))
            }
            _ => {
                let length = plain_length(&self.text[self.at..]);
                Tree::Plain(self.take(length))
            }
        }
    }

    fn comma(&mut self) {
        if self.peek() == b',' {
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Tree;

    #[test]
    fn a_tree_is_its_text_without_blanks_down_to_any_level() {
        let text = r#" {"a" : [1.50, {"b\u00e9":"x\"y]"}], "c":{} , "d" : [ ] ,"e":[[ "}" ]], "n":null } "#;
        for levels in 1..5 {
            let tree = Tree::read(text, levels);
            assert_eq!(tree.text().len(), tree.length(), "{levels}");
            let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
            assert_eq!(read(&tree.text()), read(text), "{levels}");
        }
        assert_eq!(
            Tree::read(text, 9).text(),
            r#"{"a":[1.50,{"b\u00e9":"x\"y]"}],"c":{},"d":[],"e":[["}"]],"n":null}"#
        );
        let mut leaves = Vec::new();
        Tree::read(text, 2).each_leaf(&mut |path, leaf| leaves.push(format!("{path} {}", leaf.text())));
        assert_eq!(leaves, ["a[0] 1.50", r#"a[1] {"b\u00e9":"x\"y]"}"#, r#"e[0] [ "}" ]"#, "n null"]);
    }

    #[test]
    fn what_is_shown_is_json_with_the_replacements_visible() {
        let text =
            r#"{"é1e999\"":[1e400,-1E999 ,2.50,"1e999"],"\ud83d":1,"\ud83e":2,"\u0000":3,"\ufffd":"cut \ud83d"}"#;
        let r = '\u{fffd}';
        assert_eq!(
            Tree::read(text, 9).shown(),
            serde_json::json!({ "é1e999\"": ["1e400", "-1E999", 2.50, "1e999"], format!("{r}"): 1, format!("{r} (2)"): 2,
                format!("{r} (3)"): 3, format!("{r} (4)"): format!("cut {r}") })
        );
    }
}
