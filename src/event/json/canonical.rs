//! JSON in one form for all texts that say the same: RFC 8785 (JCS), with two additions, because what we are sent is not
//! always what RFC 8785 takes. A number is written from its exact decimal value by the rules that ECMAScript has for a
//! double's digits: the same text for every number that is a double's shortest form, and no loss for all others. Half
//! of a surrogate pair is written as `\ud83d`, in lower case.
//!
//! `tests/vectors/README.md` has the rules for other languages. Hashes of these texts are stored, so a text MUST NOT
//! change: another form is another version beside this one.

use std::{cmp::Ordering, fmt::Write};

/// Levels of brackets that are brought into the form; what lies deeper stays as it is spelled.
pub(super) const LEVELS: usize = 128;
/// Digits of an exponent that is brought into the form; a number with a longer one stays as it is spelled.
const EXPONENT_DIGITS: usize = 15;

/// An object in the making. Absent members write nothing.
#[derive(Default)]
pub struct Object(Vec<(&'static str, String)>);

impl Object {
    /// Adds a member whose value is in this form already. Its name MUST be plain ASCII.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: Option<String>) -> Self {
        self.0.extend(value.map(|value| (name, value)));
        self
    }

    /// Adds a member that is a string.
    #[must_use]
    pub fn text(self, name: &'static str, value: Option<&str>) -> Self {
        self.with(name, value.map(string))
    }

    /// The object, its members in the order of their names.
    #[must_use]
    pub fn finish(mut self) -> String {
        self.0.sort_unstable_by_key(|(name, _)| *name);
        let mut out =
            String::with_capacity(2 + self.0.iter().map(|(name, value)| name.len() + value.len() + 4).sum::<usize>());
        out.push('{');
        for (place, (name, value)) in self.0.iter().enumerate() {
            if place > 0 {
                out.push(',');
            }
            out.extend(["\"", name, "\":", value]);
        }
        out.push('}');
        out
    }

    /// The object, if it has a member.
    #[must_use]
    pub fn finish_if_any(self) -> Option<String> {
        if self.0.is_empty() { None } else { Some(self.finish()) }
    }
}

/// A list of values that are in this form already.
#[must_use]
pub fn list<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    let mut out = "[".to_owned();
    for (place, item) in items.into_iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        out.push_str(item.as_ref());
    }
    out.push(']');
    out
}

/// A text as a string.
#[must_use]
pub fn string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    push_text(&mut out, text);
    out.push('"');
    out
}

/// Adds the string of UTF-8 bytes in which halves of surrogate pairs stand as three bytes each.
pub(super) fn push_string(out: &mut String, mut bytes: &[u8]) {
    out.push('"');
    while !bytes.is_empty() {
        let (whole, rest) = match std::str::from_utf8(bytes) {
            Ok(text) => (text, &[][..]),
            Err(error) => {
                let (whole, rest) = bytes.split_at(error.valid_up_to());
                (std::str::from_utf8(whole).unwrap_or_default(), rest)
            }
        };
        push_text(out, whole);
        bytes = rest;
        if let [first, second, third, ..] = *rest {
            let half = (u32::from(first & 0xf) << 12) | (u32::from(second & 0x3f) << 6) | u32::from(third & 0x3f);
            let _ = write!(out, "\\u{half:04x}");
            bytes = &rest[3..];
        }
    }
    out.push('"');
}

/// Adds the inside of a string.
fn push_text(out: &mut String, text: &str) {
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate().filter(|(_, byte)| matches!(byte, b'"' | b'\\' | 0..0x20)) {
        out.push_str(&text[from..at]);
        from = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            8 => out.push_str("\\b"),
            b'\t' => out.push_str("\\t"),
            b'\n' => out.push_str("\\n"),
            12 => out.push_str("\\f"),
            b'\r' => out.push_str("\\r"),
            byte => drop(write!(out, "\\u{byte:04x}")),
        }
    }
    out.push_str(&text[from..]);
}

/// The order of two names.
pub(super) fn order(one: &[u8], other: &[u8]) -> Ordering {
    if one.is_ascii() && other.is_ascii() { one.cmp(other) } else { utf16(one).cmp(utf16(other)) }
}

/// The UTF-16 code units of UTF-8 bytes in which halves of surrogate pairs stand as three bytes each: RFC 8785 sorts
/// names by them.
fn utf16(bytes: &[u8]) -> impl Iterator<Item = u16> {
    let mut at = 0;
    let mut low = None;
    std::iter::from_fn(move || {
        if let Some(low) = low.take() {
            return Some(low);
        }
        let first = *bytes.get(at)?;
        let (length, start) = match first {
            0..=0x7f => (1, first),
            0x80..=0xdf => (2, first & 0x1f),
            0xe0..=0xef => (3, first & 0xf),
            _ => (4, first & 0x7),
        };
        let rest = bytes.get(at + 1..at + length).unwrap_or_default();
        let code = rest.iter().fold(u32::from(start), |code, byte| (code << 6) | u32::from(byte & 0x3f));
        at += length;
        let Some(beyond) = code.checked_sub(0x1_0000) else { return u16::try_from(code).ok() };
        low = u16::try_from(0xdc00 | (beyond & 0x3ff)).ok();
        u16::try_from(0xd800 | (beyond >> 10)).ok()
    })
}

