//! A JSON text in which the strings below certain keys are others. All else stays as it is spelled.

use super::{
    canonical::{self, LEVELS},
    decode,
    pieces::{in_brackets, plain_length, push_index, push_key, string_length},
};

/// Something that holds values, and where in it the reading is.
struct Level<'t> {
    /// The key whose value is next, or is being read; `None` before a key, and in an array.
    key: Option<&'t str>,
    /// The place in an array; `None` in an object.
    index: Option<usize>,
    /// Whether it lies below a key that was asked for.
    is_below: bool,
    /// Whether the value of `key` does.
    is_value_below: bool,
}

/// The text with others in the place of strings that lie below a key for which `is_asked` holds, in objects and arrays at
/// any depth; `None` where nothing is replaced. `other` is given the path of a string and its bytes, decoded, and answers
/// what takes its place, if anything does. Brackets below the deepest level of the canonical form count as one string,
/// their spelling, where one of their keys is asked for. The text MUST have passed a JSON parser.
pub fn masked(
    text: &str,
    is_asked: &dyn Fn(&str) -> bool,
    other: &mut dyn FnMut(&str, &[u8]) -> Option<String>,
) -> Option<String> {
    let (mut out, mut copied, mut at) = (String::new(), 0, 0);
    let mut levels: Vec<Level<'_>> = Vec::new();
    while at < text.len() {
        let rest = &text[at..];
        let is_below = levels.last().is_some_and(|level| level.is_below || level.is_value_below);
        let (length, bytes) = match rest.as_bytes()[0] {
            open @ (b'{' | b'[') if levels.len() < LEVELS => {
                let index = (open == b'[').then_some(0);
                levels.push(Level { key: None, index, is_below, is_value_below: false });
                at += 1;
                continue;
            }
            b'}' | b']' => {
                levels.pop();
                value_ends(&mut levels);
                at += 1;
                continue;
            }
            b'{' | b'[' => {
                let length = in_brackets(rest);
                let is_asked = is_below || has_key(&rest[..length], is_asked);
                (length, is_asked.then(|| rest.as_bytes()[..length].into()))
            }
            b'"' => {
                let length = string_length(rest);
                let token = &rest[..length];
                match levels.last_mut() {
                    Some(level) if level.index.is_none() && level.key.is_none() => {
                        level.key = Some(token);
                        level.is_value_below = is_asked(&decode(token).text);
                        at += length;
                        continue;
                    }
                    _ => (length, is_below.then(|| decode(token).identity())),
                }
            }
            b',' => {
                if let Some(Level { index: Some(index), .. }) = levels.last_mut() {
                    *index += 1;
                }
                at += 1;
                continue;
            }
            b' ' | b'\t' | b'\n' | b'\r' | b':' => {
                at += 1;
                continue;
            }
            _ => (plain_length(rest), None),
        };
        if let Some(put) = bytes.and_then(|bytes| other(&path(&levels), &bytes)) {
            out.push_str(&text[copied..at]);
            out.push_str(&canonical::string(&put));
            copied = at + length;
        }
        at += length;
        value_ends(&mut levels);
    }
    (copied > 0).then(|| out + &text[copied..])
}

/// The next string of an object is a key again.
fn value_ends(levels: &mut [Level<'_>]) {
    if let Some(level) = levels.last_mut() {
        level.key = None;
        level.is_value_below = false;
    }
}

fn path(levels: &[Level<'_>]) -> String {
    let mut path = String::new();
    for level in levels {
        match (level.index, level.key) {
            (Some(index), _) => push_index(&mut path, index),
            (None, Some(key)) => push_key(&mut path, &decode(key).text),
            (None, None) => {}
        }
    }
    path
}

/// Whether a text has a key that is asked for, at any depth; it needs no stack.
fn has_key(text: &str, is_asked: &dyn Fn(&str) -> bool) -> bool {
    let mut rest = text;
    while let Some(start) = rest.find('"') {
        let (token, after) = rest[start..].split_at(string_length(&rest[start..]));
        if after.trim_start_matches([' ', '\t', '\n', '\r']).starts_with(':') && is_asked(&decode(token).text) {
            return true;
        }
        rest = after;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> (Option<String>, Vec<(String, String)>) {
        let mut seen = Vec::new();
        let put = masked(text, &|key| key == "k", &mut |path, bytes| {
            seen.push((path.to_owned(), String::from_utf8_lossy(bytes).into_owned()));
            (bytes != b"left").then(|| "x\"".to_owned())
        });
        (put, seen)
    }

    #[test]
    fn strings_below_a_key_are_others_and_all_else_stays_as_it_is_spelled() {
        let text = r#" {"a" : "k", "\u006b" :"one", "b":[{"k": [1.50,"\"two\"",null,{"c":"three" , "k":true}],"d":"e"}, "k"],"k":"left","z":{"k":{}}, "y":"k" } "#;
        let (put, seen) = of(text);
        let expected =
            text.replace("\"one\"", "\"x\\\"\"").replace(r#""\"two\"""#, "\"x\\\"\"").replace("\"three\"", "\"x\\\"\"");
        assert_eq!(put, Some(expected));
        let seen: Vec<_> = seen.iter().map(|(path, bytes)| (path.as_str(), bytes.as_str())).collect();
        assert_eq!(seen, [("k", "one"), ("b[0].k[1]", "\"two\""), ("b[0].k[3].c", "three"), ("k", "left")]);
        for none in ["{}", r#"{"a":"k","b":["k",{"c":"k"}]}"#, r#"{"k":1,"b":{"k":[true,null,{}]}}"#, r#"{"k":"left"}"#]
        {
            assert_eq!(of(none).0, None, "{none}");
        }
    }

    #[test]
    fn what_is_too_deep_to_be_looked_into_goes_as_a_whole_if_a_key_in_it_is_asked_for() {
        for (inner, goes) in [(r#"{ "k" :"deep"}"#, true), (r#"{"a":"k","b":["k"]}"#, false)] {
            let deep = format!("{{\"a\":{}{inner}{}}}", "[".repeat(3_000), "]".repeat(3_000));
            let (put, seen) = of(&deep);
            assert_eq!((put.is_some(), seen.len()), (goes, usize::from(goes)), "{inner}");
            assert!(!put.is_some_and(|put| put.contains("deep")), "{inner}");
        }
        let below = format!("{{\"k\":{}\"deep\"{}}}", "[".repeat(3_000), "]".repeat(3_000));
        assert!(!of(&below).0.unwrap().contains("deep"));
    }
}
