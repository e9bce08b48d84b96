//! The `ledgerline` command.

use std::{io::Write, process::ExitCode};

/// Faster than the system's under many small allocations, which is what GraphQL answers are made of. SQLite's, too: its
/// crate's feature `override` puts it in the place of C's `malloc`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Stack of a worker thread. GraphQL documents are validated and resolved by recursion, within limits that fit easily.
const STACK_BYTES: usize = 8 * 1024 * 1024;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(STACK_BYTES).build();
    // The commands run on a worker: the main thread's stack is the system's choice.
    #[expect(clippy::disallowed_methods, reason = "it is awaited at once, and its panic is an error")]
    let done = runtime.map_err(anyhow::Error::from).and_then(|runtime| {
        runtime.block_on(async { tokio::spawn(ledgerline::cli::run()).await.map_err(anyhow::Error::from) }).flatten()
    });
    match done {
        Ok(code) => code,
        Err(error) => {
            // Nobody may be there to read it.
            let _ = writeln!(std::io::stderr(), "ledgerline: {error:#}");
            ExitCode::FAILURE
        }
    }
}
