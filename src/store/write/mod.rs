//! The recording half: one transaction for a group of requests.

pub(in crate::store) mod append;
pub(in crate::store) mod clock_check;
pub(in crate::store) mod insert;
pub(in crate::store) mod logs;
mod nodes;
pub(in crate::store) mod organizations;
pub(in crate::store) mod stage;
pub(in crate::store) mod task;
