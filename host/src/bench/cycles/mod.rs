//! Modelled Cortex-M4 cycles of one call of a function.
//!
//! ```text
//! tracer.c ─► plugin.so ─► QEMU runs the image ─► Counts per instruction ─► decode ─► price ─► Trace per function
//! ```
//!
//! QEMU executes instructions but models no pipeline, so counting and pricing are two steps: a plugin, compiled on the spot,
//! counts exactly what one call executes, and [`pricing`] adds up what that costs, with everything it leaves out said there.
//! Instructions are counted; cycles are modelled, and named so wherever they are shown.
//!
//! [`Tracer::new`] is where it fails if cycles can't be had; all errors are an [`Unavailable`], whose words are the reason.

pub mod counts;
pub mod decode;
mod error;
mod float;
mod image;
mod plugin;
pub mod pricing;
#[cfg(test)]
mod tests;

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

pub use error::Unavailable;

use crate::device::{self, Board};
use crate::toolchain::Toolchain;
use counts::Counts;
use decode::Class;
use image::Image;

/// What one call of a function took, with all that it called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trace {
    /// Instructions executed.
    pub instructions: u64,
    /// Modelled cycles.
    pub cycles: u64,
    /// The same by the function whose code it was, the dearest first. The sum is the whole.
    pub per_function: Vec<FunctionCost>,
}

/// What a function's own code took, over all its calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FunctionCost {
    /// Its path, without the compiler's hash; `?` for code that no symbol covers.
    pub name: String,
    /// Instructions executed.
    pub instructions: u64,
    /// Modelled cycles.
    pub cycles: u64,
}

impl Trace {
    fn of(mut per_function: Vec<FunctionCost>) -> Self {
        per_function.sort_by(|a, b| b.cycles.cmp(&a.cycles).then_with(|| a.name.cmp(&b.name)));
        Self {
            instructions: per_function.iter().map(|function| function.instructions).sum(),
            cycles: per_function.iter().map(|function| function.cycles).sum(),
            per_function,
        }
    }

    /// The trace without the functions that are to be left out. What those called stays.
    #[must_use]
    pub fn without(&self, left_out: impl Fn(&str) -> bool) -> Self {
        let kept = self.per_function.iter().filter(|function| !left_out(&function.name));
        Self::of(kept.cloned().collect())
    }
}

/// An emulator that can count, for one board.
#[derive(Debug)]
pub struct Tracer {
    board: &'static Board,
    emulator: PathBuf,
    plugin: PathBuf,
}

impl Tracer {
    /// Compiles the plugin, unless it is up to date.
    ///
    /// # Errors
    /// The board's core has no prices, or the emulator or a C compiler is missing.
    pub fn new(toolchain: &Toolchain, board: &'static Board) -> Result<Self, Unavailable> {
        if !["Cortex-M4", "Cortex-M4F"].contains(&board.core) {
            return Err(Unavailable::Core { core: board.core });
        }
        let emulator = toolchain.qemu(board)?;
        let plugin = plugin::compiled_for(&emulator, toolchain)?;
        Ok(Self {
            board,
            emulator,
            plugin,
        })
    }

    /// Runs an image until call `nth` (from 1) of a function returns, and tells what that call took.
    ///
    /// `symbol` is the function's name in the symbol table, or its path without the compiler's hash. `arguments` are further
    /// ones for the emulator, say a loader's. The image is alone with the board: it has no serial line and no input. The
    /// function must not call itself.
    ///
    /// # Errors
    /// The image lacks the function or does not call it that often, or the emulator does not work.
    pub fn trace(&self, elf: &Path, arguments: &[OsString], symbol: &str, nth: u32) -> Result<Trace, Unavailable> {
        let elf = elf.canonicalize().map_err(Unavailable::io("find", elf))?;
        let image = Image::read(&elf)?;
        let entry = image.entry(symbol)?;
        let counts = self.count(&elf, arguments, entry, symbol, nth)?;
        let called = image.code(counts.call_address).and_then(decode::decode);
        if called.is_none_or(|caller| caller.class != Class::Branch { call: true }) {
            return Err(Unavailable::NotCalled {
                symbol: symbol.to_owned(),
                address: counts.call_address,
            });
        }
        let prices = pricing::price(&counts.instructions, |address| image.code(address))?;
        let mut per_function: Vec<FunctionCost> = Vec::new();
        for (count, cycles) in counts.instructions.iter().zip(prices) {
            let name = image.function_at(count.address).unwrap_or("?");
            let instructions = count.executions;
            match per_function.iter_mut().find(|function| function.name == name) {
                Some(function) => {
                    function.instructions += instructions;
                    function.cycles += cycles;
                }
                None => per_function.push(FunctionCost {
                    name: name.to_owned(),
                    instructions,
                    cycles,
                }),
            }
        }
        Ok(Trace::of(per_function))
    }

    fn count(
        &self,
        elf: &Path,
        arguments: &[OsString],
        entry: u32,
        symbol: &str,
        nth: u32,
    ) -> Result<Counts, Unavailable> {
        let folder = tempfile::Builder::new().prefix("trident-").tempdir();
        let folder = folder.map_err(Unavailable::io("make a folder in", &std::env::temp_dir()))?;
        let (output, log) = (folder.path().join("counts"), folder.path().join("log"));
        let mut plugin = option_value(&self.plugin);
        plugin.push(format!(",entry={entry:x},call={nth},output=counts"));
        let mut command = device::dying_with_us(&self.emulator);
        command
            .current_dir(folder.path())
            .args([
                "-M",
                self.board.qemu_machine,
                "-nographic",
                "-monitor",
                "none",
                "-serial",
                "none",
            ])
            .args(["-semihosting-config", "enable=on,target=native", "-plugin"])
            .arg(plugin)
            .args(arguments)
            .arg("-kernel")
            .arg(elf)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).map_err(Unavailable::io("write", &log))?);
        let mut emulator = command.spawn().map_err(Unavailable::io("start", &self.emulator))?;
        let started = Instant::now();
        let status = loop {
            match emulator
                .try_wait()
                .map_err(Unavailable::io("wait for", &self.emulator))?
            {
                Some(status) => break status,
                None if started.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(5)),
                None => {
                    // An error means that it has ended just now.
                    let _ = emulator.kill();
                    let _ = emulator.wait();
                    return Err(Unavailable::Timeout {
                        symbol: symbol.to_owned(),
                        nth,
                        after: PATIENCE,
                    });
                }
            }
        };
        match fs::read_to_string(&output) {
            Ok(text) if status.success() => Ok(Counts::parse(&text)?),
            _ => Err(Unavailable::Ended {
                status,
                symbol: symbol.to_owned(),
                nth,
                output: fs::read_to_string(&log).unwrap_or_default(),
            }),
        }
    }
}

/// How long a traced run may take. Fifty million instructions or more are traced in a second.
const PATIENCE: Duration = Duration::from_secs(300);

/// A path inside an option of the emulator, where commas part and double ones stand for themselves.
fn option_value(path: &Path) -> OsString {
    let parts = path.as_os_str().to_string_lossy().replace(',', ",,");
    OsStr::new(&parts).to_owned()
}
