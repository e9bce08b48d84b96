//! Times as other systems write them.

use crate::event::Timestamp;

/// Reads a time: RFC 3339, with a blank for the `T`, a comma for the point, and an offset as `+0200`, `+02` or `UTC`
/// too; or a number since 1970, whose size tells its unit: below 10^11 seconds, below 10^14 milliseconds, below 10^17
/// microseconds, else nanoseconds. So every instant after 1973-03-03 is told for certain.
///
/// # Errors
/// The rule that the text breaks.
pub fn parse(text: &str, offset: Option<&str>) -> Result<Timestamp, String> {
    if text.starts_with(|c: char| c.is_ascii_digit() || c == '-')
        && text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '+' | '-' | 'e' | 'E'))
        && let Some((digits, scale)) = decimal(text)
    {
        return epoch(text, digits, scale);
    }
    let wrong = || format!("must be an RFC 3339 date and time, or a number since 1970, got {text:?}");
    if let Some(at) = Timestamp::parse(text) {
        return Ok(at);
    }
    let (date, rest) = text.split_at_checked(10).ok_or_else(wrong)?;
    let rest = rest.strip_prefix(['T', 't', ' ']).ok_or_else(wrong)?;
    let end = rest.find(|c: char| !(c.is_ascii_digit() || matches!(c, ':' | '.' | ','))).unwrap_or(rest.len());
    let (time, written) = rest.split_at(end);
    let offset = match written.trim_start() {
        "" => offset.ok_or_else(|| {
            format!("must have an offset, such as Z, or --offset must say what it is without one, got {text:?}")
        })?,
        written => written,
    };
    let time = time.replace(',', ".");
    full_offset(offset).and_then(|offset| Timestamp::parse(&format!("{date}T{time}{offset}"))).ok_or_else(wrong)
}

/// An offset from UTC as RFC 3339 has it.
pub fn full_offset(text: &str) -> Option<String> {
    match text {
        "Z" | "z" | "UTC" | "GMT" => return Some("Z".to_owned()),
        _ => {}
    }
    let sign = text.chars().next().filter(|c| matches!(c, '+' | '-'))?;
    let rest = &text[1..];
    let digits: String = rest.chars().filter(|c| *c != ':').collect();
    let has_form = digits.bytes().all(|byte| byte.is_ascii_digit()) && matches!(rest.find(':'), None | Some(2));
    match digits.len() {
        2 if has_form => Some(format!("{sign}{digits}:00")),
        4 if has_form => Some(format!("{sign}{}:{}", &digits[..2], &digits[2..])),
        _ => None,
    }
}

/// A number as its digits, and how many of them stand behind the point.
fn decimal(text: &str) -> Option<(i128, i32)> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if fraction.starts_with(['+', '-']) || digits.len() > 36 {
        return None;
    }
    let exponent: i32 = exponent.parse().ok().filter(|exponent| (-40..=40).contains(exponent))?;
    Some((digits.parse().ok()?, i32::try_from(fraction.len()).ok()? - exponent))
}

