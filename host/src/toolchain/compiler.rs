//! A Rust compiler that has `core` for a microcontroller.
//!
//! Looked for in this order: the compiler in `PATH`, if it has the target's `core`; the same after `rustup target add`; the
//! distribution's compiler, with the sources of `core` from its own package, which Cargo then builds for the target.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::workspace::clean;
use super::{ToolchainError, install, version};

/// The oldest compiler that builds this workspace: its `rust-version`.
const OLDEST: (u32, u32) = (1, 95);

const DISTRIBUTION_RUSTC: &str = "/usr/bin/rustc";
const DISTRIBUTION_CARGO: &str = "/usr/bin/cargo";
const DISTRIBUTION_CORE: &str = "/usr/lib/rustlib/src/rust/library/core/Cargo.toml";
const LINKER: &str = "lld";

/// A compiler for a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compiler {
    /// The one in `PATH`, with the target's `core` ready made. It brings its linker.
    Installed {
        /// What it calls itself.
        version: String,
    },
    /// The distribution's; `core` is built from source and linked with `lld`.
    Distribution {
        /// What it calls itself.
        version: String,
    },
}

impl fmt::Display for Compiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Installed { version } => write!(f, "{version}"),
            Self::Distribution { version } => write!(f, "{version}, core from source"),
        }
    }
}

impl Compiler {
    /// The compiler that is here, if any. Installs nothing.
    pub fn find(target: &str) -> Option<Self> {
        Self::installed(target).or_else(Self::distribution)
    }

    pub(super) fn find_or_install(target: &'static str) -> Result<Self, ToolchainError> {
        if let Some(compiler) = Self::installed(target) {
            return Ok(compiler);
        }
        if rustup_may_be_asked() {
            crate::progress::tell!("installing: rustup target add {target}");
            let added = clean("rustup")
                .args(["target", "add", target])
                .stdin(Stdio::null())
                .status();
            match Self::installed(target) {
                Some(compiler) if added.is_ok_and(|status| status.success()) => return Ok(compiler),
                _ => crate::progress::tell!("rustup could not add the target; trying the distribution's compiler"),
            }
        }
        if let Some(compiler) = Self::distribution() {
            return Ok(compiler);
        }
        install::packages(WHAT, PACKAGES).map_err(|error| with_rustup(error, target))?;
        Self::distribution().ok_or_else(|| ToolchainError::Missing {
            what: WHAT,
            why: "the distribution's compiler is too old",
            commands: rustup_command(target),
        })
    }

    /// `cargo JOB` for a target, in a clean environment.
    pub fn cargo(&self, job: &str, target: &str) -> Command {
        let mut command = match self {
            Self::Installed { .. } => clean("cargo"),
            Self::Distribution { .. } => clean(DISTRIBUTION_CARGO),
        };
        command.arg(job).args(["--target", target]).env("DEFMT_LOG", "info");
        if matches!(self, Self::Distribution { .. }) {
            let linker = format!("CARGO_TARGET_{}_LINKER", target.to_uppercase().replace(['-', '.'], "_"));
            command
                .arg("-Zbuild-std=core")
                .env("RUSTC", DISTRIBUTION_RUSTC)
                .env("RUSTC_BOOTSTRAP", "1")
                .env(linker, LINKER);
        }
        command
    }

    fn installed(target: &str) -> Option<Self> {
        let output = clean("rustc")
            .args(["--print", "target-libdir", "--target", target])
            .output()
            .ok()?;
        let folder = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim_end());
        let is_core = |name: &str| name.starts_with("libcore-") && name.ends_with(".rlib");
        let has_core = folder
            .read_dir()
            .ok()?
            .flatten()
            .any(|entry| entry.file_name().to_str().is_some_and(is_core));
        let version = version(Path::new("rustc"))?;
        (has_core && recent(&version)).then_some(Self::Installed { version })
    }

    fn distribution() -> Option<Self> {
        let version = version(Path::new(DISTRIBUTION_RUSTC))?;
        let complete = Path::new(DISTRIBUTION_CORE).exists()
            && Path::new(DISTRIBUTION_CARGO).exists()
            // lld is one program under several names; under this one it runs but wants to be told which it is.
            && clean(LINKER).args(["-flavor", "gnu", "--version"]).output().is_ok_and(|output| output.status.success());
        (complete && recent(&version)).then_some(Self::Distribution { version })
    }
}

pub(super) const WHAT: &str = "a Rust compiler for the device";

/// Debian's and Ubuntu's packages; `rustc-web` is Debian's name for the compiler that is recent enough for browsers.
const PACKAGES: &[&str] = &["rustc-web", "rust-web-src", "cargo-web", "lld", "rust-web-clippy"];

fn rustup_may_be_asked() -> bool {
    let forbidden = env::var_os("TRIDENT_NO_RUSTUP").is_some() || install::forbidden();
    !forbidden && version(Path::new("rustup")).is_some()
}

fn rustup_command(target: &str) -> String {
    format!("  rustup target add {target}")
}

/// Names rustup's way beside the packages', since either will do.
fn with_rustup(error: ToolchainError, target: &str) -> ToolchainError {
    match error {
        ToolchainError::Missing { what, why, commands } => ToolchainError::Missing {
            what,
            why,
            commands: format!("{}\nor\n{commands}", rustup_command(target)),
        },
        other => other,
    }
}

/// What to type to get a compiler for a target.
pub(super) fn commands(target: &str) -> String {
    format!("{}\nor\n{}", rustup_command(target), install::commands(PACKAGES))
}

/// Whether `rustc 1.96.0 (…)` is recent enough.
fn recent(version: &str) -> bool {
    let mut numbers = version.split([' ', '.', '-']).skip(1).map(|word| word.parse::<u32>());
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= OLDEST,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        assert!(recent("rustc 1.95.0 (59807616e 2026-04-14)"));
        assert!(recent("rustc 2.0.0-nightly (59807616e 2026-04-14)"));
        assert!(!recent("rustc 1.63.0"));
        assert!(!recent("rustc 1.9.0"));
        assert!(!recent("something else"));
    }

    #[test]
    fn the_distribution_builds_core_from_source_with_its_own_compiler() {
        let version = "rustc 1.96.0".to_owned();
        let command = Compiler::Distribution { version }.cargo("build", "thumbv8m.main-none-eabihf");
        let set = |name: &str| command.get_envs().any(|(key, value)| key == name && value.is_some());
        assert!(set("RUSTC") && set("RUSTC_BOOTSTRAP") && set("CARGO_TARGET_THUMBV8M_MAIN_NONE_EABIHF_LINKER"));
        assert!(command.get_args().any(|argument| argument == "-Zbuild-std=core"));
    }
}
