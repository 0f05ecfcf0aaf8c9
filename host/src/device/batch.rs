//! An image that needs no conversation: it is booted, runs to its end, and leaves files behind.

use std::ffi::OsStr;
use std::io::Read;
use std::path::Path;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::qemu::{BLOB_FILE, emulator, loader_option};
use super::{Board, DeviceError};

/// How long an image may run.
const PATIENCE: Duration = Duration::from_secs(300);

/// Boots `elf` with that blob in a slot, and waits until it ends. `program` is the emulator; `more` are arguments for it besides
/// the usual ones.
///
/// Gives the folder that the emulator worked in, with the files that the image wrote.
///
/// # Errors
/// The blob fits no slot, the emulator does not start, or the image ends with another status than 0 or not at all.
pub fn run_to_end(
    program: &Path,
    board: &'static Board,
    elf: &Path,
    blob: &[u8],
    more: &[&OsStr],
) -> Result<TempDir, DeviceError> {
    let loader = loader_option(board, Path::new(BLOB_FILE), blob.len())?;
    let folder = tempfile::Builder::new().prefix("trident-").tempdir();
    let folder = folder.map_err(DeviceError::io("create a folder for the emulator"))?;
    let path = folder.path().join(BLOB_FILE);
    std::fs::write(&path, blob).map_err(DeviceError::io(format!("write {}", path.display())))?;
    let mut command = emulator(program, board, elf, folder.path());
    command.args(["-serial", "none", "-device", &loader]).args(more);
    let mut child = command
        .spawn()
        .map_err(DeviceError::io(format!("start {}", program.display())))?;
    let started = Instant::now();
    let status = loop {
        match child.try_wait().map_err(DeviceError::io("wait for the emulator"))? {
            Some(status) => break status,
            None if started.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(5)),
            None => {
                // An error means that it is gone already.
                let _ = child.kill();
                let _ = child.wait();
                return Err(DeviceError::Timeout {
                    after: PATIENCE,
                    log: said(&mut child),
                });
            }
        }
    };
    if status.success() {
        return Ok(folder);
    }
    Err(DeviceError::Ended {
        status: status.to_string(),
        log: said(&mut child),
    })
}

/// The emulator's argument, to `-device`, that puts the blob of such a folder into a slot.
///
/// # Errors
/// There is no blob, or it fits no slot.
pub fn loader(board: &'static Board, folder: &Path) -> Result<String, DeviceError> {
    let path = folder.join(BLOB_FILE);
    let len = std::fs::metadata(&path)
        .map_err(DeviceError::io(format!("read {}", path.display())))?
        .len();
    loader_option(board, &path, len as usize)
}

/// What emulator and image said. They say little, less than a pipe holds.
fn said(child: &mut Child) -> String {
    let mut log = Vec::new();
    // What cannot be read any more was not said.
    let _ = child.stderr.take().map(|mut stream| stream.read_to_end(&mut log));
    let _ = child.stdout.take().map(|mut stream| stream.read_to_end(&mut log));
    String::from_utf8_lossy(&log)
        .lines()
        .map(|line| format!("  {line}\n"))
        .collect()
}
