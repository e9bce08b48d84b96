//! Hashes that tell values apart. Each is the first 128 bits of a SHA-256: no two values meet by accident, and it takes
//! half the room in the database.

use sha2::{Digest, Sha256};

/// The first 128 bits of a SHA-256.
pub type Hash = [u8; 16];

/// The hash of the parts put together. The caller MUST see to it that other parts cannot make the same bytes, for example
/// by putting their lengths before them.
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
