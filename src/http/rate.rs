//! How often one subject of an organization may read, with whichever token.

use std::num::NonZeroU32;

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};

use crate::{
    auth::Principal,
    error::{Error, Result},
};

/// Requests that may come at once.
const BURST: NonZeroU32 = NonZeroU32::new(100).expect("100 is not zero");
/// Subjects after which those that have rested are forgotten.
const REMEMBERED: usize = 10_000;

/// A limit per subject; writing is never limited here.
pub struct ReadRate(Option<DefaultKeyedRateLimiter<String>>);

impl ReadRate {
    /// So many reads a minute, in bursts of up to 100; 0 is no limit.
    #[must_use]
    pub fn per_minute(reads: u32) -> Self {
        Self(NonZeroU32::new(reads).map(|reads| RateLimiter::keyed(Quota::per_minute(reads).allow_burst(BURST))))
    }

    /// Counts a read; all who bring no token share one limit.
    ///
    /// # Errors
    /// `RATE_LIMITED`.
    pub fn check(&self, principal: Option<&Principal>) -> Result<()> {
        let Some(limiter) = &self.0 else { return Ok(()) };
        if limiter.len() > REMEMBERED {
            limiter.retain_recent();
        }
        let key = principal.map_or_else(String::new, |principal| {
            let organization = principal.organization.as_deref().unwrap_or_default();
            format!("{}\u{0}{organization}\u{0}{}", principal.product.name, principal.subject)
        });
        limiter.check_key(&key).map_err(|wait| {
            let wait = wait.wait_time_from(DefaultClock::default().now());
            Error::RateLimited { retry_after_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1) }
        })
    }
}
