//! Runs the bench image and reads what it wrote.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use trident::graph::OpSet;
use trident::wire::{Measurement, Text};

use super::BenchError;
use super::cycles::Tracer;
use super::report::PinnedEngine;
use crate::device::{self, Board};
use crate::toolchain::{Image, Toolchain};

/// Code that brings inputs in, by what its functions are called.
const INPUT_CODE: [&str; 3] = ["read_readings", "read_picture", "trident_bytes_centre"];

/// All that the image of the engine alone does, of which it is the CRC that grows with the blob.
const ENGINE_ONCE: &str = "trident_pinned::once::once";
const CRC_CODE: &str = "checksum::";

/// The file that the image writes in the emulator's folder.
const MEASUREMENT_FILE: &str = "measurement";

/// A bench image, ready to measure.
#[derive(Debug)]
pub struct Bench {
    board: &'static Board,
    qemu: PathBuf,
    elf: PathBuf,
    tracer: Result<Tracer, String>,
}

/// What was found out about a blob.
#[derive(Clone, Debug)]
pub struct Measured {
    /// What the image counted.
    pub measurement: Measurement,
    /// Modelled cycles of the same run, or why there are none.
    pub cycles: Result<u64, String>,
}

impl Bench {
    /// Builds the image for a board.
    ///
    /// # Errors
    /// A tool is missing, or the image does not build.
    pub fn new(toolchain: &Toolchain, board: &'static Board) -> Result<Self, BenchError> {
        Self::of(toolchain, board, toolchain.image(board, Image::Measuring)?)
    }

    /// As [`Bench::new`], with no other operators than these.
    ///
    /// # Errors
    /// As [`Bench::new`].
    pub fn with_operators(toolchain: &Toolchain, board: &'static Board, operators: OpSet) -> Result<Self, BenchError> {
        Self::of(
            toolchain,
            board,
            toolchain.image_of(board, Image::Measuring, operators)?,
        )
    }

    fn of(toolchain: &Toolchain, board: &'static Board, elf: PathBuf) -> Result<Self, BenchError> {
        Ok(Self {
            board,
            qemu: toolchain.qemu(board)?,
            elf,
            tracer: Tracer::new(toolchain, board).map_err(|reason| reason.to_string()),
        })
    }

    /// Measures a blob; `workload` is its name for errors.
    ///
    /// # Errors
    /// The board does not take the blob, or the image does not report.
    pub fn measure(&self, workload: &str, blob: &[u8]) -> Result<Measured, BenchError> {
        let (measurement, folder) = self.run(workload, blob)?;
        Ok(Measured {
            measurement,
            cycles: self.cycles(folder.path()),
        })
    }

    /// Counts a blob's instructions only: see [`Bench::measure`].
    ///
    /// # Errors
    /// The board does not take the blob, or the image does not report.
    pub fn count(&self, workload: &str, blob: &[u8]) -> Result<Measurement, BenchError> {
        Ok(self.run(workload, blob)?.0)
    }

    /// What the image counted, and the folder in which it ran.
    fn run(&self, workload: &str, blob: &[u8]) -> Result<(Measurement, TempDir), BenchError> {
        let folder = device::run_to_end(&self.qemu, self.board, &self.elf, blob, &[])?;
        let path = folder.path().join(MEASUREMENT_FILE);
        let bytes = std::fs::read(&path).map_err(|error| BenchError::Report(error.to_string()))?;
        let found: Result<Measurement, Text> =
            postcard::from_bytes(&bytes).map_err(|error| BenchError::Report(error.to_string()))?;
        match found {
            Ok(measurement) => Ok((measurement, folder)),
            Err(reason) => Err(BenchError::Refused {
                workload: workload.to_owned(),
                reason: reason.to_string(),
            }),
        }
    }

    /// Modelled cycles of the measured run, the code that brings inputs in left out, of the blob in a folder.
    fn cycles(&self, folder: &Path) -> Result<u64, String> {
        let tracer = self.tracer.as_ref().map_err(Clone::clone)?;
        let loader = device::loader(self.board, folder).map_err(|error| error.to_string())?;
        let arguments = ["-device".into(), loader.into()];
        let trace = tracer.trace(&self.elf, &arguments, "trident_bench_run", 1);
        let trace = trace.map_err(|reason| reason.to_string())?;
        Ok(trace.without(brings_inputs).cycles)
    }
}

/// Whether a function is among [`INPUT_CODE`].
fn brings_inputs(name: &str) -> bool {
    INPUT_CODE.iter().any(|part| name.contains(part))
}

/// Runs a pinned engine on its blob, and tells what it takes.
///
/// # Errors
/// It does not run the blob, or its file cannot be read.
pub fn pinned(
    emulator: &Path,
    tracer: Option<&Tracer>,
    board: &'static Board,
    elf: &Path,
    blob: &[u8],
) -> Result<PinnedEngine, BenchError> {
    let code_bytes = super::code::read(elf)?.flash_bytes;
    let folder = device::run_to_end(emulator, board, elf, blob, &[])?;
    let loader = device::loader(board, folder.path())?;
    let left_out = |name: &str| name.contains(CRC_CODE) || brings_inputs(name);
    let traced = |tracer: &Tracer| tracer.trace(elf, &["-device".into(), loader.into()], ENGINE_ONCE, 1);
    let trace = tracer.map(traced).transpose();
    let trace = trace.map_err(|reason| BenchError::Report(reason.to_string()))?;
    let trace = trace.map(|trace| trace.without(left_out));
    Ok(PinnedEngine {
        code_bytes,
        instructions: trace.as_ref().map(|trace| trace.instructions),
        modelled_cycles: trace.map(|trace| trace.cycles),
    })
}
