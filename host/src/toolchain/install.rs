//! Installing packages: as root at once, on a terminal after asking, else not at all, with the commands to type.

use std::env;
use std::io::{BufRead, IsTerminal, Write, stderr, stdin};
use std::path::Path;
use std::process::{Command, Stdio};

use super::workspace::clean;
use super::{ToolchainError, version, words};

/// Whether `TRIDENT_NO_INSTALL` forbids it.
pub(super) fn forbidden() -> bool {
    env::var_os("TRIDENT_NO_INSTALL").is_some_and(|value| !value.is_empty() && value != "0")
}

/// The commands to type for those packages of Debian and Ubuntu.
pub(super) fn commands(packages: &[&str]) -> String {
    let sudo = if is_root() { "" } else { "sudo " };
    let packages = packages.join(" ");
    format!("  {sudo}apt-get update\n  {sudo}apt-get install -y --no-install-recommends {packages}")
}

/// Installs packages for `what`, saying so first.
///
/// # Errors
/// It is forbidden, nobody can be asked, the answer was no, or a command failed.
pub(super) fn packages(what: &'static str, packages: &[&str]) -> Result<(), ToolchainError> {
    let missing = |why| ToolchainError::Missing {
        what,
        why,
        commands: commands(packages),
    };
    if forbidden() {
        return Err(missing("TRIDENT_NO_INSTALL forbids installing"));
    }
    if version(Path::new("apt-get")).is_none() {
        return Err(missing("this program installs with apt-get only, which is not here"));
    }
    if !is_root() {
        if !(stdin().is_terminal() && stderr().is_terminal()) {
            return Err(missing("only root may install it and there is no terminal to ask on"));
        }
        if !agreed(what, packages) {
            return Err(missing("you said no"));
        }
    }
    crate::progress::tell!("installing {what}: {}", packages.join(" "));
    apt(what, &["update"], &[])?;
    apt(what, &["install", "-y", "--no-install-recommends"], packages)
}

fn agreed(what: &str, packages: &[&str]) -> bool {
    eprint!("{what} is missing. Run these now?\n{}\n[y/N] ", commands(packages));
    let mut answer = String::new();
    let asked = stderr().flush().and_then(|()| stdin().lock().read_line(&mut answer));
    asked.is_ok() && ["y", "yes"].contains(&answer.trim().to_lowercase().as_str())
}

fn apt(what: &'static str, job: &[&str], packages: &[&str]) -> Result<(), ToolchainError> {
    let mut command = if is_root() { clean("apt-get") } else { sudo() };
    command
        .args(job)
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive");
    // Standard output is for results; apt's chatter is shown only if it fails.
    let output = command.stdin(Stdio::inherit()).output();
    let output = output.map_err(ToolchainError::io("run", Path::new("apt-get")))?;
    if output.status.success() {
        return Ok(());
    }
    eprint!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Err(ToolchainError::Install {
        what,
        command: words(&command),
        status: output.status.to_string(),
    })
}

fn sudo() -> Command {
    let mut command = clean("sudo");
    command.arg("apt-get");
    command
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}
