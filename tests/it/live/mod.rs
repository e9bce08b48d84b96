//! Events as they are recorded: by WebSocket and by server-sent events, each once, in order, and nobody else's.

mod client;
mod held;
mod plans;
mod sockets;
mod streams;

/// Follows an organization's log.
const FOLLOW: &str = "subscription($after: String, $filter: AuditEventFilter, $search: String, $log: AuditLogInput) {
    auditEventRecorded(after: $after, filter: $filter, search: $search, log: $log) {
        cursor node { sequence action } } }";
