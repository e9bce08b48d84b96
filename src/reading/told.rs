//! Reads are told of, where the product asks for it: before an answer goes out, the event that tells of it is durable.
//!
//! Once an hour, by whom and by the shape of the question: what is read (a list, an event, ...), of which log, and by which
//! filters, but not by which values or words. What was told is remembered, so that all but the first read of an hour
//! cost a look into memory.

use std::sync::Arc;

use moka::sync::Cache;
use serde_json::json;

use super::Reader;
use crate::{
    auth::{LogName, Principal, policy},
    error::Result,
    event::hash::{self, Hash},
    ingest::{self, Writer},
    question::input::FilterInput,
};

/// How long reads of one shape are one event, in nanoseconds.
const HOUR: i64 = 3_600 * 1_000_000_000;
/// Reads that are remembered; one that is not costs a look into the database.
const REMEMBERED: u64 = 100_000;

/// What is read.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// A page of a list, with what is counted of it.
    List,
    /// An event by its id.
    Event,
    /// A list that is followed: live, or as a feed.
    Follow,
    /// A list as a file.
    Export,
    /// Names of actors.
    Actors,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::List => "LIST",
            Self::Event => "EVENT",
            Self::Follow => "FOLLOW",
            Self::Export => "EXPORT",
            Self::Actors => "ACTORS",
        }
    }
}

/// The way to where reads are told of, and what was told.
#[derive(Clone)]
pub(super) struct Telling {
    writer: Writer,
    told: Arc<Cache<Hash, i64>>,
}

impl Reader {
    /// The same for people and programs outside, whose reads are told of.
    #[must_use]
    pub fn telling(self, writer: Writer) -> Self {
        Self { telling: Some(Telling { writer, told: Arc::new(Cache::new(REMEMBERED)) }), ..self }
    }

    /// Tells of a read of an organization that has recorded something, where its product asks for that.
    ///
    /// # Errors
    /// `OVERLOADED` and `UNAVAILABLE` where that cannot be recorded: nothing is shown then.
    pub(super) async fn tell(
        &self,
        principal: &Principal,
        organization: &str,
        kind: Kind,
        log: Option<&LogName>,
        filter: Option<&FilterInput>,
    ) -> Result<()> {
        let (Some(telling), Some(_)) = (&self.telling, &principal.product.record_reads) else { return Ok(()) };
        let now = self.clock.now();
        let hour = now.0.div_euclid(HOUR);
        let log = log.map(ToString::to_string);
        let filters = filter.map(FilterInput::named).unwrap_or_default();
        let shape = json!([principal.product.name, organization, principal.subject, kind.as_str(), log, filters]);
        let shape = shape.to_string();
        let remembered = hash::of([&shape]);
        if telling.told.get(&remembered) == Some(hour) {
            return Ok(());
        }
        let scope = policy::may_tell(principal, organization)?;
        let told = json!({ "kind": kind.as_str(), "log": log, "filters": filters });
        ingest::tell_of_read(&telling.writer, principal, scope, told, &format!("{hour} {shape}"), now).await?;
        telling.told.insert(remembered, hour);
        Ok(())
    }
}
