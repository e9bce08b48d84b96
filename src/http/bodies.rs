//! What bodies take of the memory while they are worked on. A body is counted as it arrives and unpacks, and once more
//! before its values are made of it, since they take many times its bytes. Where one caller, or all together, would take
//! more than there is, whoever comes next is told to try again.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    auth::Principal,
    error::{Error, Result},
};

/// Bytes that all bodies may take at once.
const ALL: usize = 384 << 20;
/// Bytes that those of one organization may take at once; of tokens that are for none in particular, those of a product.
const ONE: usize = 128 << 20;
/// Bytes that a value takes once it is read, whichever it is.
pub const VALUE: usize = 128;
/// Most values of one body.
pub const VALUES: usize = 500_000;
/// When a caller is told to try again.
const RETRY_AFTER_MS: u64 = 250;

/// The bodies of this process.
#[derive(Default)]
pub struct Bodies(Mutex<Taken>);

#[derive(Default)]
struct Taken {
    all: usize,
    /// By product and organization.
    of: HashMap<String, usize>,
}

/// What one request's body takes. It is free again when this is dropped.
pub struct Room {
    bodies: Arc<Bodies>,
    whose: String,
    bytes: usize,
}

impl Bodies {
    fn taken(&self) -> std::sync::MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Room for a body of somebody's, nothing of it taken yet. All who bring no token are one.
    #[must_use]
    pub fn room(self: &Arc<Self>, principal: Option<&Principal>) -> Room {
        let whose = principal.map_or_else(String::new, |principal| {
            format!("{}\u{0}{}", principal.product.name, principal.organization.as_deref().unwrap_or_default())
        });
        Room { bodies: self.clone(), whose, bytes: 0 }
    }
}

impl Room {
    /// Takes so many bytes more.
    ///
    /// # Errors
    /// `OVERLOADED`.
    pub fn take(&mut self, bytes: usize) -> Result<()> {
        let mut taken = self.bodies.taken();
        let own = taken.of.get(&self.whose).copied().unwrap_or_default();
        if taken.all.saturating_add(bytes) > ALL || own.saturating_add(bytes) > ONE {
            metrics::counter!("ledgerline_bodies_refused_total").increment(1);
            return Err(Error::Overloaded { retry_after_ms: RETRY_AFTER_MS });
        }
        taken.all += bytes;
        *taken.of.entry(self.whose.clone()).or_default() += bytes;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut taken = self.bodies.taken();
        taken.all -= self.bytes;
        let left = taken.of.get(&self.whose).map_or(0, |own| own - self.bytes);
        match left {
            0 => drop(taken.of.remove(&self.whose)),
            left => *taken.of.entry(self.whose.clone()).or_default() = left,
        }
    }
}

/// How many values a JSON text has at most, strings left aside: one more than it has commas and open brackets.
#[must_use]
pub fn values(text: &[u8]) -> usize {
    let (mut count, mut in_string, mut escaped) = (1, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b',' | b'[' | b'{' if !in_string => count += 1,
            _ => {}
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(bodies: &Arc<Bodies>, whose: &str) -> Room {
        Room { bodies: bodies.clone(), whose: whose.to_owned(), bytes: 0 }
    }

    #[test]
    fn one_organization_leaves_room_for_others_and_all_have_an_end() {
        let bodies = Arc::<Bodies>::default();
        let (mut first, mut second) = (room(&bodies, "a"), room(&bodies, "a"));
        first.take(ONE - 10).unwrap();
        assert!(matches!(second.take(11), Err(Error::Overloaded { retry_after_ms: 1.. })));
        second.take(10).unwrap();
        let (mut other, mut third) = (room(&bodies, "b"), room(&bodies, "c"));
        other.take(ONE).unwrap();
        third.take(ALL - 2 * ONE).unwrap();
        room(&bodies, "d").take(1).unwrap_err();
        // What is done with is free again, and nothing of it is kept.
        drop(first);
        room(&bodies, "d").take(ONE - 10).unwrap();
        drop((second, other, third));
        assert!(bodies.taken().all == 0 && bodies.taken().of.is_empty());
    }

    #[test]
    fn values_are_counted_before_they_are_made() {
        for (text, count) in [
            ("1", 1),
            ("[1,1,1]", 4),
            (r#"{"a":1,"b":[{},{}]}"#, 7),
            (r#"{"a":"[,,,{\",[","b":2}"#, 3),
            (r#"["\\",","]"#, 3),
        ] {
            assert_eq!(values(text.as_bytes()), count, "{text}");
        }
    }
}
