//! What is kept of metadata. Its strings and keys are what outsiders sent: headers, form fields, bodies.

use std::borrow::Cow;

use super::{marks::Marks, over};
use crate::{
    error::{Error, Result},
    event::{
        json::{self, Found, Tree},
        limits,
    },
};

/// Strings of an event that is too large keep at least so many bytes; then members go, from the end.
const SHORTEST: usize = 64;

/// Checks that a text is one JSON object that names every key once. Gives another text for one that nests too deep:
/// what lies deeper is kept as the text of its JSON. What is replaced where the metadata is read as JSON is marked.
///
/// # Errors
/// `BAD_USER_INPUT` on `metadata`.
pub fn keep(text: &str, marks: &mut Marks) -> Result<Option<String>> {
    // NUL itself, where JSON wants it escaped: whoever wrote the text had half of a surrogate pair in a string.
    let escaped = text.contains('\0').then(|| text.replace('\0', "\\u0000"));
    let text = escaped.as_deref().unwrap_or(text);
    // The syntax alone: a number beyond every double is text that we can keep.
    match serde_json::from_str::<&serde_json::value::RawValue>(text) {
        Ok(raw) if raw.get().starts_with('{') => {}
        Ok(_) => return Err(Error::bad_input("metadata", "must be a JSON object")),
        Err(error) => return Err(Error::bad_input("metadata", format!("must be a JSON object ({error})"))),
    }
    let depth = json::depth(text);
    let shallow = if depth > limits::METADATA_DEPTH {
        marks.forgive("metadata", || format!("must be at most {} levels deep, got {depth}", limits::METADATA_DEPTH))?;
        Some(flattened(text, marks)?)
    } else {
        None
    };
    let mut fault = Ok(());
    json::walk(shallow.as_deref().unwrap_or(text), &mut |found| {
        if fault.is_ok() {
            fault = match found {
                Found::DuplicateKey(path) => {
                    Err(Error::bad_input(format!("metadata.{path}"), "must name a key once per object"))
                }
                Found::Replaced(path) => marks.note(format_args!("metadata.{path}"), || super::UNSTORABLE.to_owned()),
                Found::Leaf(..) => Ok(()),
            };
        }
    });
    fault.map(|()| shallow.or(escaped))
}

/// The same with every object and array below the deepest level as a string that has its JSON.
fn flattened(text: &str, marks: &mut Marks) -> Result<String> {
    let mut tree = Tree::read(text, limits::METADATA_DEPTH);
    let mut noted = Ok(());
    tree.each_leaf(&mut |path, leaf| {
        if let (Tree::Deep(json), true) = (&*leaf, noted.is_ok()) {
            noted = marks.note(format_args!("metadata.{path}"), || "must be less deep".to_owned());
            *leaf = Tree::String(Cow::Owned(serde_json::Value::from(*json).to_string()));
        }
    });
    noted.map(|()| tree.text())
}

/// A text of at most `room` bytes, of which there MUST be two: the longest strings lose their ends, all down to the
/// same length; if that is not enough, members go that do not fit any more, from the first to the last.
///
/// # Errors
/// `BAD_USER_INPUT` on `event`, for a strict caller.
pub fn shorten(text: &str, room: usize, marks: &mut Marks) -> Result<String> {
    let too_large = |got| move || over(&"event", limits::EVENT_BYTES, "bytes of JSON", got).to_string();
    let mut tree = Tree::read(text, usize::MAX);
    if tree.length() <= room {
        // Without the blanks between its pieces it fits: the same JSON, but not byte for byte.
        marks.note("metadata", too_large(text.len()))?;
        return Ok(tree.text());
    }
    let mut strings = Vec::new();
    tree.each_leaf(&mut |_, leaf| {
        if let Tree::String(token) = leaf {
            strings.push(token.len());
        }
    });
    let rest = tree.length() - strings.iter().sum::<usize>();
    let fits = |most: usize| rest + strings.iter().map(|&length| length.min(most)).sum::<usize>() <= room;
    let most = longest(SHORTEST, text.len(), fits).unwrap_or(SHORTEST);
    let mut noted = Ok(());
    tree.each_leaf(&mut |path, leaf| {
        if let Tree::String(token) = leaf
            && token.len() > most
            && noted.is_ok()
        {
            noted = marks.note(format_args!("metadata.{path}"), too_large(token.len()));
            *token = Cow::Owned(cut(token, most).to_owned() + "\"");
        }
    });
    noted?;
    prune(&mut tree, room, &mut "metadata".to_owned(), marks)?;
    Ok(tree.text())
}

/// The largest number between two that holds; what holds for one holds for all below.
pub fn longest(low: usize, high: usize, holds: impl Fn(usize) -> bool) -> Option<usize> {
    let (mut low, mut high) = (low, high.max(low));
    if !holds(low) {
        return None;
    }
    while low < high {
        let middle = (low + high).div_ceil(2);
        if holds(middle) { low = middle } else { high = middle - 1 }
    }
    Some(low)
}

/// The beginning of a string token that leaves one of so many bytes for its closing quote, cut between characters.
fn cut(token: &str, bytes: usize) -> &str {
    let mut end = 1;
    while end < token.len() {
        let rest = &token[end..];
        let is_half = |text: &str, third: [u8; 4]| {
            text.starts_with("\\u")
                && text.as_bytes().get(3).is_some_and(|digit| third.contains(&digit.to_ascii_lowercase()))
                && matches!(text.as_bytes().get(2), Some(b'd' | b'D'))
        };
        // Both halves of a pair are one character.
        let length = if is_half(rest, *b"89ab") && rest.get(6..).is_some_and(|next| is_half(next, *b"cdef")) {
            12
        } else if rest.starts_with("\\u") {
            6
        } else if rest.starts_with('\\') {
            2
        } else {
            rest.chars().next().map_or(1, char::len_utf8)
        };
        if end + length + 1 > bytes {
            break;
        }
        end += length;
    }
    &token[..end]
}

