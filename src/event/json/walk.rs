//! A walk over the pieces of a JSON text.

use std::{borrow::Cow, collections::HashSet};

use super::{
    decode,
    pieces::{push_index, push_key, string_length},
    string::Decoded,
};

/// A leaf value of a JSON text.
#[derive(Debug, PartialEq)]
pub enum Leaf<'a> {
    /// A string, decoded.
    String(Cow<'a, str>),
    /// A number, as spelled.
    Number(&'a str),
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
}

/// What the walk over a JSON text tells its visitor.
#[derive(Debug)]
pub enum Found<'a> {
    /// A leaf, with the path of keys and indexes that leads to it.
    Leaf(&'a str, Leaf<'a>),
    /// An object that names a key twice. Keys that are read alike but spelled differently are two.
    DuplicateKey(&'a str),
    /// A key, or the string that is told next, with characters that are replaced where it is read.
    Replaced(&'a str),
}

/// Walks a text that is valid JSON, in order. The text MUST have passed a JSON parser, and not nest so deep that a
/// recursive walk overflows the stack: nothing is checked here.
pub fn walk(text: &str, visit: &mut dyn FnMut(Found<'_>)) {
    let mut walker = Walker { text, at: 0, path: String::new(), visit };
    walker.value();
}

struct Walker<'t, 'v> {
    text: &'t str,
    at: usize,
    path: String,
    visit: &'v mut dyn FnMut(Found<'_>),
}

/// Keys of an object; most have few, for which a set costs more than it saves.
#[derive(Default)]
struct Keys<'t> {
    few: Vec<Cow<'t, [u8]>>,
    many: HashSet<Cow<'t, [u8]>>,
}

impl<'t> Keys<'t> {
    const FEW: usize = 16;

    /// Whether the key is new.
    fn insert(&mut self, key: Cow<'t, [u8]>) -> bool {
        if self.few.contains(&key) {
            return false;
        }
        if self.few.len() < Self::FEW {
            self.few.push(key);
            return true;
        }
        self.many.insert(key)
    }
}

impl<'t> Walker<'t, '_> {
    fn peek(&mut self) -> u8 {
        let bytes = self.text.as_bytes();
        while self.at < bytes.len() && bytes[self.at].is_ascii_whitespace() {
            self.at += 1;
        }
        bytes.get(self.at).copied().unwrap_or(0)
    }

    /// A string token, decoded.
    fn string(&mut self) -> Decoded<'t> {
        let start = self.at;
        self.at += string_length(&self.text[start..]);
        decode(&self.text[start..self.at])
    }

    fn value(&mut self) {
        match self.peek() {
            b'{' => self.object(),
            b'[' => self.array(),
            b'"' => {
                let read = self.string();
                if read.is_replaced() {
                    (self.visit)(Found::Replaced(&self.path));
                }
                (self.visit)(Found::Leaf(&self.path, Leaf::String(read.text)));
            }
            _ => {
                let rest = &self.text[self.at..];
                let end = rest.find([',', '}', ']', ' ', '\t', '\n', '\r']).unwrap_or(rest.len());
                self.at += end;
                let leaf = match &rest[..end] {
                    "true" => Leaf::Bool(true),
                    "false" => Leaf::Bool(false),
                    "null" => Leaf::Null,
                    number => Leaf::Number(number),
                };
                (self.visit)(Found::Leaf(&self.path, leaf));
            }
        }
    }

    fn object(&mut self) {
        self.at += 1;
        let outer = self.path.len();
        let mut keys = Keys::default();
        while self.peek() != b'}' {
            let key = self.string();
            push_key(&mut self.path, &key.text);
            if key.is_replaced() {
                (self.visit)(Found::Replaced(&self.path));
            }
            if !keys.insert(key.identity()) {
                (self.visit)(Found::DuplicateKey(&self.path));
            }
            self.peek();
            self.at += 1; // the colon
            self.value();
            self.path.truncate(outer);
            if self.peek() == b',' {
                self.at += 1;
                self.peek();
            }
        }
        self.at += 1;
    }

    fn array(&mut self) {
        self.at += 1;
        let outer = self.path.len();
        let mut index = 0;
        while self.peek() != b']' {
            push_index(&mut self.path, index);
            self.value();
            self.path.truncate(outer);
            index += 1;
            if self.peek() == b',' {
                self.at += 1;
            }
        }
        self.at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_leaf_key_and_twin_is_seen() {
        let text = r#" {"a": [1.50, {"b\u00e9":"x\"y"}], "c":{}, "c":[], "d" : true , "n":null, "\ud83d":{"\ud83e":"\u0000"}, "\uD83E":[]} "#;
        serde_json::from_str::<&serde_json::value::RawValue>(text).unwrap();
        let (mut leaves, mut twins, mut replaced) = (Vec::new(), Vec::new(), Vec::new());
        walk(text, &mut |found| match found {
            Found::Leaf(path, leaf) => leaves.push((path.to_owned(), format!("{leaf:?}"))),
            Found::DuplicateKey(path) => twins.push(path.to_owned()),
            Found::Replaced(path) => replaced.push(path.to_owned()),
        });
        assert_eq!(
            leaves,
            [
                ("a[0]", Leaf::Number("1.50")),
                ("a[1].bé", Leaf::String("x\"y".into())),
                ("d", Leaf::Bool(true)),
                ("n", Leaf::Null),
                ("\u{fffd}.\u{fffd}", Leaf::String("\u{fffd}".into())),
            ]
            .map(|(path, leaf)| (path.to_owned(), format!("{leaf:?}")))
        );
        assert_eq!(twins, ["c"]);
        assert_eq!(replaced, ["\u{fffd}", "\u{fffd}.\u{fffd}", "\u{fffd}.\u{fffd}", "\u{fffd}"]);
    }

    #[test]
    fn a_twin_is_seen_among_many_keys_and_however_it_is_spelled() {
        for twin in ["k0", "k15", "k16", "k29", "\\u006b29"] {
            let keys: String = (0..30).map(|i| format!(r#""k{i}":0,"#)).collect();
            let mut twins = 0;
            walk(&format!(r#"{{{keys}"{twin}":1}}"#), &mut |found| {
                twins += usize::from(matches!(found, Found::DuplicateKey(_)));
            });
            assert_eq!(twins, 1, "{twin}");
        }
    }
}
