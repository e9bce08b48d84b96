//! The `ledgerline` command.

use std::process::ExitCode;

/// Faster than the system's under many small allocations, which is what GraphQL answers are made of.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    match ledgerline::cli::run().await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("ledgerline: {error:#}");
            ExitCode::FAILURE
        }
    }
}
