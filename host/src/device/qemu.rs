//! A board under QEMU, from launch to kill.
//!
//! The emulator works in a folder of its own, which holds flash or blob and the FIFOs and goes with it. It dies with its [`Qemu`]; if
//! this whole program is killed, the kernel kills it too where `setpriv` is there to ask for that, and otherwise firmware
//! ends when its FIFO does.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use defmt_decoder::Table;
use tempfile::TempDir;
use trident::PublicKey;

use super::log::Log;
use super::transport::{Fifos, Transport};
use super::{Board, DeviceError};
use crate::toolchain::{Emulator, Image, Toolchain};

/// How host and emulated board talk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LinkKind {
    /// FIFOs that the firmware opens by semihosting: fast.
    #[default]
    Fifo,
    /// The board's UART: slow, as on a board.
    Uart,
}

/// What the board finds in its slots when it starts.
#[derive(Clone, Copy, Debug)]
pub enum Weights<'w> {
    /// Nothing.
    None,
    /// This blob in the first slot, and nothing else. What the board writes is gone with the emulator.
    Blob(&'w [u8]),
    /// What was left in this file. It is made if there is none, and keeps what the board writes.
    Image(&'w Path),
}

/// A running emulator.
#[derive(Debug)]
pub struct Qemu {
    child: Child,
    reader: Option<JoinHandle<()>>,
    log: Log,
    /// Locked as long as the emulator runs.
    _flash: Option<File>,
    _folder: TempDir,
}

impl Qemu {
    /// Builds the firmware if need be, with that key for weights to be signed with, and starts the board.
    ///
    /// # Errors
    /// A tool is missing, the blob fits no slot, the image is in use or none of this board's, or the emulator does not start.
    pub fn launch(
        toolchain: &Toolchain,
        board: &'static Board,
        key: Option<&PublicKey>,
        weights: Weights<'_>,
        link: LinkKind,
    ) -> Result<(Self, Box<dyn Transport>), DeviceError> {
        Self::launch_image(toolchain, board, Image::Serving, key, weights, link)
    }

    /// As [`Qemu::launch`], any image that serves.
    ///
    /// # Errors
    /// As [`Qemu::launch`].
    pub fn launch_image(
        toolchain: &Toolchain,
        board: &'static Board,
        image: Image,
        key: Option<&PublicKey>,
        weights: Weights<'_>,
        link: LinkKind,
    ) -> Result<(Self, Box<dyn Transport>), DeviceError> {
        let loader = match weights {
            Weights::Blob(blob) => Some(loader_option(board, Path::new(BLOB_FILE), blob.len())?),
            _ => None,
        };
        let program = toolchain.qemu(board)?;
        let elf = match image {
            Image::Serving => toolchain.firmware(board, key)?,
            image => toolchain.image(board, image)?,
        };
        let table = log_table(&elf)?;
        let folder = tempfile::Builder::new().prefix("trident-").tempdir();
        let folder = folder.map_err(DeviceError::io("create a folder for the emulator"))?;
        let flash = place(board, weights, folder.path())?;
        let transport = Fifos::make(folder.path(), fifo_name(link))?;

        let mut command = emulator(&program, board, &elf, folder.path());
        match &flash {
            Some((_, path)) => command.args(memory_of(board, path)),
            None => command.args(loader.iter().flat_map(|loader| ["-device", loader])),
        };
        command.args(match link {
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
            _flash: flash.map(|(file, _)| file),
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
        .args(Emulator::of(board).arguments)
        .args(["-semihosting-config", "enable=on,target=native", "-icount", "shift=10"])
        .arg("-kernel")
        .arg(elf)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Puts weights where the board finds them. Gives the file that is its flash, locked, unless it has none.
fn place(board: &Board, weights: Weights<'_>, folder: &Path) -> Result<Option<(File, PathBuf)>, DeviceError> {
    let Some(flash) = board.flash else {
        return match weights {
            Weights::None => Ok(None),
            Weights::Blob(blob) => {
                let path = folder.join(BLOB_FILE);
                std::fs::write(&path, blob).map_err(DeviceError::io(format!("write {}", path.display())))?;
                Ok(None)
            }
            Weights::Image(_) => Err(DeviceError::NoFlash { board: board.name }),
        };
    };
    let path = match weights {
        Weights::Image(path) => {
            std::path::absolute(path).map_err(DeviceError::io(format!("find {}", path.display())))?
        }
        _ => folder.join("flash"),
    };
    let open = || -> io::Result<File> {
        let mut options = OpenOptions::new();
        let file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::Error(error) => error,
            TryLockError::WouldBlock => io::Error::other("another emulator is using it"),
        })?;
        match file.metadata()?.len() {
            0 => file.set_len(flash.memory_len)?,
            len if len == flash.memory_len => {}
            len => {
                return Err(io::Error::other(format!(
                    "it has {len} bytes, {} has {}: it is none of this board's",
                    board.name, flash.memory_len
                )));
            }
        }
        if let Weights::Blob(blob) = weights {
            file.write_all_at(blob, flash.offset)?;
        }
        Ok(file)
    };
    let file = open().map_err(DeviceError::io(format!("use the flash image {}", path.display())))?;
    Ok(Some((file, path)))
}

/// The emulator's arguments that make a file the board's main memory.
fn memory_of(board: &Board, file: &Path) -> Vec<String> {
    let len = board.flash.map_or(0, |flash| flash.memory_len);
    // A comma parts options; two stand for one.
    let file = file.to_string_lossy().replace(',', ",,");
    [
        "-machine".into(),
        "memory-backend=flash".into(),
        "-m".into(),
        format!("{len}B"),
        "-object".into(),
        format!("memory-backend-file,id=flash,size={len},share=on,mem-path={file}"),
    ]
    .into()
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

/// What stands behind `-device` to put the blob in that file into the first slot.
///
/// # Errors
/// It does not fit.
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