fn epoch(text: &str, digits: i128, scale: i32) -> Result<Timestamp, String> {
    let is_date = |text: &str| {
        let (month, day) = (text[4..6].parse().unwrap_or(0), text[6..].parse().unwrap_or(0));
        (1900..2200).contains(&text[..4].parse().unwrap_or(0)) && (1..=12).contains(&month) && (1..=31).contains(&day)
    };
    if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) && is_date(text) {
        return Err(format!("must be an RFC 3339 date and time, or a number since 1970: {text} may be a date"));
    }
    let power = |exponent: i32| u32::try_from(exponent).ok().and_then(|exponent| 10_i128.checked_pow(exponent));
    let beyond = || format!("must be a number since 1970 up to the year 2262, got {text}");
    // The whole part tells the unit.
    let whole = match (power(scale), power(-scale)) {
        (Some(divisor), _) => digits / divisor,
        (None, Some(factor)) => digits.checked_mul(factor).ok_or_else(beyond)?,
        (None, None) => return Err(beyond()),
    };
    let unit = match whole.unsigned_abs() {
        ..100_000_000_000 => 9,
        100_000_000_000..100_000_000_000_000 => 6,
        100_000_000_000_000..100_000_000_000_000_000 => 3,
        _ => 0,
    };
    let shift = unit - scale;
    let nanos = if shift >= 0 {
        power(shift).and_then(|factor| digits.checked_mul(factor)).ok_or_else(beyond)?
    } else {
        let divisor = power(-shift).ok_or_else(beyond)?;
        if digits % divisor != 0 {
            return Err(format!("must be a time to the nanosecond at most, got {text}"));
        }
        digits / divisor
    };
    i64::try_from(nanos).map(Timestamp).map_err(|_| beyond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_however_it_is_written() {
        for (text, at) in [
            ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
            ("2026-01-02 03:04:05Z", "2026-01-02T03:04:05Z"),
            ("2026-01-02 03:04:05.123456+00", "2026-01-02T03:04:05.123456Z"),
            ("2026-01-02 03:04:05,5 UTC", "2026-01-02T03:04:05.5Z"),
            ("2026-01-02t03:04:05 +0530", "2026-01-01T21:34:05Z"),
            ("2026-01-02T03:04:05-03:30", "2026-01-02T06:34:05Z"),
            ("1767323045", "2026-01-02T03:04:05Z"),
            ("1767323045.25", "2026-01-02T03:04:05.25Z"),
            ("1.767323045e9", "2026-01-02T03:04:05Z"),
            ("1767323045123", "2026-01-02T03:04:05.123Z"),
            ("1767323045123.5", "2026-01-02T03:04:05.1235Z"),
            ("1767323045123456", "2026-01-02T03:04:05.123456Z"),
            ("1767323045123456789", "2026-01-02T03:04:05.123456789Z"),
            ("0", "1970-01-01T00:00:00Z"),
            ("-86400", "1969-12-31T00:00:00Z"),
        ] {
            assert_eq!(parse(text, None).map(|read| read.to_string()), Ok(at.to_owned()), "{text}");
        }
    }

    #[test]
    fn the_unit_of_a_number_changes_where_it_is_said_to() {
        for first in ["100000000000", "100000000000000", "100000000000000000"] {
            assert_eq!(parse(first, None).unwrap().to_string(), "1973-03-03T09:46:40Z", "{first}");
        }
        for last in ["99999999999", "99999999999999", "99999999999999999"] {
            assert!(parse(last, None).unwrap_err().contains("up to the year 2262"), "{last}");
        }
    }

    #[test]
    fn a_time_without_an_offset_needs_one_from_outside() {
        assert!(parse("2026-01-02 03:04:05", None).unwrap_err().contains("--offset"));
        assert_eq!(parse("2026-01-02 03:04:05", Some("+02:00")).unwrap().to_string(), "2026-01-02T01:04:05Z");
        assert_eq!(parse("2026-01-02T03:04:05Z", Some("+02:00")).unwrap().to_string(), "2026-01-02T03:04:05Z");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "now",
            "2026-01-02",
            "20260102",
            "2026-13-02T00:00:00Z",
            "2026-01-02T00:00:00+2",
            "2026-01-02T00:00:00+1:23",
            "2026-01-02T00:00:00 CET",
            "1767323045.1234567891",
            "1e99",
            "-",
            "1-2",
            "1.2.3",
            "12345678901234567890",
            "é26-01-02 00:00:00Z",
            "2026-01-02T00:00:00.1234567891Z",
            "1e-40",
            "999999999999999999999999999999999999999999",
        ] {
            assert!(parse(text, Some("Z")).is_err(), "{text} {:?}", parse(text, Some("Z")));
        }
    }
}
