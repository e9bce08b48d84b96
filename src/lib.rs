//! Ledgerline: an append-only audit log service. Modules in dependency order; imports point down the list.

pub mod error;

pub mod private_files;

pub mod tasks;

pub mod chance;

pub mod clock;

pub mod event;

pub mod question;

pub mod catalog;

pub mod auth;

pub mod store;

pub mod keys;

pub mod ingest;

pub mod reading;

pub mod delivery;

pub mod retention;

pub mod graphql;

pub mod http;

pub mod demo;

pub mod config;

pub mod app;

pub mod cli;

#[cfg(feature = "fuzzing")]
pub mod fuzzing;
