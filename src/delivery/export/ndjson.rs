//! NDJSON, version 1: the JSON form of an event as REST answers it, one a line.

use super::json_line;
use crate::reading::shown::{Shown, json::AuditEvent};

/// Writes an event.
pub fn line(shown: &Shown, out: &mut Vec<u8>) {
    json_line(&AuditEvent::of(shown), out);
}
