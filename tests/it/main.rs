//! The service, held to its promises through its public surface; every test runs on both databases.

#![expect(clippy::disallowed_methods, reason = "a test is outside: it chooses the time, and may wait, spawn and draw")]
#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the numbers of a test are small")]
#![expect(clippy::unwrap_used, reason = "what is no value fails the test")]

mod harness;

mod access;
mod access_matrix;
mod alerts;
mod append_only;
mod architecture;
mod bad_input;
mod bombs;
mod catalog_files;
mod clocks;
mod commands;
mod copy;
mod crash;
mod cursors;
mod days;
mod edge;
mod endpoints;
mod endpoints_command;
mod export_command;
mod export_kills;
mod exports;
mod facets;
mod failures;
mod feed;
mod filter_properties;
mod http;
mod import;
mod issuers;
mod live;
mod logs;
mod masking;
mod model;
mod narrowed;
mod neighbours;
mod numbers;
mod odd;
mod outsiders;
mod paging_properties;
mod partitions;
mod plans;
mod process;
mod processes;
mod products;
mod reading;
mod reads;
mod recording;
mod refused_starts;
mod reindex;
mod replica;
mod requirements;
mod rest;
mod rest_document;
mod rest_products;
mod retention;
mod schema;
mod sessions;
mod several;
mod sharding;
mod smoke;
mod sqlite_files;
mod stored;
mod tenancy_properties;
mod term_traps;
mod tokens;
mod torn_connections;
mod totals;
mod upgrades;
mod went_back;
mod wire;
mod writer_task;
mod written_pages;
