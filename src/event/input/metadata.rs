//! What is kept of metadata. Its strings and keys are what outsiders sent: headers, form fields, bodies.

use std::borrow::Cow;

use super::{marks::Marks, over};
use crate::{
    error::{Error, Result},
    event::{
        json::{self, Place, Seen, Tree, canonical},
        limits,
        terms::{Text, add_text},
    },
};

/// Strings of an event that is too large keep at least so many bytes; then members go, from the end.
const SHORTEST: usize = 64;
/// What metadata says that says nothing.
const NOTHING: &str = "{}";

/// Metadata, of which the text is read once, where it comes in: what is asked of it later was found then.
#[derive(Clone, Debug)]
pub struct Metadata {
    text: String,
    read: Result<Read>,
}

/// What the reading of a JSON object has found.
#[derive(Clone, Debug)]
struct Read {
    canonical: String,
    terms: Vec<String>,
    /// Paths of strings and keys with characters that are replaced: as many as an event may have marks.
    replaced: Vec<String>,
    first_replaced: Option<Place>,
    duplicate: Option<Place>,
    depth: usize,
}

impl Metadata {
    /// Reads what was sent; none is an object without members. What is wrong with it is said by `keep`.
    #[must_use]
    pub fn read(text: Option<String>) -> Self {
        let text = text.unwrap_or_else(|| NOTHING.to_owned());
        if !text.contains('\0') {
            return Self { read: Read::of(&text), text };
        }
        // NUL itself, where JSON wants it escaped: whoever wrote the text had half of a surrogate pair in a string.
        let escaped = text.replace('\0', "\\u0000");
        match Read::of(&escaped) {
            Ok(read) => Self { text: escaped, read: Ok(read) },
            Err(error) => Self { text, read: Err(error) },
        }
    }

    /// Bytes of the text.
    #[must_use]
    pub fn length(&self) -> usize {
        self.text.len()
    }

    /// What was sent, in the canonical form; an object without members says nothing. A text that no library reads, which
    /// is refused later, stands as a string.
    #[must_use]
    pub fn canonical(&self) -> Option<String> {
        match &self.read {
            Ok(read) => (read.canonical != NOTHING).then(|| read.canonical.clone()),
            Err(_) => Some(canonical::string(&self.text)),
        }
    }

    /// The text with others in the place of strings below keys for which `is_asked` holds, as [`json::masked`] has it.
    pub(super) fn with_others(
        &self,
        is_asked: &dyn Fn(&str) -> bool,
        other: &mut dyn FnMut(&str, &[u8]) -> Option<String>,
    ) -> Option<String> {
        self.read.as_ref().ok().and_then(|_| json::masked(&self.text, is_asked, other))
    }

    /// The text that is kept, and the terms of its texts. It MUST have been brought within the limits.
    #[must_use]
    pub fn into_parts(self) -> (String, Vec<String>) {
        (self.text, self.read.map_or_else(|_| Vec::new(), |read| read.terms))
    }

    /// Checks that it is one JSON object that names every key once, and brings it to the levels that are kept: what lies
    /// deeper becomes the text of its JSON. What is replaced where it is read as JSON is marked.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` on `metadata`.
    pub(super) fn keep(&mut self, marks: &mut Marks) -> Result<()> {
        let read = self.read.as_ref().map_err(Clone::clone)?;
        if read.depth > limits::METADATA_DEPTH {
            let rule =
                || format!("must be at most {} levels deep, got {}", limits::METADATA_DEPTH, json::depth(&self.text));
            marks.forgive("metadata", rule)?;
            *self = Self::read(Some(flattened(&self.text, marks)?));
        }
        let Read { replaced, first_replaced, duplicate, .. } = self.read.as_ref().map_err(Clone::clone)?;
        let twin = duplicate.as_ref().map(|twin| {
            let error = Error::bad_input(format!("metadata.{}", twin.path), "must name a key once per object");
            (twin.at, error)
        });
        if let Some(first) = first_replaced
            && twin.as_ref().is_none_or(|(at, _)| first.at <= *at)
        {
            marks.forgive(format_args!("metadata.{}", first.path), || super::UNSTORABLE.to_owned())?;
        }
        if let Some((_, error)) = twin {
            return Err(error);
        }
        replaced.iter().try_for_each(|path| marks.note(path, || super::UNSTORABLE.to_owned()))
    }

    /// Brings the text to at most `room` bytes, of which there MUST be two: the longest strings lose their ends, all down
    /// to the same length; if that is not enough, members go that do not fit any more, from the first to the last.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` on `event`, for a strict caller.
    pub(super) fn shorten(&mut self, room: usize, marks: &mut Marks) -> Result<()> {
        if self.text.len() > room {
            *self = Self::read(Some(shortened(&self.text, room, marks)?));
        }
        Ok(())
    }
}

