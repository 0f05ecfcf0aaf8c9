//! The `trident` command. Everything it does lives in the library; this file only turns errors into an exit status.

use std::process::ExitCode;

fn main() -> ExitCode {
    trident_host::cli::main()
}
