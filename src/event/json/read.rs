//! One reading of a JSON text, which yields all that is asked of it: its values, its canonical form, and what is wrong.

use std::{borrow::Cow, cmp::Ordering};

use super::{
    canonical::{LEVELS, order, push_number, push_string},
    decode,
    pieces::{in_brackets, plain_length, push_index, push_key, string_length},
};

/// What a reading tells as it goes.
#[derive(Debug)]
pub enum Seen<'a> {
    /// A key of an object, decoded.
    Key(&'a str),
    /// A value: a string, decoded; a number, `true` or `false`, as spelled.
    Value(&'a str),
    /// The path of a string, or of a key, with characters that are replaced where it is read.
    Replaced(&'a str),
}

/// A place in a text, and its path of keys and indexes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Bytes before it.
    pub at: usize,
    /// The path.
    pub path: String,
}

/// What a reading comes to.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The text in the form of [`canonical`](super::canonical).
    pub canonical: String,
    /// How deep brackets nest, as far as the canonical form goes: what lies deeper is not looked into.
    pub depth: usize,
    /// The first string or key with characters that are replaced where it is read.
    pub replaced: Option<Place>,
    /// The first key that its object names again. Keys that are read alike but spelled differently are two.
    pub duplicate: Option<Place>,
}

/// Reads a text. It MUST have passed a JSON parser: nothing is checked here.
pub fn read(text: &str, visit: &mut dyn FnMut(Seen<'_>)) -> Reading {
    let canonical = String::with_capacity(text.len());
    let reading = Reading { canonical, depth: 0, replaced: None, duplicate: None };
    let mut reader = Reader { text, at: 0, steps: Vec::new(), reading, visit };
    reader.value();
    reader.reading
}

/// Visits every value of a text: strings, decoded, and numbers, `true` and `false`, as spelled. The text MUST have
/// passed a JSON parser. It needs no stack, and looks at nothing else.
pub fn values(text: &str, visit: &mut dyn FnMut(&str)) {
    texts(text, &mut |seen| {
        if let Seen::Value(value) = seen {
            visit(value);
        }
    });
}

/// The same with the keys of objects, decoded, in their order.
pub fn texts(text: &str, visit: &mut dyn FnMut(Seen<'_>)) {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\n', '\r', ',', ':', '{', '}', '[', ']']);
        if rest.is_empty() {
            return;
        }
        let is_string = rest.starts_with('"');
        let (token, after) = rest.split_at(if is_string { string_length(rest) } else { plain_length(rest) });
        rest = after;
        if !is_string {
            if token != "null" {
                visit(Seen::Value(token));
            }
        } else if rest.trim_start_matches([' ', '\t', '\n', '\r']).starts_with(':') {
            visit(Seen::Key(&decode(token).text));
        } else {
            visit(Seen::Value(&decode(token).text));
        }
    }
}

struct Reader<'t, 'v> {
    text: &'t str,
    at: usize,
    /// The way to where it is.
    steps: Vec<Step<'t>>,
    reading: Reading,
    visit: &'v mut dyn FnMut(Seen<'_>),
}

enum Step<'t> {
    Key(&'t str),
    Index(usize),
}

/// A member of an object, and where it stands in the canonical form.
struct Member<'t> {
    name: Cow<'t, [u8]>,
    token: &'t str,
    at: usize,
    from: usize,
    to: usize,
}

