//! The service, held to its promises through its public surface; every test runs on both databases.

mod harness;

mod access;
mod append_only;
mod architecture;
mod bad_input;
mod catalog_files;
mod crash;
mod failures;
mod filter_properties;
mod http;
mod import;
mod logs;
mod model;
mod paging_properties;
mod plans;
mod process;
mod products;
mod reading;
mod recording;
mod requirements;
mod schema;
mod smoke;
mod tenancy_properties;
mod term_traps;
mod written_pages;
