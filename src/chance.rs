//! Randomness is an argument: whoever draws is given a [`Chance`].

use std::sync::Arc;

/// A source of numbers that nobody can foresee.
#[derive(Clone)]
pub struct Chance(Arc<dyn Fn() -> u64 + Send + Sync>);

impl Chance {
    /// The machine's generator, seeded by the operating system.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the chance that everybody else is given")]
    pub fn system() -> Self {
        Self::new(rand::random::<u64>)
    }

    /// A source that answers what `draw` does.
    #[must_use]
    pub fn new(draw: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(draw))
    }

    /// The next number.
    #[must_use]
    pub fn draw(&self) -> u64 {
        (self.0)()
    }

    /// An id that nobody can guess: a beginning that says of what, and 88 bits in hexadecimal digits.
    #[must_use]
    pub fn id(&self, prefix: &str) -> String {
        format!("{prefix}{:016x}{:06x}", self.draw(), self.draw() >> 40)
    }

    /// The next number of so many bits, at most 63.
    #[must_use]
    pub fn bits(&self, bits: u32) -> i64 {
        (self.draw() >> (u64::BITS - bits)).cast_signed()
    }
}
