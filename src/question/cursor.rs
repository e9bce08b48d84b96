//! The cursor of a list: opaque to clients, bound to organization, order and filter.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

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

/// Hash of everything that decides which list a cursor belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint([u8; 8]);

impl Fingerprint {
    /// The fingerprint of a list: product, organization, order and filter, written out.
    #[must_use]
    pub fn of(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&hash.finalize()[..8]);
        Self(bytes)
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
}

const VERSION: u8 = 1;

impl Cursor {
    /// The cursor as clients carry it: URL-safe base64.
    #[must_use]
    pub fn encode(&self, list: Fingerprint) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend(list.0);
        bytes.extend(self.key.to_be_bytes());
        bytes.extend(self.pinned.to_be_bytes());
        bytes.extend(self.rank.unwrap_or(i64::MIN).to_be_bytes());
        bytes.extend(checksum(&bytes));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor of this list.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` with one and the same text, whatever is wrong with it.
    pub fn decode(text: &str, list: Fingerprint, field: &str) -> Result<Self> {
        let refuse = || Error::bad_input(field, "must be a cursor of this list, in this order and with this filter");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| refuse())?;
        if bytes.len() != 37 || bytes[0] != VERSION || bytes[1..9] != list.0 || bytes[33..] != checksum(&bytes[..33]) {
            return Err(refuse());
        }
        let number = |at: usize| i64::from_be_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        let rank = number(25);
        Ok(Self { key: number(9), pinned: number(17), rank: (rank != i64::MIN).then_some(rank) })
    }
}

fn checksum(bytes: &[u8]) -> [u8; 4] {
    let hash = Sha256::digest(bytes);
    [hash[0], hash[1], hash[2], hash[3]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_own_list_only() {
        let (list, other) = (Fingerprint::of(&["acme", "x"]), Fingerprint::of(&["acmex", ""]));
        for cursor in [Cursor { key: -5, rank: None, pinned: 0 }, Cursor { key: i64::MAX, rank: Some(40), pinned: 99 }]
        {
            let text = cursor.encode(list);
            assert_eq!(Cursor::decode(&text, list, "after").unwrap(), cursor);
            let foreign = Cursor::decode(&text, other, "after").unwrap_err().to_string();
            for broken in ["", "AAAA", "💥", &text[1..], &format!("{text}A")] {
                assert_eq!(Cursor::decode(broken, list, "after").unwrap_err().to_string(), foreign);
            }
        }
    }
}
