//! The rows of the database: no logic, no GraphQL.

#![expect(missing_docs, reason = "a column is what migration/ says of it")]

pub mod action;
pub mod actor_directory;
pub mod event;
pub mod log;
pub mod organization;
pub mod organization_head;
