//! What of an event is masked before anything is stored, indexed or hashed: strings in metadata whose key looks like the
//! name of a secret, and, where the product asks, the address.
//!
//! In the place of a secret stands a digest under a key of the organization's own: the same secret of one organization has
//! one digest, so that two events can be compared, and nobody without the key can try guesses. Digests are stored for
//! ever, so their form has a version; `tests/vectors/README.md` says the same for other languages, and
//! `tests/vectors/masking.json` has examples.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use aws_lc_rs::hmac;

use super::hash::Hash;

/// What a digest begins with: the version of its form is in it.
pub const PREFIX: &str = "masked:v1:";
/// What stands before that which an organization's key is made of: no other digest of ours begins so.
const DERIVED: &str = "ledgerline masking v1";
/// Bytes of a digest.
const DIGEST_BYTES: usize = 16;
/// Names of secrets where a product file names no others, as [`normal`] has them.
pub const NAMES: [&str; 14] = [
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "authorization",
    "cookie",
    "jwt",
    "apikey",
    "privatekey",
    "secretkey",
    "secretaccesskey",
];
/// Names up to so many characters are looked for as whole words alone.
const SHORT: usize = 4;
/// What says in brackets that somebody took a secret out before.
const TAKEN_OUT: [&str; 6] = ["redacted", "filtered", "hidden", "masked", "omitted", "removed"];

/// What a product masks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Masking {
    names: Vec<String>,
    never: Vec<String>,
    /// What becomes of addresses.
    pub addresses: Addresses,
}

/// What becomes of an event's address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Addresses {
    /// It is kept as it was sent.
    #[default]
    Keep,
    /// The first 24 bits of IPv4 and 48 of IPv6 are kept; a text that is no address is left out.
    Shorten,
    /// It is left out.
    Omit,
}

impl Default for Masking {
    fn default() -> Self {
        Self::new(NAMES, [], Addresses::Keep)
    }
}

impl Masking {
    /// Masks strings below keys that end with one of some names, unless the whole key is one of those that never are.
    pub fn new<'a>(
        names: impl IntoIterator<Item = &'a str>,
        never: impl IntoIterator<Item = &'a str>,
        addresses: Addresses,
    ) -> Self {
        let all = |names: &mut dyn Iterator<Item = &'a str>| names.map(normal).collect();
        Self { names: all(&mut names.into_iter()), never: all(&mut never.into_iter()), addresses }
    }

    /// Whether a key looks like the name of a secret. Its last words count, whatever parts them: `new_password`,
    /// `X-Api-Key` and `accessTokens` do, `token_id` and `passwordChanged` do not.
    #[must_use]
    pub fn is_secret(&self, key: &str) -> bool {
        let whole = normal(key);
        let is_word = |name: &String| name.len() > SHORT || last_word(key) == *name;
        let ends_with = |one: &str| self.names.iter().any(|name| one.ends_with(name.as_str()) && is_word(name));
        let is_one = ends_with(&whole) || whole.strip_suffix('s').is_some_and(ends_with);
        is_one && !self.never.contains(&whole)
    }
}

/// A name without what parts its words, in lower case.
#[must_use]
pub fn normal(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The last word of a name, in lower case.
fn last_word(name: &str) -> String {
    let name = name.trim_end_matches(|c: char| !c.is_alphanumeric());
    let mut start = name.len();
    let mut next: Option<char> = None;
    for (at, c) in name.char_indices().rev() {
        let is_hump = next.is_some_and(|next| next.is_uppercase() && c.is_lowercase());
        if !c.is_alphanumeric() || is_hump {
            break;
        }
        (start, next) = (at, Some(c));
    }
    name[start..].to_lowercase()
}

/// Whether a value says nothing that could be a secret: it is empty, or somebody took the secret out before.
#[must_use]
pub fn is_taken_out(value: &str) -> bool {
    let inner = value.strip_prefix(['[', '<', '(', '{']).and_then(|rest| rest.strip_suffix([']', '>', ')', '}']));
    value.chars().all(|c| matches!(c, '*' | '•' | '…'))
        || inner.is_some_and(|inner| TAKEN_OUT.iter().any(|word| inner.eq_ignore_ascii_case(word)))
}

/// An address with its host's part gone; `None` for a text that is no address.
#[must_use]
pub fn shortened(address: &str) -> Option<String> {
    let address = address.trim();
    let host = match address.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or(rest, |(host, _)| host),
        // One colon parts a port; IPv6 has more.
        None => address.split_once(':').filter(|(_, port)| !port.contains(':')).map_or(address, |(host, _)| host),
    };
    let host = host.split_once('%').map_or(host, |(host, _)| host);
    Some(match host.parse::<IpAddr>().ok()?.to_canonical() {
        IpAddr::V4(four) => Ipv4Addr::from_bits(four.to_bits() & (!0 << 8)).to_string(),
        IpAddr::V6(six) => Ipv6Addr::from_bits(six.to_bits() & (!0 << 80)).to_string(),
    })
}

/// The key of a database, which the keys of its organizations are made of.
#[derive(Clone)]
pub struct MaskingKey(hmac::Key);

