//! The reading half: from a permission and a question to events.

mod find;
pub(super) mod page;
pub(super) mod selection;
pub(in crate::store) mod view;