/// Adds a number by its exact decimal value.
pub(super) fn push_number(out: &mut String, spelled: &str) {
    // Most numbers: whole, and not so long that they are written with an exponent.
    if spelled.len() <= 21 && spelled.bytes().all(|byte| byte.is_ascii_digit()) {
        out.push_str(spelled);
        return;
    }
    let (sign, rest) = spelled.strip_prefix('-').map_or(("", spelled), |rest| ("-", rest));
    let (mantissa, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = [whole, fraction].concat();
    let significant = all.trim_start_matches('0');
    let digits = significant.trim_end_matches('0');
    if digits.is_empty() {
        out.push('0');
        return;
    }
    let long = exponent.trim_start_matches(['+', '-']).trim_start_matches('0').len() > EXPONENT_DIGITS;
    let Some(exponent) = exponent.parse::<i64>().ok().filter(|_| !long) else {
        out.push_str(spelled);
        return;
    };
    // The value is 0.DIGITS times ten to the power of `point`.
    let point = exponent + significant.len() as i64 - fraction.len() as i64;
    out.push_str(sign);
    if let Ok(place @ 1..=21) = usize::try_from(point) {
        let (whole, rest) = digits.split_at(place.min(digits.len()));
        out.push_str(whole);
        (digits.len()..place).for_each(|_| out.push('0'));
        if !rest.is_empty() {
            out.extend([".", rest]);
        }
        return;
    }
    match point {
        -5..=0 => {
            out.push_str("0.");
            (point..0).for_each(|_| out.push('0'));
            out.push_str(digits);
        }
        _ => {
            let (first, others) = digits.split_at(1);
            out.push_str(first);
            if !others.is_empty() {
                out.extend([".", others]);
            }
            let _ = write!(out, "e{:+}", point - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::{super::read, *};

    /// A JSON text in this form; `None` for a text that is no JSON.
    fn of(text: &str) -> Option<String> {
        serde_json::from_str::<&RawValue>(text).ok()?;
        Some(read(text, &mut |_| ()).canonical)
    }

    #[test]
    fn a_text_is_brought_into_the_form_of_rfc_8785() {
        // The examples of RFC 8785, sections 3.2.2 to 3.2.4 and appendix B.
        let sent = r#"{ "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
            "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false] }"#;
        let exact = r#"{"literals":[null,true,false],"numbers":[333333333.33333329,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"#;
        assert_eq!(of(sent).as_deref(), Some(exact));
        let keys = "{\"\\u20ac\":1,\"\\r\":2,\"\\ufb33\":3,\"1\":4,\"\\ud83d\\ude00\":5,\"\\u0080\":6,\"\\u00f6\":7}";
        assert_eq!(
            of(keys).as_deref(),
            Some("{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\u{fb33}\":3}")
        );
        for (spelled, written) in [
            ("-0", "0"),
            ("0.0e99", "0"),
            ("5e-324", "5e-324"),
            ("9007199254740993", "9007199254740993"),
            ("295147905179352830000", "295147905179352830000"),
            ("9.999999999999997e22", "9.999999999999997e+22"),
            ("1e20", "100000000000000000000"),
            ("1e21", "1e+21"),
            ("1e22", "1e+22"),
            ("-1.50E2", "-150"),
            ("0.000001", "0.000001"),
            ("0.0000001", "1e-7"),
            ("12345678901234567890123", "1.2345678901234567890123e+22"),
            ("0.1000000000000000055", "0.1000000000000000055"),
            ("1e999", "1e+999"),
            ("1e-0000000000000000000000000007", "1e-7"),
            ("1E1234567890123456", "1E1234567890123456"),
        ] {
            assert_eq!(of(spelled).as_deref(), Some(written), "{spelled}");
        }
    }

    #[test]
    fn what_no_text_can_hold_keeps_its_own_form_and_what_is_no_json_has_none() {
        for (sent, form) in [
            (r#""a\u0000\u0000""#, r#""a\u0000\u0000""#),
            (r#""\uD83D\ud83e\ude00 \uDC00""#, "\"\\ud83d\u{1fa00} \\udc00\""),
            (
                r#"{"\ue000":1,"\udfff":2,"\ud800":3,"\ud83d\ude00":4,"\ud7ff":5}"#,
                "{\"\u{d7ff}\":5,\"\\ud800\":3,\"😀\":4,\"\\udfff\":2,\"\u{e000}\":1}",
            ),
        ] {
            assert_eq!(of(sent).as_deref(), Some(form), "{sent}");
        }
        for text in ["", "{", "{]", "01", "\"\n\"", "{} {}"] {
            assert_eq!(of(text), None, "{text}");
        }
        let deep = |inner: &str| format!("{}{inner}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(of(&deep(" 1.0 ")), Some(deep(" 1.0 ")));
    }

    proptest! {
        #[test]
        fn a_double_is_written_as_ecmascript_does(number in any::<f64>().prop_filter("JSON has finite numbers", |n| n.is_finite())) {
            // Rust's shortest digits are ECMAScript's; only the form differs.
            let written = of(&format!("{number:e}")).unwrap();
            // Zero has no sign in the form.
            prop_assert_eq!(written.parse::<f64>().unwrap().to_bits(), (number + 0.0).to_bits());
            prop_assert_eq!(of(&written), Some(written.clone()));
            let plain = (1e-6..1e21).contains(&number.abs()) || number == 0.0;
            prop_assert_eq!(!written.contains('e'), plain, "{}", written);
        }

        #[test]
        fn the_units_of_a_text_are_those_of_its_utf_16(text in ".{0,9}") {
            prop_assert!(utf16(text.as_bytes()).eq(text.encode_utf16()));
        }
    }
}