/// Takes out what does not fit into so many bytes.
fn prune(tree: &mut Tree<'_>, room: usize, path: &mut String, marks: &mut Marks) -> Result<()> {
    if tree.length() <= room {
        return Ok(());
    }
    let mut left = room.saturating_sub(2);
    let mut fit = |before: usize, value: &mut Tree<'_>, place: &str, marks: &mut Marks| -> Result<bool> {
        let outer = path.len();
        // An object or array that does not fit as a whole is kept in part.
        if before + value.length() > left && matches!(value, Tree::Object(_) | Tree::List(_)) && before + 2 <= left {
            path.push_str(place);
            prune(value, left - before, path, marks)?;
            path.truncate(outer);
        }
        let length = before + value.length();
        let fits = length <= left;
        if fits {
            left -= length;
        }
        Ok(fits)
    };
    let all_fit = match tree {
        Tree::Object(members) => {
            let (all, mut kept) = (members.len(), Vec::with_capacity(members.len()));
            for (key, mut value) in std::mem::take(members) {
                let comma = usize::from(!kept.is_empty());
                if fit(key.len() + 1 + comma, &mut value, &format!(".{}", json::decode(key).text), marks)? {
                    kept.push((key, value));
                }
            }
            *members = kept;
            members.len() == all
        }
        Tree::List(items) => {
            let (all, mut kept) = (items.len(), Vec::with_capacity(items.len()));
            for mut value in std::mem::take(items) {
                let comma = usize::from(!kept.is_empty());
                if fit(comma, &mut value, &format!("[{}]", kept.len()), marks)? {
                    kept.push(value);
                }
            }
            *items = kept;
            items.len() == all
        }
        _ => true,
    };
    if all_fit { Ok(()) } else { marks.note(&*path, || "must be smaller".to_owned()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn shortened(text: &str, room: usize) -> (Value, Vec<String>) {
        let mut marks = Marks::new(false);
        let short = shorten(text, room, &mut marks).unwrap();
        assert!(short.len() <= room, "{} bytes of at most {room}: {short}", short.len());
        let value: Value = json::shown(&short);
        assert!(value.is_object(), "{short}");
        (value, marks.into_paths())
    }

    #[test]
    fn the_longest_strings_lose_their_ends_first() {
        let text = json!({ "a": "x".repeat(1_000), "b": ["y".repeat(300), "short"], "n": 7 }).to_string();
        let (value, marks) = shortened(&text, 700);
        assert_eq!(marks, ["metadata.a"]);
        assert_eq!(
            (value["b"][0].as_str().map(str::len), &value["b"][1], &value["n"]),
            (Some(300), &json!("short"), &json!(7))
        );
        let (value, marks) = shortened(&text, 400);
        assert_eq!(marks, ["metadata.a", "metadata.b[0]"]);
        assert_eq!(value["a"].as_str().map(str::len), value["b"][0].as_str().map(str::len));
    }

    #[test]
    fn where_strings_are_not_enough_members_go() {
        let text = json!({ "small": 1, "list": (0..100).collect::<Vec<_>>(), "last": true }).to_string();
        let (value, marks) = shortened(&text, 60);
        assert_eq!(marks, ["metadata.list", "metadata"]);
        assert!(value["list"].as_array().is_some_and(|list| list.len() > 10 && list.len() < 100), "{value}");
        assert_eq!(shortened("{ \"a\" : 1 }", 7), (json!({ "a": 1 }), vec!["metadata".to_owned()]));
        let text = format!("{{\"{}\":1,\"k\":2}}", "x".repeat(100));
        assert_eq!(shortened(&text, 20), (json!({ "k": 2 }), vec!["metadata".to_owned()]));
        assert_eq!(shortened(&text, 2).0, json!({}));
    }

    #[test]
    fn no_escape_and_no_pair_is_cut_in_two() {
        let token = r#""é\n\u00e9\ud83d\ude00\ud83dx""#;
        let cuts: Vec<_> = (2..=token.len()).map(|bytes| cut(token, bytes)).collect();
        for each in &cuts {
            let decoded = format!("{each}\"");
            assert!(serde_json::from_str::<&serde_json::value::RawValue>(&decoded).is_ok(), "{decoded}");
            assert!(!decoded.ends_with(r#"\u00e9\ud83d""#), "{decoded}");
        }
        assert_eq!(cuts.last(), Some(&token.strip_suffix('"').unwrap()));
    }

    fn metadata() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![any::<i32>().prop_map(Value::from), ".{0,200}".prop_map(Value::from), Just(Value::Null)];
        let value = leaf.prop_recursive(4, 60, 8, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                proptest::collection::btree_map(".{0,20}", inner, 0..8)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        });
        proptest::collection::btree_map(".{0,20}", value, 0..8).prop_map(|map| Value::Object(map.into_iter().collect()))
    }

    proptest! {
        #[test]
        fn whatever_is_shortened_fits_and_can_be_read(value in metadata(), room in 2_usize..3_000) {
            let text = value.to_string();
            let (short, marks) = shortened(&text, room);
            prop_assert!(!marks.is_empty());
            prop_assert_eq!(short == json::shown::<Value>(&text), text.len() <= room, "{:?}", marks);
        }
    }
}
