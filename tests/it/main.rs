//! The service, held to its promises through its public surface; every test runs on both databases.

mod harness;

mod access;
mod access_matrix;
mod append_only;
mod architecture;
mod bad_input;
mod bombs;
mod catalog_files;
mod copy;
mod crash;
mod days;
mod failures;
mod filter_properties;
mod http;
mod import;
mod logs;
mod model;
mod paging_properties;
mod partitions;
mod plans;
mod process;
mod processes;
mod products;
mod reading;
mod recording;
mod refused_starts;
mod replica;
mod requirements;
mod schema;
mod sharding;
mod smoke;
mod tenancy_properties;
mod term_traps;
mod totals;
mod written_pages;
