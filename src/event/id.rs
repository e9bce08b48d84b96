//! The public id of an event.

use std::{fmt, str::FromStr};

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const PREFIX: &str = "evt_";
const DIGITS: usize = 23;

/// `evt_` and 23 characters of Crockford's base 32: organization (32 bits), sequence (40), salt (40).
///
/// The id says where its event lies, so finding it needs no index; the salt, drawn at random for
/// every event and compared on reading, keeps ids from being guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventId {
    /// Number of the organization.
    pub organization_no: i64,
    /// Place in its order of recording.
    pub sequence: i64,
    /// 40 random bits.
    pub salt: i64,
}

impl EventId {
    /// Bits of the salt.
    pub const SALT_BITS: u32 = 40;
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = ((self.organization_no as u128) << 80) | ((self.sequence as u128) << 40) | self.salt as u128;
        let mut digits = [0; DIGITS];
        for (place, digit) in digits.iter_mut().rev().enumerate() {
            *digit = ALPHABET[(bits >> (place * 5)) as usize & 31];
        }
        f.write_str(PREFIX)?;
        f.write_str(std::str::from_utf8(&digits).expect("the alphabet is ASCII"))
    }
}

impl FromStr for EventId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = text.strip_prefix(PREFIX).ok_or(())?;
        if digits.len() != DIGITS {
            return Err(());
        }
        let mut bits: u128 = 0;
        for byte in digits.bytes() {
            let digit = ALPHABET.iter().position(|&c| c == byte).ok_or(())?;
            bits = (bits << 5) | digit as u128;
        }
        const MASK: u128 = (1 << 40) - 1;
        let organization_no = i64::try_from(bits >> 80).map_err(|_| ())?;
        if organization_no > i64::from(u32::MAX) {
            return Err(());
        }
        Ok(Self { organization_no, sequence: ((bits >> 40) & MASK) as i64, salt: (bits & MASK) as i64 })
    }
}

#[cfg(test)]
mod tests {
    use super::EventId;

    #[test]
    fn an_id_reads_back_as_itself_and_nothing_else_does() {
        for (organization_no, sequence, salt) in [(0, 0, 0), (1, 2, 3), (60_466_175, (1 << 36) - 1, (1 << 40) - 1)] {
            let id = EventId { organization_no, sequence, salt };
            let text = id.to_string();
            assert_eq!(text.len(), 27);
            assert_eq!(text.parse(), Ok(id));
            assert_eq!(text.to_uppercase().parse::<EventId>(), Err(()));
        }
        for bad in ["", "evt_", "evt_zzzzzzzzzzzzzzzzzzzzzzz", "evt_0000000000000000000000é", "0"] {
            assert_eq!(bad.parse::<EventId>(), Err(()), "{bad}");
        }
    }
}
