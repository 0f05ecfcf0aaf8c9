//! Why there are no cycles.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use super::counts::BadLine;
use super::pricing::Unpriced;
use crate::toolchain::ToolchainError;

/// Why there are no cycles.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unavailable {
    /// No prices are known for that core.
    #[error("cycles are modelled for the Cortex-M4 alone, not for the {core}")]
    Core {
        /// The core.
        core: &'static str,
    },
    /// The emulator is missing.
    #[error(transparent)]
    Toolchain(#[from] ToolchainError),
    /// The plugin does not compile.
    #[error("the tracer was not compiled: `{command}` ended with {status}\n{output}")]
    Compiler {
        /// The command.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// What the compiler said.
        output: String,
    },
    /// The image has no function of that name, or several.
    #[error("the image has {found} functions named `{symbol}`")]
    Symbol {
        /// The name.
        symbol: String,
        /// How many.
        found: usize,
    },
    /// The emulator knows no plugins, or the program ended before that call returned.
    #[error("the emulator ended ({status}) before call {nth} of `{symbol}` returned\n{output}")]
    Ended {
        /// How it ended.
        status: ExitStatus,
        /// The function.
        symbol: String,
        /// The call.
        nth: u32,
        /// What the emulator said.
        output: String,
    },
    /// That call did not return in time.
    #[error("call {nth} of `{symbol}` did not return within {} s", after.as_secs())]
    Timeout {
        /// The function.
        symbol: String,
        /// The call.
        nth: u32,
        /// How long it was waited for.
        after: Duration,
    },
    /// Something jumped to the function, so that it is unknown when it returns.
    #[error("`{symbol}` was not called but jumped to, from {address:#x}")]
    NotCalled {
        /// The function.
        symbol: String,
        /// Where from.
        address: u32,
    },
    /// The tracer wrote something else than counts.
    #[error(transparent)]
    Counts(#[from] BadLine),
    /// An instruction was executed that has no price.
    #[error(transparent)]
    Price(#[from] Unpriced),
    /// A file or program could not be used.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

impl Unavailable {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}
