//! The rows of the database: no logic, no GraphQL.

#![expect(missing_docs, reason = "a column is what migration/ says of it")]

pub mod kind;
pub mod log;
pub mod organization_head;
