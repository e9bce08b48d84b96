//! The one door in: permission and admission (is it valid, may it be recorded), the writer (group commit), a receipt.

mod admit;
pub mod alerts;
pub mod ends;
pub mod erasures;
mod exports;
mod manage;
pub mod plans;
mod queue;
mod rate;
mod reads;
mod record;
pub mod retention;
mod rules;
mod tokens;
pub mod views;
mod writer;

pub use admit::admit;
pub use exports::create_export;
pub use manage::{Told, change};
pub use reads::tell_of_read;
pub use record::{Answered, Batch, Deletion, Sent, access, item, record_all, record_each, record_many, record_one};
pub use tokens::{MadeToken, WantedToken, create_token, revoke_token};
pub use writer::Writer;
