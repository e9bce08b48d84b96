//! The reading half: from a permission and a question to events.

pub(in crate::store) mod find;
pub(in crate::store) mod page;
pub(in crate::store) mod selection;
pub(in crate::store) mod view;
