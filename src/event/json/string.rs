//! Strings of a JSON text, decoded: JSON can spell what no text can hold.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// A string token, decoded. NUL and halves of surrogate pairs, which the databases or UTF-8 cannot hold, are U+FFFD
/// in it.
#[derive(Debug)]
pub struct Decoded<'t> {
    /// What is read.
    pub text: Cow<'t, str>,
    /// What was spelled, where that is something else: UTF-8 with halves of pairs encoded as any other character.
    spelled: Option<Vec<u8>>,
}

impl<'t> Decoded<'t> {
    /// Whether it has characters that are replaced where it is read.
    #[must_use]
    pub fn is_replaced(&self) -> bool {
        self.spelled.is_some()
    }

    /// Whether half of a surrogate pair is among what is replaced.
    #[must_use]
    pub fn has_half(&self) -> bool {
        self.spelled.as_ref().is_some_and(|spelled| std::str::from_utf8(spelled).is_err())
    }

    /// What is read, with NUL in the place of all that is replaced.
    #[must_use]
    pub fn with_nul(&self) -> String {
        self.spelled.as_ref().map_or_else(|| self.text.clone().into_owned(), |spelled| replaced(spelled, "\0"))
    }

    /// What tells it from all other strings: two that are read alike may be spelled differently.
    #[must_use]
    pub fn identity(self) -> Cow<'t, [u8]> {
        match (self.spelled, self.text) {
            (Some(spelled), _) => Cow::Owned(spelled),
            (None, Cow::Borrowed(text)) => Cow::Borrowed(text.as_bytes()),
            (None, Cow::Owned(text)) => Cow::Owned(text.into_bytes()),
        }
    }
}

/// Decodes a string token, its quotes included. The token MUST have passed a JSON parser.
#[must_use]
pub fn decode(token: &str) -> Decoded<'_> {
    if !token.contains('\\') {
        return Decoded { text: Cow::Borrowed(&token[1..token.len() - 1]), spelled: None };
    }
    match serde_json::from_str::<String>(token) {
        Ok(text) if !text.contains('\0') => Decoded { text: Cow::Owned(text), spelled: None },
        _ => {
            let spelled = serde_json::from_str::<Lossless>(token).map(|read| read.0).unwrap_or_default();
            Decoded { text: Cow::Owned(replaced(&spelled, "\u{fffd}")), spelled: Some(spelled) }
        }
    }
}

/// The text of bytes in which halves of surrogate pairs stand as three bytes each; those, and NUL, are replaced.
fn replaced(spelled: &[u8], by: &str) -> String {
    let mut bytes = Vec::with_capacity(spelled.len());
    let mut rest = spelled;
    while let Some((&first, after)) = rest.split_first() {
        let (replaced, length) = match (first, after.first()) {
            (0, _) => (true, 1),
            (0xED, Some(0xA0..)) => (true, 3),
            _ => (false, 1),
        };
        if replaced {
            bytes.extend(by.as_bytes());
        } else {
            bytes.push(first);
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The bytes of a JSON string. Of all that serde_json reads strings as, these alone may have halves of pairs in them.
struct Lossless(Vec<u8>);

impl<'de> Deserialize<'de> for Lossless {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Lossless;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a string")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Lossless, E> {
                Ok(Lossless(bytes.to_vec()))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn halves_of_pairs_and_nul_are_read_as_replaced_and_keep_their_identity() {
        for (token, text, replaced) in [
            (r#""plain é""#, "plain é", false),
            (r#""\u00e9\ud83d\ude00\ufffd""#, "é😀\u{fffd}", false),
            (r#""cut \ud83d""#, "cut \u{fffd}", true),
            (r#""\ude00\ud83d x""#, "\u{fffd}\u{fffd} x", true),
            (r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀", true),
            (r#""\ud83d\n\u0000퟿""#, "\u{fffd}\n\u{fffd}\u{d7ff}", true),
        ] {
            let read = decode(token);
            assert_eq!((read.text.as_ref(), read.is_replaced()), (text, replaced), "{token}");
        }
        assert_ne!(decode(r#""\ud83d""#).identity(), decode(r#""\ud83e""#).identity());
        assert_ne!(decode(r#""\ud83d""#).identity(), decode(r#""\ufffd""#).identity());
        assert_ne!(decode(r#""\ud83d""#).identity(), decode(r#""\u0000""#).identity());
        assert_eq!(decode(r#""\ud83d\u0061""#).identity(), decode(r#""\uD83Da""#).identity());
    }
}