impl<'t> Reader<'t, '_> {
    fn peek(&mut self) -> u8 {
        let bytes = self.text.as_bytes();
        while self.at < bytes.len() && bytes[self.at].is_ascii_whitespace() {
            self.at += 1;
        }
        bytes.get(self.at).copied().unwrap_or(0)
    }

    fn take(&mut self, length: impl Fn(&str) -> usize) -> &'t str {
        let rest = &self.text[self.at..];
        let token = &rest[..length(rest)];
        self.at += token.len();
        token
    }

    fn comma(&mut self) {
        if self.peek() == b',' {
            self.at += 1;
        }
    }

    fn value(&mut self) {
        match self.peek() {
            b'{' | b'[' if self.steps.len() == LEVELS => {
                self.reading.depth = LEVELS + 1;
                let deep = self.take(in_brackets);
                self.reading.canonical.push_str(deep);
            }
            b'{' => self.object(),
            b'[' => self.array(),
            b'"' => {
                let at = self.at;
                let token = self.take(string_length);
                let read = decode(token);
                if read.is_replaced() {
                    self.replaced(at);
                }
                (self.visit)(Seen::Value(&read.text));
                push_token(&mut self.reading.canonical, token, &read.identity());
            }
            _ => match self.take(plain_length) {
                "null" => self.reading.canonical.push_str("null"),
                literal @ ("true" | "false") => {
                    (self.visit)(Seen::Value(literal));
                    self.reading.canonical.push_str(literal);
                }
                number => {
                    (self.visit)(Seen::Value(number));
                    push_number(&mut self.reading.canonical, number);
                }
            },
        }
    }

    fn object(&mut self) {
        self.at += 1;
        self.reading.depth = self.reading.depth.max(self.steps.len() + 1);
        self.reading.canonical.push('{');
        let start = self.reading.canonical.len();
        let mut members: Vec<Member<'t>> = Vec::new();
        while self.peek() != b'}' {
            let at = self.at;
            let token = self.take(string_length);
            self.steps.push(Step::Key(token));
            let key = decode(token);
            if key.is_replaced() {
                self.replaced(at);
            }
            (self.visit)(Seen::Key(&key.text));
            let name = key.identity();
            let canonical = &mut self.reading.canonical;
            if !members.is_empty() {
                canonical.push(',');
            }
            let from = canonical.len();
            push_token(canonical, token, &name);
            canonical.push(':');
            self.peek();
            self.at += 1; // the colon
            self.value();
            self.steps.pop();
            members.push(Member { name, token, at, from, to: self.reading.canonical.len() });
            self.comma();
        }
        self.at += 1;
        if !members.is_sorted_by(|one, other| order(&one.name, &other.name) == Ordering::Less) {
            self.sort(start, members);
        }
        self.reading.canonical.push('}');
    }

    /// Brings members into the order of their names. Those of one name are then neighbours.
    fn sort(&mut self, start: usize, mut members: Vec<Member<'t>>) {
        members.sort_by(|one, other| order(&one.name, &other.name));
        let twins = members.windows(2).filter(|two| two[0].name == two[1].name).map(|two| &two[1]);
        if let Some(twin) = twins.min_by_key(|twin| twin.at)
            && self.reading.duplicate.as_ref().is_none_or(|known| twin.at < known.at)
        {
            self.steps.push(Step::Key(twin.token));
            self.reading.duplicate = Some(Place { at: twin.at, path: self.path() });
            self.steps.pop();
        }
        let written = self.reading.canonical.split_off(start);
        for (place, member) in members.iter().enumerate() {
            if place > 0 {
                self.reading.canonical.push(',');
            }
            self.reading.canonical.push_str(&written[member.from - start..member.to - start]);
        }
    }

    fn array(&mut self) {
        self.at += 1;
        self.reading.depth = self.reading.depth.max(self.steps.len() + 1);
        self.reading.canonical.push('[');
        let mut index = 0;
        while self.peek() != b']' {
            if index > 0 {
                self.reading.canonical.push(',');
            }
            self.steps.push(Step::Index(index));
            self.value();
            self.steps.pop();
            index += 1;
            self.comma();
        }
        self.at += 1;
        self.reading.canonical.push(']');
    }

    /// Tells of characters that are replaced in the string or key at a place.
    fn replaced(&mut self, at: usize) {
        let path = self.path();
        (self.visit)(Seen::Replaced(&path));
        self.reading.replaced.get_or_insert(Place { at, path });
    }

    fn path(&self) -> String {
        let mut path = String::new();
        for step in &self.steps {
            match step {
                Step::Key(token) => push_key(&mut path, &decode(token).text),
                Step::Index(index) => push_index(&mut path, *index),
            }
        }
        path
    }
}

