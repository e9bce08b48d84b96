//! Hashes that tell values apart: of SHA-256 the first 128 bits, of which half as much room is taken in the database.

use sha2::{Digest, Sha256};

/// The first 128 bits of a SHA-256.
pub type Hash = [u8; 16];

/// The hash of parts, one after the other: parts of different lengths MUST be told apart by the caller.
#[must_use]
pub fn of<T: AsRef<[u8]>>(parts: impl IntoIterator<Item = T>) -> Hash {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    let mut out = [0; 16];
    out.copy_from_slice(&hash.finalize()[..16]);
    out
}
