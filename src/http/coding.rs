//! Content codings of a request's body (RFC 9110, 8.4).

use std::io::Read;

use axum::{
    body::Bytes,
    http::{HeaderMap, header},
};
use flate2::read::MultiGzDecoder;

/// What a refusal says that is read.
pub const ACCEPTED: &str = "gzip";

/// How a body is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// As it is.
    Identity,
    /// Compressed by gzip (RFC 1952).
    Gzip,
}

/// Why a body could not be unpacked.
#[derive(Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is no gzip, or not all of it.
    Broken,
    /// Unpacked, it is over the limit.
    TooLarge,
}

impl Coding {
    /// The coding that a request names; `None` for one that is not read, and for several one upon another.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut coding = Self::Identity;
        for value in headers.get_all(header::CONTENT_ENCODING) {
            for name in value.to_str().ok()?.split(',').map(str::trim) {
                let is = |known: &str| name.eq_ignore_ascii_case(known);
                if name.is_empty() || is("identity") {
                    continue;
                }
                if coding != Self::Identity || !(is("gzip") || is("x-gzip")) {
                    return None;
                }
                coding = Self::Gzip;
            }
        }
        Some(coding)
    }

    /// How many bytes a body has once it is unpacked, no more than `limit`, as far as can be told without unpacking it.
    pub fn unpacked(self, body: &[u8], limit: usize) -> usize {
        // The last four bytes of gzip say it (RFC 1952, 2.3.1), if they are true: of several members, of the last one.
        let said = body.last_chunk::<4>().map_or(0, |length| u32::from_le_bytes(*length));
        match self {
            Self::Identity => body.len(),
            Self::Gzip => usize::try_from(said).unwrap_or(limit).clamp(body.len().min(limit), limit),
        }
    }

    /// The body as it was before it was coded. No more than `limit` bytes are ever unpacked.
    pub fn unpack(self, body: Bytes, limit: usize) -> Result<Bytes, Fault> {
        if self == Self::Identity {
            return Ok(body);
        }
        let mut unpacked = Vec::new();
        let over = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        MultiGzDecoder::new(&body[..]).take(over).read_to_end(&mut unpacked).map_err(|_| Fault::Broken)?;
        if unpacked.len() > limit { Err(Fault::TooLarge) } else { Ok(unpacked.into()) }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use axum::http::HeaderValue;
    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn gzip_is_read_and_no_other_coding() {
        let of = |values: &[&'static str]| {
            let header = |value: &&'static str| (header::CONTENT_ENCODING, HeaderValue::from_static(value));
            Coding::of(&values.iter().map(header).collect())
        };
        for identity in [&[][..], &[""], &["identity"], &["Identity, identity"], &["identity", "identity"]] {
            assert_eq!(of(identity), Some(Coding::Identity), "{identity:?}");
        }
        for gzip in [&["gzip"][..], &["GZIP"], &["x-gzip"], &["identity, gzip"], &["gzip", "identity"]] {
            assert_eq!(of(gzip), Some(Coding::Gzip), "{gzip:?}");
        }
        for other in [
            &["deflate"][..],
            &["br"],
            &["zstd"],
            &["compress"],
            &["gzip, gzip"],
            &["gzip", "gzip"],
            &["br, gzip"],
            &["*"],
            &["gzip;q=1"],
        ] {
            assert_eq!(of(other), None, "{other:?}");
        }
    }

    #[test]
    fn what_is_unpacked_is_bounded() {
        let text = b"{\"query\":\"{viewer{subject}}\"}";
        let unpack = |body: Vec<u8>, limit| Coding::Gzip.unpack(body.into(), limit);
        assert_eq!(unpack(gzip(text), text.len()).unwrap(), &text[..]);
        assert_eq!(unpack(gzip(text), text.len() - 1), Err(Fault::TooLarge));
        // Members one after another are one text (RFC 1952, 2.2), and each counts.
        let twice = [gzip(text), gzip(text)].concat();
        assert_eq!(unpack(twice.clone(), 100).unwrap().len(), 2 * text.len());
        assert_eq!(unpack(twice, 2 * text.len() - 1), Err(Fault::TooLarge));
        assert_eq!(unpack(gzip(&vec![b' '; 50_000_000]), 1_000), Err(Fault::TooLarge));
        let whole = gzip(text);
        for end in [0, 1, 10, whole.len() / 2, whole.len() - 1] {
            assert_eq!(unpack(whole[..end].to_vec(), 1_000), Err(Fault::Broken), "{end}");
        }
        let mut changed = whole.clone();
        changed[whole.len() - 6] ^= 1;
        assert_eq!(unpack(changed, 1_000), Err(Fault::Broken), "its checksum");
        assert_eq!(unpack([&whole, &b"more"[..]].concat(), 1_000), Err(Fault::Broken));
    }
}
