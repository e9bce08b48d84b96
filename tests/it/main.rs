//! The service, held to its promises through its public surface; every test runs on both databases.

mod harness;

mod smoke;
