//! Addresses of files that are good for ten minutes, for whoever has them: `path?expires=SECONDS&signature=HEX`. The
//! signature is HMAC-SHA256 over path and end, under a key of the export's own, which is in its row alone: every process
//! of the service can check it, and it ends with the row.

use aws_lc_rs::hmac;

use super::manifest::hex;
use crate::event::Timestamp;

/// How long an address is good for, in seconds.
pub const GOOD_FOR: i64 = 600;
/// What stands before that which is signed: no other signature of ours begins so.
const SIGNED: &str = "ledgerline export v1";

/// The address of a path from now on.
pub fn signed(secret: &[u8], path: &str, now: Timestamp) -> String {
    let expires = now.0.div_euclid(1_000_000_000) + GOOD_FOR;
    let tag = hmac::sign(&key(secret), message(path, expires).as_bytes());
    format!("{path}?expires={expires}&signature={}", hex(tag.as_ref()))
}

/// Whether an address was made here, and is still good. The comparison takes the same time wherever a signature differs.
pub fn is_good(secret: &[u8], path: &str, expires: i64, signature: &str, now: Timestamp) -> bool {
    let Some(signature) = bytes(signature) else { return false };
    let is_ours = hmac::verify(&key(secret), message(path, expires).as_bytes(), &signature).is_ok();
    is_ours && now.0.div_euclid(1_000_000_000) < expires
}

fn key(secret: &[u8]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, secret)
}

fn message(path: &str, expires: i64) -> String {
    format!("{SIGNED}\n{path}\n{expires}")
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let pair = |pair: &[u8]| Some(value(pair[0])? << 4 | value(pair[1])?);
    if digits.len().is_multiple_of(2) { digits.chunks(2).map(pair).collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_good_for_ten_minutes_and_for_its_path_alone() {
        let at = |seconds: i64| Timestamp(seconds * 1_000_000_000);
        let address = signed(b"secret", "/v1/x/file", at(1_000));
        let (path, query) = address.split_once('?').unwrap();
        let signature = query.strip_prefix("expires=1600&signature=").unwrap();
        let good =
            |secret: &[u8], path, expires, signature: &str, now| is_good(secret, path, expires, signature, at(now));
        assert!(good(b"secret", path, 1_600, signature, 1_000));
        assert!(good(b"secret", path, 1_600, signature, 1_599));
        assert!(!good(b"secret", path, 1_600, signature, 1_600), "its time is over");
        assert!(!good(b"secret", path, 1_700, signature, 1_000), "a later end");
        assert!(!good(b"secret", "/v1/y/file", 1_600, signature, 1_000), "another path");
        assert!(!good(b"other", path, 1_600, signature, 1_000), "another export's key");
        for altered in ["", "0", "zz", &signature[2..], &signature.replace('0', "1")] {
            assert!(altered == signature || !good(b"secret", path, 1_600, altered, 1_000), "{altered}");
        }
    }
}