impl std::fmt::Debug for MaskingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MaskingKey")
    }
}

impl MaskingKey {
    /// Bytes of a key.
    pub const BYTES: usize = 32;

    /// The key of such bytes.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The key of an organization's idempotency keys.
    #[must_use]
    pub fn hashing(&self, product: &str, organization: &str) -> HashKey {
        let tag = hmac::sign(&self.0, format!("{HASHED}\n{product}\n{organization}").as_bytes());
        HashKey(hmac::Key::new(hmac::HMAC_SHA256, tag.as_ref()))
    }

    /// The key of an organization: no digest of one can be compared with those of another.
    #[must_use]
    pub fn of(&self, product: &str, organization: &str) -> OrganizationKey {
        // A product's name has no line ends.
        let tag = hmac::sign(&self.0, format!("{DERIVED}\n{product}\n{organization}").as_bytes());
        OrganizationKey(hmac::Key::new(hmac::HMAC_SHA256, tag.as_ref()))
    }
}

/// What stands before that which the key of an organization's idempotency keys is made of.
const HASHED: &str = "ledgerline idempotency v1";

/// The key of an organization that hashes of idempotency keys and of contents are made with: nobody without the database's
/// key can try what they may be of.
pub struct HashKey(hmac::Key);

impl HashKey {
    /// The hash that is stored, of a hash that anybody can make.
    #[must_use]
    pub fn hash(&self, plain: Hash) -> Hash {
        let mut hash = Hash::default();
        hash.copy_from_slice(&hmac::sign(&self.0, &plain).as_ref()[..size_of::<Hash>()]);
        hash
    }
}

/// The key of an organization.
pub struct OrganizationKey(hmac::Key);

impl OrganizationKey {
    /// The text that takes the place of a secret.
    #[must_use]
    pub fn digest(&self, secret: &[u8]) -> String {
        let tag = hmac::sign(&self.0, secret);
        let hex = tag.as_ref()[..DIGEST_BYTES].iter().map(|byte| format!("{byte:02x}"));
        PREFIX.chars().map(String::from).chain(hex).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Vectors {
        keys: Vec<Name>,
        digests: Vec<Digest>,
    }

    #[derive(Deserialize)]
    struct Name {
        key: String,
        secret: bool,
    }

    #[derive(Deserialize)]
    struct Digest {
        key: String,
        product: String,
        organization: String,
        secret: String,
        masked: String,
    }

    fn bytes(hex: &str) -> Vec<u8> {
        hex.as_bytes().chunks(2).map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
    }

    #[test]
    fn names_and_digests_are_those_of_the_vectors() {
        let vectors: Vectors = serde_json::from_str(include_str!("../../tests/vectors/masking.json")).unwrap();
        assert!(vectors.keys.len() > 40 && vectors.digests.len() > 3);
        let masking = Masking::default();
        for Name { key, secret } in vectors.keys {
            assert_eq!(masking.is_secret(&key), secret, "{key}");
        }
        for Digest { key, product, organization, secret, masked } in vectors.digests {
            let key = MaskingKey::new(&bytes(&key)).of(&product, &organization);
            assert_eq!(key.digest(&bytes(&secret)), masked, "{product} {organization} {secret}");
        }
    }

    #[test]
    fn a_product_names_its_own_and_never_wins() {
        let masking = Masking::new(["pin", "Recovery Code"], ["not-a-pin"], Addresses::Keep);
        for (key, secret) in [
            ("pin", true),
            ("user_pin", true),
            ("PINs", false),
            ("spin", false),
            ("recoveryCodes", true),
            ("NotAPin", false),
            ("token", false),
        ] {
            assert_eq!(masking.is_secret(key), secret, "{key}");
        }
        assert!(!Masking::new([], [], Addresses::Keep).is_secret("password"));
    }

    #[test]
    fn what_somebody_took_out_before_is_no_secret() {
        for out in ["", "*", "********", "•••", "[redacted]", "<REDACTED>", "(Filtered)", "{hidden}"] {
            assert!(is_taken_out(out), "{out}");
        }
        for kept in ["redacted", "[x]", "[redacted", "hunter2", "***a", " ", "[redacted] hunter2"] {
            assert!(!is_taken_out(kept), "{kept}");
        }
    }

    #[test]
    fn addresses_lose_their_host_and_texts_that_are_none_go() {
        for (sent, kept) in [
            ("203.0.113.77", Some("203.0.113.0")),
            (" 203.0.113.77:41106", Some("203.0.113.0")),
            ("::ffff:203.0.113.77", Some("203.0.113.0")),
            ("2001:db8:1:2:3:4:5:6", Some("2001:db8:1::")),
            ("[2603:1026:c02:282a::5]:54088", Some("2603:1026:c02::")),
            ("fe80::1%eth0", Some("fe80::")),
            ("253.252.51.07", None),
            ("AWS Internal", None),
            ("ec2-203-0-113-77.example:3389", None),
            ("203.0.113.77, 198.51.100.1", None),
            ("", None),
        ] {
            assert_eq!(shortened(sent).as_deref(), kept, "{sent}");
        }
    }
}