/// Adds a string token, of which the decoded bytes are given. One without escapes is in the canonical form.
fn push_token(out: &mut String, token: &str, decoded: &[u8]) {
    if decoded.len() + 2 == token.len() {
        out.push_str(token);
    } else {
        push_string(out, decoded);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq)]
    struct Told {
        keys: Vec<String>,
        values: Vec<String>,
        replaced: Vec<String>,
    }

    fn told(text: &str) -> (Told, Reading) {
        serde_json::from_str::<&serde_json::value::RawValue>(text).unwrap();
        let mut told = Told::default();
        let reading = read(text, &mut |seen| match seen {
            Seen::Key(text) => told.keys.push(text.to_owned()),
            Seen::Value(text) => told.values.push(text.to_owned()),
            Seen::Replaced(path) => told.replaced.push(path.to_owned()),
        });
        let mut alone = Vec::new();
        values(text, &mut |text| alone.push(text.to_owned()));
        assert_eq!(alone, told.values, "{text}");
        let mut keys = Vec::new();
        texts(text, &mut |seen| keys.extend(if let Seen::Key(key) = seen { Some(key.to_owned()) } else { None }));
        assert_eq!(keys, told.keys, "{text}");
        (told, reading)
    }

    #[test]
    fn every_key_value_and_replaced_string_is_told_in_order() {
        let text = r#" {"a": [1.50, {"b\u00e9":"x\"y:"}], "c":{}, "c":[], "d" : true , "n":null, "\ud83d":{"\ud83e":"\u0000"}, "\uD83E" :[],"":false} "#;
        let (told, reading) = told(text);
        assert_eq!(told.values, ["1.50", "x\"y:", "true", "\u{fffd}", "false"]);
        assert_eq!(told.keys, ["a", "bé", "c", "c", "d", "n", "\u{fffd}", "\u{fffd}", "\u{fffd}", ""]);
        assert_eq!(told.replaced, ["\u{fffd}", "\u{fffd}.\u{fffd}", "\u{fffd}.\u{fffd}", "\u{fffd}"]);
        let replaced = Place { at: text.find("\"\\ud83d").unwrap(), path: "\u{fffd}".to_owned() };
        assert_eq!((reading.depth, reading.replaced), (3, Some(replaced)));
        assert_eq!(reading.duplicate.map(|twin| twin.path).as_deref(), Some("c"));
    }

    #[test]
    fn the_first_twin_of_a_text_is_told_however_it_is_spelled_and_nested() {
        for twin in ["k0", "k15", "k16", "k29", "\\u006b29"] {
            let keys: String = (0..30).map(|i| format!(r#""k{i}":0,"#)).collect();
            let (_, reading) = told(&format!(r#"{{{keys}"{twin}":1}}"#));
            assert_eq!(reading.duplicate.unwrap().path, decode(&format!("\"{twin}\"")).text);
        }
        for (text, first) in [
            (r#"{"a":1,"a":{"x":1,"x":2}}"#, "a"),
            (r#"{"a":1,"b":{"x":1,"x":2},"a":3}"#, "b.x"),
            (r#"[{"z":{"y":1,"y":2,"y":3},"b":{"c":1,"c":1}}]"#, "[0].z.y"),
            (r#"{"\ud83d":1,"\uD83D":2,"\ud83e":3}"#, "\u{fffd}"),
        ] {
            assert_eq!(told(text).1.duplicate.unwrap().path, first, "{text}");
        }
        for none in [r#"{"\ud83d":1,"\ud83e":2,"\ufffd":3,"\u0000":4}"#, r#"{"a":{"a":1},"b":[{"a":1},{"a":1}]}"#] {
            assert_eq!(told(none).1.duplicate, None, "{none}");
        }
    }

    #[test]
    fn what_is_too_deep_to_be_looked_into_stays_as_it_is() {
        let deep = |inner: &str| format!("{}{inner}{}", "[".repeat(200), "]".repeat(200));
        let mut seen = 0;
        let reading = read(&deep(" 1.0 "), &mut |_| seen += 1);
        assert_eq!((reading.canonical, reading.depth, seen), (deep(" 1.0 "), LEVELS + 1, 0));
        let mut alone = Vec::new();
        values(&deep(" 1.0 "), &mut |text| alone.push(text.to_owned()));
        assert_eq!(alone, ["1.0"]);
    }
}
