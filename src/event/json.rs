//! Reading JSON text without losing what a JSON library drops: number spelling and duplicate keys.

use std::{borrow::Cow, collections::HashSet, fmt::Write};

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
    /// An object that names a key twice.
    DuplicateKey(&'a str),
    /// An object or array opens at this depth (the outermost is 1).
    Opens(usize),
    /// A key of an object, decoded.
    Key(&'a str, &'a str),
}

/// How deep brackets nest in a JSON text, strings left aside. Unlike [`walk`] it needs no stack.
#[must_use]
pub fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Walks a text that is valid JSON, in order. The text MUST have passed a JSON parser, and not nest so deep that a
/// recursive walk overflows the stack: nothing is checked here.
pub fn walk(text: &str, visit: &mut dyn FnMut(Found<'_>)) {
    let mut walker = Walker { text, at: 0, path: String::new(), depth: 0, visit };
    walker.value();
}

struct Walker<'t, 'v> {
    text: &'t str,
    at: usize,
    path: String,
    depth: usize,
    visit: &'v mut dyn FnMut(Found<'_>),
}

/// Keys of an object; most have few, for which a set costs more than it saves.
#[derive(Default)]
struct Keys<'t> {
    few: Vec<Cow<'t, str>>,
    many: HashSet<Cow<'t, str>>,
}

impl<'t> Keys<'t> {
    const FEW: usize = 16;

    /// Whether the key is new.
    fn insert(&mut self, key: Cow<'t, str>) -> bool {
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
    fn string(&mut self) -> Cow<'t, str> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut escaped = false;
        self.at += 1;
        while bytes[self.at] != b'"' {
            let escape = bytes[self.at] == b'\\';
            escaped |= escape;
            self.at += if escape { 2 } else { 1 };
        }
        self.at += 1;
        if escaped {
            return Cow::Owned(serde_json::from_str(&self.text[start..self.at]).unwrap_or_default());
        }
        Cow::Borrowed(&self.text[start + 1..self.at - 1])
    }