impl Read {
    fn of(text: &str) -> Result<Self> {
        // The syntax alone, at any depth: a number beyond every double is text that we can keep.
        match serde_json::from_str::<&serde_json::value::RawValue>(text) {
            Ok(raw) if raw.get().starts_with('{') => {}
            Ok(_) => return Err(Error::bad_input("metadata", "must be a JSON object")),
            Err(error) => return Err(Error::bad_input("metadata", format!("must be a JSON object ({error})"))),
        }
        // What is too large by itself is shortened, and read again then.
        let is_indexed = text.len() <= limits::EVENT_BYTES;
        let (mut found, mut marks) = (Vec::new(), Marks::new(false));
        let reading = json::read(text, &mut |seen| match seen {
            Seen::Value(text) if is_indexed => add_text(&mut found, Text::Value, text),
            Seen::Key(text) if is_indexed => add_text(&mut found, Text::Key, text),
            Seen::Value(_) | Seen::Key(_) => {}
            // Not strict: it cannot be refused.
            Seen::Replaced(path) => drop(marks.note(format_args!("metadata.{path}"), String::new)),
        });
        Ok(Self {
            canonical: reading.canonical,
            terms: found,
            replaced: marks.into_paths(),
            first_replaced: reading.replaced,
            duplicate: reading.duplicate,
            depth: reading.depth,
        })
    }
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

/// A text of at most `room` bytes.
fn shortened(text: &str, room: usize, marks: &mut Marks) -> Result<String> {
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
    use crate::event::terms::metadata_texts;

    fn short(text: &str, room: usize) -> (Value, Vec<String>) {
        let mut marks = Marks::new(false);
        let short = shortened(text, room, &mut marks).unwrap();
        assert!(short.len() <= room, "{} bytes of at most {room}: {short}", short.len());
        let value: Value = json::shown(&short);
        assert!(value.is_object(), "{short}");
        (value, marks.into_paths())
    }

    #[test]
    fn the_longest_strings_lose_their_ends_first() {
        let text = json!({ "a": "x".repeat(1_000), "b": ["y".repeat(300), "short"], "n": 7 }).to_string();
        let (value, marks) = short(&text, 700);
        assert_eq!(marks, ["metadata.a"]);
        assert_eq!(
            (value["b"][0].as_str().map(str::len), &value["b"][1], &value["n"]),
            (Some(300), &json!("short"), &json!(7))
        );
        let (value, marks) = short(&text, 400);
        assert_eq!(marks, ["metadata.a", "metadata.b[0]"]);
        assert_eq!(value["a"].as_str().map(str::len), value["b"][0].as_str().map(str::len));
    }

    #[test]
    fn where_strings_are_not_enough_members_go() {
        let text = json!({ "small": 1, "list": (0..100).collect::<Vec<_>>(), "last": true }).to_string();
        let (value, marks) = short(&text, 60);
        assert_eq!(marks, ["metadata.list", "metadata"]);
        assert!(value["list"].as_array().is_some_and(|list| list.len() > 10 && list.len() < 100), "{value}");
        assert_eq!(short("{ \"a\" : 1 }", 7), (json!({ "a": 1 }), vec!["metadata".to_owned()]));
        let text = format!("{{\"{}\":1,\"k\":2}}", "x".repeat(100));
        assert_eq!(short(&text, 20), (json!({ "k": 2 }), vec!["metadata".to_owned()]));
        assert_eq!(short(&text, 2).0, json!({}));
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

    #[test]
    fn of_two_faults_the_first_in_the_text_is_told() {
        let refusal = |text: &str, strict| {
            let kept = Metadata::read(Some(text.to_owned())).keep(&mut Marks::new(strict));
            kept.map_err(|error| error.to_string().split_once(": ").unwrap().0.to_owned())
        };
        let (replaced_first, twin_first) = (r#"{"b":"\u0000","a":1,"a":2}"#, r#"{"a":1,"a":"\u0000"}"#);
        let (replaced, twin) = (Err("metadata.b".to_owned()), Err("metadata.a".to_owned()));
        assert_eq!((refusal(replaced_first, true), refusal(replaced_first, false)), (replaced, twin.clone()));
        assert_eq!((refusal(twin_first, true), refusal(twin_first, false)), (twin.clone(), twin));
        assert_eq!(refusal(r#"{"a":"\u0000"}"#, false), Ok(()));
    }

    proptest! {
        #[test]
        fn whatever_is_shortened_fits_and_can_be_read(value in metadata(), room in 2_usize..3_000) {
            let text = value.to_string();
            let (shown, marks) = short(&text, room);
            prop_assert!(!marks.is_empty());
            prop_assert_eq!(shown == json::shown::<Value>(&text), text.len() <= room, "{:?}", marks);
        }

        #[test]
        fn the_terms_are_those_of_the_text_that_is_kept(value in metadata(), room in 2_usize..3_000, deep in 0_usize..20) {
            let text = format!("{{\"deep\":{}{value}{}}}", "[".repeat(deep), "]".repeat(deep));
            let mut metadata = Metadata::read(Some(text));
            let mut marks = Marks::new(false);
            metadata.keep(&mut marks).unwrap();
            metadata.shorten(room, &mut marks).unwrap();
            let (kept, found) = metadata.into_parts();
            let mut expected = Vec::new();
            metadata_texts(&kept, |kind, text| add_text(&mut expected, kind, text));
            prop_assert_eq!(found, expected);
            prop_assert!(json::depth(&kept) <= limits::METADATA_DEPTH && kept.len() <= room, "{}", kept);
        }
    }
}
