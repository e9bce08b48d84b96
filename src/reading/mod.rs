//! The door out, twin of [`ingest`](crate::ingest): a question comes in with whoever asks it, and what they may see of the
//! log goes out. Here, and nowhere else on the way out, the policy is asked and the store is read. GraphQL asks here
//! today; a REST route, an export and a live list will ask the same, so nothing here knows how a question came or how
//! its answer is written.

mod completions;
mod ends;
mod erasures;
mod exports;
pub mod extract;
mod facets;
mod find;
pub mod follow;
mod held;
pub mod list;
mod once;
mod plans;
mod readable;
mod retention;
pub mod shown;
mod tokens;
mod told;
mod views;

pub use completions::Completion;
pub use erasures::ErasurePreview;
pub use find::Found;
pub use held::Held;
pub use once::Once;
pub use readable::{Choice, Readable};
pub use retention::{Kept, LevelKept};
pub use tokens::{AskedTokens, Tokens};
pub use views::SeenView;

use crate::{
    clock::Clock,
    store::{Missing, Store},
};

/// Answers questions from a database.
#[derive(Clone)]
pub struct Reader {
    store: Store,
    /// Days of a viewer end today.
    clock: Clock,
    /// Where reads are told of, if they are.
    telling: Option<told::Telling>,
}

impl Reader {
    /// Reads from a store.
    #[must_use]
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock, telling: None }
    }

    /// What this process has acknowledged and not found again.
    #[must_use]
    pub fn missing(&self) -> Option<Missing> {
        self.store.missing()
    }
}
