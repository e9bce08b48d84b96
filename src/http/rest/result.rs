//! What became of one of several events.

use serde::Serialize;
use utoipa::ToSchema;

use super::fault::Fault;
use crate::{error::Result, reading::shown::json::snake, store::Recorded};

/// Whether an event is new.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RecordStatus {
    /// It was recorded now.
    Recorded,
    /// The same idempotency key and content was recorded before; that event is answered.
    AlreadyRecorded,
}

impl RecordStatus {
    /// Whether a recorded event is new.
    pub fn of(recorded: &Recorded) -> Self {
        if recorded.already { Self::AlreadyRecorded } else { Self::Recorded }
    }
}

/// What became of one event.
#[derive(Serialize, ToSchema)]
pub struct RecordResult {
    /// Its place in the request, from 0.
    index: usize,
    /// The organization that it names, else the token's; null where neither does.
    #[schema(required = true)]
    organization: Option<String>,
    /// Whether it is new; null where it was refused.
    #[schema(required = true)]
    status: Option<RecordStatus>,
    /// Its event's id.
    #[schema(required = true)]
    event_id: Option<String>,
    /// Its place in the organization's order of recording.
    #[schema(required = true)]
    sequence: Option<i64>,
    /// Paths of what is not recorded as it was sent.
    truncated: Vec<String>,
    /// Paths of what the product masks.
    masked: Vec<String>,
    /// Why it was refused.
    #[schema(required = true)]
    error: Option<Fault>,
}

impl RecordResult {
    /// The result of the event at a place.
    pub fn of(index: usize, organization: Option<String>, result: Result<Recorded>) -> Self {
        match result {
            Ok(recorded) => Self {
                index,
                organization,
                status: Some(RecordStatus::of(&recorded)),
                event_id: Some(recorded.event.id().to_string()),
                sequence: Some(recorded.event.sequence),
                truncated: recorded.event.truncated.iter().map(|path| snake(path)).collect(),
                masked: recorded.event.masked.iter().map(|path| snake(path)).collect(),
                error: None,
            },
            Err(error) => Self {
                index,
                organization,
                status: None,
                event_id: None,
                sequence: None,
                truncated: Vec::new(),
                masked: Vec::new(),
                error: Some((&error).into()),
            },
        }
    }

    /// Whether it is new.
    pub fn status(&self) -> Option<RecordStatus> {
        self.status
    }
}
