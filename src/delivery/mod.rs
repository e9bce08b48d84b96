//! The ways out of the log beside reading: whoever follows an organization's sequence, with a place that is stored.
//!
//! Queues, tries and dead letters name events by their sequence and never hold them, so what is erased from the log is
//! nowhere else. Every reading for somebody asks the policy anew.

pub mod alerts;
pub mod courier;
pub mod endpoint;
pub mod export;
pub mod mail;
mod maker;
pub mod outbound;
pub mod sinks;

pub use alerts::Alerts;
pub use courier::Courier;
pub use outbound::Outbound;
