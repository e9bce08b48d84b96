//! Where the pieces of a JSON text end, and how the path to one is spelled: what the reading and the tree share. Nothing here
//! needs a stack, so it may see a text before it is known how deep that nests.

/// How deep brackets nest in a JSON text, strings left aside. Unlike a reading, it needs no stack.
#[must_use]
pub fn depth(text: &str) -> usize {
    let mut deepest = 0;
    brackets(text, |depth| {
        deepest = deepest.max(depth);
        true
    });
    deepest
}

/// Bytes of the object or array that a text begins with; it needs no stack either.
pub(super) fn in_brackets(text: &str) -> usize {
    brackets(text, |depth| depth > 0)
}

/// Tells how deep a text is after each bracket, strings left aside, as long as the answer is to go on; the bytes gone
/// through.
fn brackets(text: &str, mut go_on: impl FnMut(usize) -> bool) -> usize {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' | b'}' | b']' if !in_string => {
                depth = if matches!(byte, b'{' | b'[') { depth + 1 } else { depth.saturating_sub(1) };
                if !go_on(depth) {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    text.len()
}

/// Bytes of the string token that a text begins with.
pub(super) fn string_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

/// Bytes of the number or literal that a text begins with.
pub(super) fn plain_length(text: &str) -> usize {
    text.find([',', '}', ']', ' ', '\t', '\n', '\r']).unwrap_or(text.len())
}

/// Adds a key to a path.
pub(super) fn push_key(path: &mut String, key: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(key);
}

/// Adds the place in an array to a path.
pub(super) fn push_index(path: &mut String, index: usize) {
    use std::fmt::Write;
    let _ = write!(path, "[{index}]");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_and_quotes_inside_of_strings_end_nothing() {
        assert_eq!((in_brackets("[{}]]"), in_brackets("{\"}\":1}, {")), (4, 7));
        assert_eq!((depth("[\"[[\\\"[\",[]]"), depth("1"), depth(r#"{"a":[{}],"b":{}}"#)), (2, 0, 3));
        assert_eq!(string_length(r#""a\"b", "c""#), 6);
    }
}
