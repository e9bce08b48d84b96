//! `Accept-Language` (RFC 9110, 12.5.4).

use axum::http::{HeaderMap, header};

/// More than these say nothing of what somebody speaks.
const MOST: usize = 32;

/// The languages that a request wants, the likest first. What cannot be read says nothing.
pub fn wanted(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(header::ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
    let mut ranges: Vec<(u16, &str)> = values.flat_map(|value| value.split(',')).filter_map(range).take(MOST).collect();
    // Of equal ones, the first is meant.
    ranges.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    ranges.into_iter().map(|(_, range)| range.to_owned()).collect()
}

/// A range and its weight in thousandths; `None` for what is not wanted.
fn range(text: &str) -> Option<(u16, &str)> {
    let (range, parameters) = text.split_once(';').unwrap_or((text, ""));
    let range = range.trim();
    let is_range = !range.is_empty() && range.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'*');
    let weight = match parameters.trim() {
        "" => 1_000,
        parameters => weight(parameters)?,
    };
    (is_range && weight > 0).then_some((weight, range))
}

fn weight(parameters: &str) -> Option<u16> {
    let (name, value) = parameters.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("q") {
        return None;
    }
    let (whole, part) = value.trim().split_once('.').unwrap_or((value.trim(), ""));
    if part.len() > 3 || !part.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{part:0<3}").parse().ok()?;
    match (whole, thousandths) {
        ("0", part) => Some(part),
        ("1", 0) => Some(1_000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &'static str) -> Vec<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, axum::http::HeaderValue::from_static(value));
        wanted(&headers)
    }

    #[test]
    fn the_likest_comes_first_and_what_is_not_wanted_or_not_read_not_at_all() {
        assert_eq!(of("da, en-gb;q=0.8, en;q=0.7"), ["da", "en-gb", "en"]);
        assert_eq!(of("en;q=0.5,de ; q=0.55, fr;Q=1.000, *;q=0.1"), ["fr", "de", "en", "*"]);
        assert_eq!(of("de;q=0, en;q=0.000, it"), ["it"]);
        assert_eq!(of("de;q=2, en;q=x, fr;level=1, , <b>, es;q=1.5, pt;q=0.1234, ja"), ["ja"]);
        assert!(of("").is_empty());
        assert!(wanted(&HeaderMap::new()).is_empty());
        let mut unreadable = HeaderMap::new();
        unreadable.insert(header::ACCEPT_LANGUAGE, axum::http::HeaderValue::from_bytes(b"de, \xe4").unwrap());
        assert!(wanted(&unreadable).is_empty());
        assert_eq!(of(Box::leak("x-1,".repeat(1_000).into_boxed_str())).len(), MOST);
    }
}
