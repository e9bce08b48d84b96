//! The service, held to its promises through its public surface; every test runs on both databases.

mod harness;

mod access;
mod append_only;
mod bad_input;
mod crash;
mod failures;
mod filter_properties;
mod http;
mod import;
mod model;
mod paging_properties;
mod plans;
mod process;
mod smoke;
mod tenancy_properties;
mod term_traps;
