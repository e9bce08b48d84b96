//! Reading JSON text without losing what a JSON library drops: number spelling, duplicate keys, halves of surrogate
//! pairs.

pub mod canonical;
mod masked;
mod pieces;
mod read;
mod string;
mod tree;

use serde::de::DeserializeOwned;

pub use masked::masked;
pub use pieces::depth;
pub use read::{Place, Reading, Seen, read, texts, values};
pub use string::{Decoded, decode};
pub use tree::{Names, Tree};

/// A valid JSON text as any JSON library reads it: see [`Tree::shown`].
#[must_use]
pub fn shown<V: DeserializeOwned + Default>(text: &str) -> V {
    // NUL is the one character that a library takes and we replace.
    match serde_json::from_str(text) {
        Ok(value) if !text.contains("\\u0000") => value,
        _ => serde_json::from_value(Tree::read(text, usize::MAX).shown()).unwrap_or_default(),
    }
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
