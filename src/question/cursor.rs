//! The cursor of a list: opaque to clients, bound to organization, log, order and filter by a written form.
//!
//! Clients keep cursors, and several versions of this service may answer them. So both the encoding and what a cursor is
//! bound to have a version, and neither changes within it: `tests/vectors/README.md` describes them, and
//! `tests/vectors/cursors.json` has examples.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::filter::Filter;
use crate::{
    error::{Error, Result},
    event::{Timestamp, json::canonical::Object},
};

/// What a list is ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderField {
    /// By position: when things happened.
    OccurredAt,
    /// By sequence: when they were recorded.
    Sequence,
}

/// The order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Order {
    /// The key.
    pub field: OrderField,
    /// Largest first.
    pub descending: bool,
}

/// What a cursor is bound to: everything that decides which events a list has, and in which order, as it was asked for.
/// What it comes to today, such as the actions whose label has a word, or the instant that a period begins at, is left
/// out: it may change between two pages.
pub struct Bound<'a> {
    /// Name of the product.
    pub product: &'a str,
    /// The organization, by the product's own id.
    pub organization: Option<&'a str>,
    /// Level and id of the log.
    pub log: Option<(&'a str, &'a str)>,
    /// Whether the logs below it were asked for; `None`: as the level has it.
    pub include_nested: Option<bool>,
    /// The order.
    pub order: Order,
    /// What to keep.
    pub filter: &'a Filter,
}

/// Version of what a cursor is bound to.
const BOUND_VERSION: u8 = 1;
/// What stands before the text in its hash: no other hash of ours begins so.
const BOUND: &str = "ledgerline list v1\n";

/// Hash of what a cursor is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint([u8; 8]);

impl Bound<'_> {
    /// Its fingerprint: the first 64 bits of the SHA-256.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let hash = Sha256::new().chain_update(BOUND).chain_update(self.canonical()).finalize();
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&hash[..8]);
        Fingerprint(bytes)
    }

    /// The written form. Absent members write nothing, so that a new argument changes no cursor of those that lack it.
    fn canonical(&self) -> String {
        let Self { product, organization, log, include_nested, order, filter } = self;
        let log = log.map(|(level, id)| Object::default().text("id", Some(id)).text("level", Some(level)).finish());
        let field = match order.field {
            OrderField::OccurredAt => "OCCURRED_AT",
            OrderField::Sequence => "SEQUENCE",
        };
        let direction = if order.descending { "DESC" } else { "ASC" };
        let order = Object::default().text("direction", Some(direction)).text("field", Some(field)).finish();
        Object::default()
            .with("filter", filter.canonical())
            .with("includeNested", include_nested.map(|nested| nested.to_string()))
            .with("log", log)
            .with("order", Some(order))
            .text("organization", *organization)
            .text("product", Some(product))
            .with("v", Some(BOUND_VERSION.to_string()))
            .finish()
    }
}

/// A place in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Position or sequence, as the order says.
    pub key: i64,
    /// How many events of the list were before it when paging began, where that is known.
    pub rank: Option<i64>,
    /// Size of the organization's sequence when paging began: later events do not move X, Y and Z.
    pub pinned: i64,
    /// When paging began, where the filter's ends move with the clock: they stay what they were then.
    pub began: Option<Timestamp>,
}

/// Versions of the encoding, its first byte. Every version ends in a checksum of all before it.
const VERSION: u8 = 1;
/// As version 1, and when paging began before the checksum.
const MOVING_VERSION: u8 = 2;
/// Bytes of version 1: itself, fingerprint, key, pinned size, rank (`i64::MIN`: not known), checksum.
const LENGTH: usize = 1 + 8 + 8 + 8 + 8 + CHECKSUM;
/// Bytes of the checksum.
const CHECKSUM: usize = 4;

impl Cursor {
    /// The cursor as clients carry it: URL-safe base64.
    #[must_use]
    pub fn encode(&self, list: Fingerprint) -> String {
        let mut bytes = Vec::with_capacity(LENGTH + 8);
        bytes.push(if self.began.is_some() { MOVING_VERSION } else { VERSION });
        bytes.extend(list.0);
        bytes.extend(self.key.to_be_bytes());
        bytes.extend(self.pinned.to_be_bytes());
        bytes.extend(self.rank.unwrap_or(i64::MIN).to_be_bytes());
        bytes.extend(self.began.iter().flat_map(|began| began.0.to_be_bytes()));
        bytes.extend(checksum(&bytes));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor of this list.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` that names the version, where it is another one than ours; else with one and the same text,
    /// whatever is wrong with it.
    pub fn decode(text: &str, list: Fingerprint, field: &str) -> Result<Self> {
        let refuse = || Error::bad_input(field, "must be a cursor of this list, in this order and with this filter");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| refuse())?;
        let (rest, check) = bytes.split_last_chunk::<CHECKSUM>().ok_or_else(refuse)?;
        let version = rest.first().copied().ok_or_else(refuse)?;
        if *check != checksum(rest) {
            return Err(refuse());
        }
        let length = match version {
            VERSION => LENGTH,
            MOVING_VERSION => LENGTH + 8,
            _ => {
                let rule = format!(
                    "must be a cursor of version {VERSION} or {MOVING_VERSION}, got one of version {version}: page anew without it"
                );
                return Err(Error::bad_input(field, rule));
            }
        };
        if bytes.len() != length || bytes[1..9] != list.0 {
            return Err(refuse());
        }
        let number = |at: usize| i64::from_be_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        let rank = number(25);
        let began = (version == MOVING_VERSION).then(|| Timestamp(number(33)));
        Ok(Self { key: number(9), pinned: number(17), rank: (rank != i64::MIN).then_some(rank), began })
    }
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM] {
    let hash = Sha256::digest(bytes);
    [hash[0], hash[1], hash[2], hash[3]]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(product: &str, organization: Option<&str>) -> Fingerprint {
        let order = Order { field: OrderField::Sequence, descending: false };
        let filter = &Filter::default();
        Bound { product, organization, log: None, include_nested: None, order, filter }.fingerprint()
    }

    #[test]
    fn a_cursor_is_good_for_its_own_list_only() {
        let (list, other) = (list("acme", Some("x")), list("acmex", None));
        let began = Some(Timestamp::LATEST);
        for cursor in [
            Cursor { key: -5, rank: None, pinned: 0, began: None },
            Cursor { key: i64::MAX, rank: Some(40), pinned: 99, began },
        ] {
            let text = cursor.encode(list);
            assert_eq!(Cursor::decode(&text, list, "after").unwrap(), cursor);
            let foreign = Cursor::decode(&text, other, "after").unwrap_err().to_string();
            for broken in ["", "AAAA", "💥", &text[1..], &format!("{text}A"), &format!("Ag{}", &text[2..])] {
                assert_eq!(Cursor::decode(broken, list, "after").unwrap_err().to_string(), foreign);
            }
        }
    }

    #[test]
    fn a_cursor_of_another_version_is_refused_by_name() {
        let mut bytes = vec![7, 1, 2, 3];
        bytes.extend(checksum(&bytes));
        let refused = Cursor::decode(&URL_SAFE_NO_PAD.encode(bytes), list("acme", None), "after").unwrap_err();
        assert_eq!(
            refused.to_string(),
            "after: must be a cursor of version 1 or 2, got one of version 7: page anew without it"
        );
    }
}