    fn value(&mut self) {
        match self.peek() {
            b'{' => self.object(),
            b'[' => self.array(),
            b'"' => {
                let text = self.string();
                (self.visit)(Found::Leaf(&self.path, Leaf::String(text)));
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
        self.open();
        let outer = self.path.len();
        let mut keys = Keys::default();
        while self.peek() != b'}' {
            let key = self.string();
            if outer > 0 {
                self.path.push('.');
            }
            self.path.push_str(&key);
            (self.visit)(Found::Key(&self.path, &key));
            if !keys.insert(key) {
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
        self.close();
    }

    fn array(&mut self) {
        self.open();
        let outer = self.path.len();
        let mut index = 0;
        while self.peek() != b']' {
            let _ = write!(self.path, "[{index}]");
            self.value();
            self.path.truncate(outer);
            index += 1;
            if self.peek() == b',' {
                self.at += 1;
            }
        }
        self.close();
    }

    fn open(&mut self) {
        self.at += 1;
        self.depth += 1;
        (self.visit)(Found::Opens(self.depth));
    }

    fn close(&mut self) {
        self.at += 1;
        self.depth -= 1;
    }
}

/// A valid JSON text with every number beyond the range of doubles as a string, so that any library reads it.
#[must_use]
pub fn readable(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let (mut in_string, mut escaped, mut at) = (false, false, 0);
    let bytes = text.as_bytes();
    while at < bytes.len() {
        let byte = bytes[at];
        if !in_string && (byte == b'-' || byte.is_ascii_digit()) {
            let rest = &text[at..];
            let number = &rest[..rest.find([',', '}', ']', ' ', '\t', '\n', '\r']).unwrap_or(rest.len())];
            let fits = serde_json::from_str::<serde_json::Number>(number).is_ok();
            let quote = if fits { "" } else { "\"" };
            out.extend([quote, number, quote]);
            at += number.len();
            continue;
        }
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ => {}
        }
        let next = (at + 1..=bytes.len()).find(|&end| text.is_char_boundary(end)).unwrap_or(bytes.len());
        out.push_str(&text[at..next]);
        at = next;
    }
    out
}

/// A valid JSON text as a JSON library would write it after reading it, where that can be told without reading:
/// `None` if there are escapes, or numbers that are no plain integers. Keys MUST be there once in their object.
#[must_use]
pub fn compact(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let (mut in_string, mut digits) = (false, 0);
    for byte in text.bytes() {
        match byte {
            b'\\' => return None,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b' ' | b'\t' | b'\n' | b'\r' => continue,
            // Above 15 digits a number may be beyond 64 bits; a minus may be that of `-0`, which becomes `-0.0`.
            b'-' | b'.' | b'E' | b'+' => return None,
            b'0'..=b'9' if digits == 15 => return None,
            b'0'..=b'9' => digits += 1,
            b'e' if digits > 0 => return None,
            _ => digits = 0,
        }
        out.push(byte);
    }
    String::from_utf8(out).ok()
}

/// Whether a number, as spelled, has the same value after a JSON library read and wrote it
/// (64-bit integers or IEEE 754 doubles).
#[must_use]
pub fn number_survives(spelled: &str) -> bool {
    // Most numbers: whole, and below 2^63.
    if spelled.len() <= 18 && spelled.bytes().all(|byte| byte.is_ascii_digit()) {
        return true;
    }
    match serde_json::from_str::<serde_json::Number>(spelled) {
        Ok(read) => decimal(spelled) == decimal(&read.to_string()),
        Err(_) => false,
    }
}

/// A decimal in one form: negative, significant digits, exponent of the last digit.
fn decimal(spelled: &str) -> (bool, String, i64) {
    let (negative, rest) = spelled.strip_prefix('-').map_or((false, spelled), |r| (true, r));
    let (mantissa, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let mut exponent = exponent.trim_start_matches('+').parse::<i64>().unwrap_or(i64::MAX / 2) - fraction.len() as i64;
    let significant = digits.trim_start_matches('0');
    let kept = significant.trim_end_matches('0');
    exponent += (significant.len() - kept.len()) as i64;
    if kept.is_empty() { (false, String::new(), 0) } else { (negative, kept.to_owned(), exponent) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_leaf_key_and_twin_is_seen() {
        let text = r#" {"a": [1.50, {"b\u00e9":"x\"y"}], "c":{}, "c":[], "d" : true , "n":null} "#;
        serde_json::from_str::<serde_json::Value>(text).unwrap();
        let (mut leaves, mut twins, mut deepest) = (Vec::new(), Vec::new(), 0);
        walk(text, &mut |found| match found {
            Found::Leaf(path, leaf) => leaves.push((path.to_owned(), format!("{leaf:?}"))),
            Found::DuplicateKey(path) => twins.push(path.to_owned()),
            Found::Opens(depth) => deepest = deepest.max(depth),
            Found::Key(..) => {}
        });
        assert_eq!(
            leaves,
            [
                ("a[0]", Leaf::Number("1.50")),
                ("a[1].bé", Leaf::String("x\"y".into())),
                ("d", Leaf::Bool(true)),
                ("n", Leaf::Null),
            ]
            .map(|(path, leaf)| (path.to_owned(), format!("{leaf:?}")))
        );
        assert_eq!((twins, deepest), (vec!["c".to_owned()], 3));
        assert_eq!((depth(text), depth("[\"[[\\\"[\",[]]"), depth("1")), (3, 2, 0));
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

    #[test]
    fn numbers_beyond_doubles_become_strings_and_nothing_else_does() {
        assert_eq!(
            readable(r#"{"é1e999\"":[1e400,-1E999 ,2.50,"1e999"]}"#),
            r#"{"é1e999\"":["1e400","-1E999" ,2.50,"1e999"]}"#
        );
    }

    #[test]
    fn what_is_made_compact_is_what_a_library_writes() {
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap().to_string();
        for text in [
            "{}",
            " { \"a e-1 \" : [ 1 , 0,\t{}, [ ]\n], \"\u{7f}é\u{2028}\": true, \"c\": false,\"d\":null, \"n\": 123456789012345 } ",
            "[12345678,123456789,\"1234567890123456789\"]",
        ] {
            assert_eq!(compact(text), Some(read(text)), "{text}");
        }
        for left in ["[-1]", "[-0]", "[1.50]", "[1e2]", "[1E2]", "[1234567890123456]", r#"["\/"]"#, r#"{"\u00e9":1}"#] {
            assert_eq!(compact(left), None, "{left}");
        }
    }

    #[test]
    fn numbers_that_json_would_change_are_told_from_those_it_only_respells() {
        for kept in ["0", "-0", "1.50", "1e2", "9223372036854775807", "18446744073709551615", "0.1", "1E-7", "-12.000"]
        {
            assert!(number_survives(kept), "{kept}");
        }
        for changed in
            ["18446744073709551616", "0.1000000000000000055", "1e999", "12345678901234567890123", "9007199254740993.0"]
        {
            assert!(!number_survives(changed), "{changed}");
        }
    }
}
