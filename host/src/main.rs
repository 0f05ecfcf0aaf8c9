//! The `trident` command. Everything it does lives in the library; this file only turns errors into an exit status.

use std::process::ExitCode;

/// Training allocates and frees large tensors at every step; the system's allocator hands them back to the kernel each time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    trident_host::cli::main()
}
