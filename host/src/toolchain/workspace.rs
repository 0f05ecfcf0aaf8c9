//! Where the sources are, and a clean environment for programs that are run on them.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::ToolchainError;

/// The folder of the workspace's `Cargo.toml`.
#[derive(Debug)]
pub struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The workspace that this program was built from, or the one that `TRIDENT_WORKSPACE` names.
    ///
    /// # Errors
    /// [`ToolchainError::WorkspaceGone`] if there is no firmware in it.
    pub fn find() -> Result<Self, ToolchainError> {
        let built_from = || Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let path = env::var_os("TRIDENT_WORKSPACE").map_or_else(built_from, PathBuf::from);
        match path.canonicalize() {
            Ok(root) if root.join("firmware/Cargo.toml").is_file() => Ok(Self { root }),
            _ => Err(ToolchainError::WorkspaceGone { path }),
        }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where firmware is built: apart from the host's own builds, so that neither waits for the other's lock.
    pub fn firmware_folder(&self) -> PathBuf {
        self.root.join("target/firmware")
    }

    /// Waits until no other thread or program installs or builds; the lock ends when it is dropped.
    pub(super) fn lock(&self) -> Result<File, ToolchainError> {
        let folder = self.firmware_folder();
        fs::create_dir_all(&folder).map_err(ToolchainError::io("create", &folder))?;
        let path = folder.join("lock");
        let file = File::create(&path).map_err(ToolchainError::io("create", &path))?;
        file.lock().map_err(ToolchainError::io("lock", &path))?;
        Ok(file)
    }
}

/// A command that inherits nothing of a surrounding `cargo run` or `cargo test` which would change what it builds.
pub(super) fn clean(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        if changes_builds(&name.to_string_lossy()) {
            command.env_remove(name);
        }
    }
    command
}

/// Whether a variable tells Cargo, rustc or rustup how to build; not where they live or how they reach a registry.
fn changes_builds(name: &str) -> bool {
    const KEPT: [&str; 5] = [
        "CARGO_HOME",
        "CARGO_NET_",
        "CARGO_HTTP_",
        "CARGO_REGISTR",
        "CARGO_SOURCE_",
    ];
    const REMOVED: [&str; 5] = ["CARGO", "RUSTC", "RUSTFLAGS", "RUSTDOC", "DEFMT_"];
    let begins = |prefix: &&str| name.starts_with(prefix);
    // Cargo puts its own compiler's libraries first, which another compiler must not load.
    let other = [
        "RUSTUP_TOOLCHAIN",
        "LD_LIBRARY_PATH",
        "DYLD_FALLBACK_LIBRARY_PATH",
        "TRIDENT_PUBLIC_KEY",
    ]
    .contains(&name);
    other || REMOVED.iter().any(begins) && !KEPT.iter().any(begins)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_settings_are_removed_and_homes_kept() {
        for name in [
            "CARGO",
            "CARGO_BUILD_TARGET",
            "CARGO_ENCODED_RUSTFLAGS",
            "RUSTC_WRAPPER",
            "RUSTFLAGS",
            "RUSTUP_TOOLCHAIN",
        ] {
            assert!(changes_builds(name), "{name}");
        }
        for name in [
            "CARGO_HOME",
            "CARGO_HTTP_PROXY",
            "CARGO_REGISTRIES_CRATES_IO_PROTOCOL",
            "RUSTUP_HOME",
            "PATH",
            "HOME",
        ] {
            assert!(!changes_builds(name), "{name}");
        }
    }

    #[test]
    fn the_workspace_is_the_one_this_was_built_from() {
        let workspace = Workspace::find().unwrap();
        assert!(workspace.root().join("host/Cargo.toml").is_file());
    }
}
