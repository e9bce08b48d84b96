//! The rows of the database: no logic, no GraphQL. Tables that are no hot path are read and written through these; the
//! hot path reads some of them by statements of its own.

#![expect(missing_docs, reason = "a column is what migration/ says of it")]

pub mod alert_message;
pub mod alert_rule;
pub mod alert_watch;
pub mod attempt;
pub mod dead_letter;
pub mod delivery;
pub mod endpoint;
pub mod erased_event;
pub mod erasure;
pub mod export;
pub mod history;
pub mod hold;
pub mod issuer_key;
pub mod kind;
pub mod log;
pub mod masking_key;
pub mod organization;
pub mod organization_end;
pub mod organization_head;
pub mod organization_plan;
pub mod partner_token;
pub mod plain_hashes;
pub mod retention;
pub mod saved_view;
pub mod schema_history;
pub mod stale_terms;
pub mod sweep;
pub mod sweep_clock;
