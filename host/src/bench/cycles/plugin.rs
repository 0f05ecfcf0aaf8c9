//! Compiles the emulator's plugin, `tracer.c`, with the C compiler that also linked this program.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

use super::Unavailable;
use crate::hex;
use crate::toolchain::{Toolchain, version, words};

const SOURCE: &str = include_str!("tracer.c");
const COMPILER: &str = "cc";

/// The plugin for that emulator: built at most once per source and version, and kept in the workspace's `target`.
pub(super) fn compiled_for(emulator: &Path, toolchain: &Toolchain) -> Result<PathBuf, Unavailable> {
    let version = interface_version(&version(emulator).unwrap_or_default());
    let digest = hex::encode(&Sha256::digest(format!("{version} {SOURCE}")));
    let folder = toolchain.workspace().root().join("target/tracer");
    let plugin = folder.join(format!("{}.so", &digest[..16]));
    if plugin.exists() {
        return Ok(plugin);
    }
    std::fs::create_dir_all(&folder).map_err(Unavailable::io("create", &folder))?;
    // Built under another name: whoever compiles at the same time puts the same bytes in the same place.
    let partial = tempfile::Builder::new().prefix("partial-").tempdir_in(&folder);
    let partial = partial.map_err(Unavailable::io("make a folder in", &folder))?;
    let (source, library) = (partial.path().join("tracer.c"), partial.path().join("tracer.so"));
    std::fs::write(&source, SOURCE).map_err(Unavailable::io("write", &source))?;
    compile(&source, &library, version)?;
    std::fs::rename(&library, &plugin).map_err(Unavailable::io("write", &plugin))?;
    Ok(plugin)
}

/// The version of the plugin interface to declare: the newest of those three that the emulator knows.
fn interface_version(emulator: &str) -> u32 {
    let number = |word: &str| {
        let mut parts = word.split('.').map(str::parse::<u32>);
        Some((parts.next()?.ok()?, parts.next()?.ok()?))
    };
    match emulator.split(' ').find_map(number) {
        Some(version) if version >= (9, 1) => 3,
        Some(version) if version >= (9, 0) => 2,
        _ => 1,
    }
}

fn compile(source: &Path, library: &Path, version: u32) -> Result<(), Unavailable> {
    let mut command = Command::new(COMPILER);
    command
        .args(["-O2", "-shared", "-fPIC", "-fvisibility=hidden"])
        .arg(format!("-DPLUGIN_VERSION={version}"))
        .arg("-o")
        .args([library, source])
        .stdin(Stdio::null());
    let output = command.output().map_err(Unavailable::io("run", Path::new(COMPILER)))?;
    if output.status.success() {
        return Ok(());
    }
    Err(Unavailable::Compiler {
        command: words(&command),
        status: output.status,
        output: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emulators_declare_the_interface_that_they_accept() {
        assert_eq!(
            interface_version("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)"),
            1
        );
        assert_eq!(
            interface_version("QEMU emulator version 8.2.2 (Debian 1:8.2.2+ds-0ubuntu1)"),
            1
        );
        assert_eq!(interface_version("QEMU emulator version 9.0.0"), 2);
        assert_eq!(interface_version("QEMU emulator version 10.0.3"), 3);
    }
}
