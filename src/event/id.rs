//! Public ids: of an event, and of a log.

use std::{fmt, str::FromStr};

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const DIGITS: usize = 23;
const EVENT: &str = "evt_";
const LOG: &str = "log_";

/// Bits of a salt.
pub const SALT_BITS: u32 = 40;

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

/// `log_` and 23 characters, as those of an [`EventId`]: organization (32 bits), number of the log (40), salt (40).
///
/// The number is never given again, so a log that is deleted and one that takes its name later have ids of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LogId {
    /// Number of the organization.
    pub organization_no: i64,
    /// Number among its logs.
    pub no: i64,
    /// 40 random bits.
    pub salt: i64,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, EVENT, [self.organization_no, self.sequence, self.salt])
    }
}

impl FromStr for EventId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let [organization_no, sequence, salt] = read(EVENT, text).ok_or(())?;
        Ok(Self { organization_no, sequence, salt })
    }
}

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, LOG, [self.organization_no, self.no, self.salt])
    }
}

impl FromStr for LogId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let [organization_no, no, salt] = read(LOG, text).ok_or(())?;
        Ok(Self { organization_no, no, salt })
    }
}

fn write(f: &mut fmt::Formatter<'_>, prefix: &str, [organization_no, number, salt]: [i64; 3]) -> fmt::Result {
    let [organization_no, number, salt] = [organization_no, number, salt].map(|part| u128::from(part.cast_unsigned()));
    let bits = (organization_no << 80) | (number << 40) | salt;
    let mut digits = [0; DIGITS];
    for (place, digit) in digits.iter_mut().rev().enumerate() {
        *digit = ALPHABET[(bits >> (place * 5)) as usize & 31];
    }
    f.write_str(prefix)?;
    f.write_str(std::str::from_utf8(&digits).expect("the alphabet is ASCII"))
}

fn read(prefix: &str, text: &str) -> Option<[i64; 3]> {
    let digits = text.strip_prefix(prefix).filter(|digits| digits.len() == DIGITS)?;
    let mut bits: u128 = 0;
    for byte in digits.bytes() {
        let digit = ALPHABET.iter().position(|&c| c == byte)?;
        bits = (bits << 5) | digit as u128;
    }
    const MASK: u128 = (1 << 40) - 1;
    let organization_no = i64::try_from(bits >> 80).ok().filter(|&no| no <= i64::from(u32::MAX))?;
    Some([organization_no, ((bits >> 40) & MASK) as i64, (bits & MASK) as i64])
}

#[cfg(test)]
mod tests {
    use super::{EventId, LogId};

    #[test]
    fn an_id_reads_back_as_itself_and_nothing_else_does() {
        for (organization_no, number, salt) in [(0, 0, 0), (1, 2, 3), (60_466_175, (1 << 36) - 1, (1 << 40) - 1)] {
            let event = EventId { organization_no, sequence: number, salt };
            let log = LogId { organization_no, no: number, salt };
            let (event_text, log_text) = (event.to_string(), log.to_string());
            assert_eq!((event_text.len(), log_text.len()), (27, 27));
            assert_eq!((event_text.parse(), log_text.parse()), (Ok(event), Ok(log)));
            assert_eq!((event_text.parse::<LogId>(), log_text.parse::<EventId>()), (Err(()), Err(())));
            assert_eq!(event_text.to_uppercase().parse::<EventId>(), Err(()));
        }
        for bad in ["", "evt_", "evt_zzzzzzzzzzzzzzzzzzzzzzz", "evt_0000000000000000000000é", "0"] {
            assert_eq!(bad.parse::<EventId>(), Err(()), "{bad}");
            assert_eq!(bad.replace("evt", "log").parse::<LogId>(), Err(()), "{bad}");
        }
    }
}
