//! A board under QEMU, from launch to kill.
//!
//! The emulator works in a folder of its own, which holds the blob and the FIFOs and goes with it. It dies with its [`Qemu`]; if
//! this whole program is killed, the kernel kills it too where `setpriv` is there to ask for that, and otherwise firmware
//! ends when its FIFO does.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use defmt_decoder::Table;
use tempfile::TempDir;

use super::log::Log;
use super::transport::{Fifos, Transport};
use super::{Board, DeviceError};
use crate::toolchain::Toolchain;

/// How host and emulated board talk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LinkKind {
    /// FIFOs that the firmware opens by semihosting: fast.
    #[default]
    Fifo,
    /// The board's UART: slow, as on a board.
    Uart,
}

/// A running emulator.
#[derive(Debug)]
pub struct Qemu {
    child: Child,
    reader: Option<JoinHandle<()>>,
    log: Log,
    _folder: TempDir,
}

impl Qemu {
    /// Builds the firmware if need be, puts the blob into the first slot that it fits into, and starts the board.
    ///
    /// # Errors
    /// A tool is missing, the blob fits no slot, or the emulator does not start.
    pub fn launch(
        toolchain: &Toolchain,
        board: &'static Board,
        blob: Option<&[u8]>,
        link: LinkKind,
    ) -> Result<(Self, Box<dyn Transport>), DeviceError> {
        let loader = blob
            .map(|blob| loader_option(board, Path::new(BLOB_FILE), blob.len()))
            .transpose()?;
        let program = toolchain.qemu()?;
        let elf = toolchain.firmware(board)?;
        let table = log_table(&elf)?;
        let folder = tempfile::Builder::new().prefix("trident-").tempdir();
        let folder = folder.map_err(DeviceError::io("create a folder for the emulator"))?;
        if let Some(blob) = blob {
            let path = folder.path().join(BLOB_FILE);
            std::fs::write(&path, blob).map_err(DeviceError::io(format!("write {}", path.display())))?;
        }
        let transport = Fifos::make(folder.path(), fifo_name(link))?;

        let mut command = emulator(&program, board, &elf, folder.path());
        command
            .args(loader.iter().flat_map(|loader| ["-device", loader]))
            .args(match link {
                LinkKind::Fifo => &["-serial", "none"][..],
                LinkKind::Uart => &["-chardev", "pipe,id=uart,path=uart", "-serial", "chardev:uart"],
            });
        let log = Log::default();
        let started = spawn(command, table, log.clone());
        let (child, reader) = started.map_err(DeviceError::io(format!("start {}", program.display())))?;
        let qemu = Self {
            child,
            reader: Some(reader),
            log,
            _folder: folder,
        };
        Ok((qemu, Box::new(transport)))
    }

    /// What firmware and emulator have said, oldest first.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// How it ended, if it has. The log is complete then.
    pub fn ended(&mut self) -> Option<String> {
        let status = self.child.try_wait().ok().flatten()?;
        self.finish_log();
        Some(status.to_string())
    }

    fn finish_log(&mut self) {
        if let Some(reader) = self.reader.take() {
            // A reader that panicked has said all it will.
            let _ = reader.join();
        }
    }
}

impl Drop for Qemu {
    fn drop(&mut self) {
        // An error means that it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.finish_log();
    }
}

/// A board with that image in an emulator that works in `folder`; slots are empty and nothing is connected yet. Every
/// instruction takes the same virtual time, so that they can be counted.
pub(super) fn emulator(program: &Path, board: &Board, elf: &Path, folder: &Path) -> Command {
    let mut command = dying_with_us(program);
    command
        .current_dir(folder)
        .args(["-M", board.qemu_machine, "-nographic", "-monitor", "none"])
        .args(["-semihosting-config", "enable=on,target=native", "-icount", "shift=10"])
        .arg("-kernel")
        .arg(elf)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The blob in the emulator's working folder.
pub(super) const BLOB_FILE: &str = "blob.tri";

/// The firmware looks for FIFOs of the first name, and uses its UART if there are none.
fn fifo_name(link: LinkKind) -> &'static str {
    match link {
        LinkKind::Fifo => "trident",
        LinkKind::Uart => "uart",
    }
}

/// What stands behind `-device` to put the blob in that file into the first slot that it fits into.
///
/// # Errors
/// It fits into none.
pub(crate) fn loader_option(board: &Board, file: &Path, blob_len: usize) -> Result<String, DeviceError> {
    let slot = board.slot_for(blob_len).ok_or_else(|| DeviceError::BlobTooLarge {
        blob_len,
        board: board.name,
        slots: board.slots_in_words(),
    })?;
    // A comma parts options; two stand for one.
    let file = file.to_string_lossy().replace(',', ",,");
    Ok(format!("loader,file={file},addr={:#x},force-raw=on", slot.address))
}

fn log_table(elf: &Path) -> Result<Table, DeviceError> {
    let action = || format!("read the log table of {}", elf.display());
    let bytes = std::fs::read(elf).map_err(DeviceError::io(action()))?;
    match Table::parse(&bytes) {
        Ok(Some(table)) => Ok(table),
        Ok(None) => Err(DeviceError::io(action())(io::Error::other("it has none"))),
        Err(error) => Err(DeviceError::io(action())(io::Error::other(error))),
    }
}

/// A command that the kernel kills when the thread that started it ends, if `setpriv` is there to arrange it.
pub(crate) fn dying_with_us(program: &Path) -> Command {
    let setpriv = PathBuf::from("/usr/bin/setpriv");
    if !setpriv.exists() {
        return Command::new(program);
    }
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", "KILL"]).arg(program);
    command
}

/// Starts the emulator from the thread that reads its log. That thread lives until the emulator's output ends, which is what
/// [`dying_with_us`] asks of it.
fn spawn(mut command: Command, table: Table, log: Log) -> io::Result<(Child, JoinHandle<()>)> {
    let (send, receive) = mpsc::sync_channel(1);
    let reader = thread::Builder::new().name("device-log".into()).spawn(move || {
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => return drop(send.send(Err(error))),
        };
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        drop(send.send(Ok(child)));
        thread::scope(|scope| {
            scope.spawn(|| stderr.map(|stream| log.read_lines("qemu", stream)));
            stdout.map(|stream| log.read_defmt(&table, stream))
        });
    })?;
    let child = receive.recv().map_err(io::Error::other)??;
    Ok((child, reader))
}
