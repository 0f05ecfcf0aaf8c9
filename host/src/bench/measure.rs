//! Runs the bench image and reads what it wrote.

use std::path::PathBuf;

use trident::wire::{Measurement, Text};

use super::BenchError;
use crate::device::{self, Board};
use crate::toolchain::{Image, Toolchain};

/// The file that the image writes in the emulator's folder.
const MEASUREMENT_FILE: &str = "measurement";

/// A bench image, ready to measure.
#[derive(Debug)]
pub struct Bench {
    board: &'static Board,
    qemu: PathBuf,
    elf: PathBuf,
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
        Ok(Self {
            board,
            qemu: toolchain.qemu()?,
            elf: toolchain.image(board, Image::Measuring)?,
        })
    }

    /// Measures a blob; `workload` is its name for errors.
    ///
    /// # Errors
    /// The board does not take the blob, or the image does not report.
    pub fn measure(&self, workload: &'static str, blob: &[u8]) -> Result<Measured, BenchError> {
        let folder = device::run_to_end(&self.qemu, self.board, &self.elf, blob, &[])?;
        let path = folder.path().join(MEASUREMENT_FILE);
        let bytes = std::fs::read(&path).map_err(|error| BenchError::Report(error.to_string()))?;
        let found: Result<Measurement, Text> =
            postcard::from_bytes(&bytes).map_err(|error| BenchError::Report(error.to_string()))?;
        match found {
            Ok(measurement) => Ok(Measured {
                measurement,
                cycles: cycles(),
            }),
            Err(reason) => Err(BenchError::Refused {
                workload,
                reason: reason.to_string(),
            }),
        }
    }
}

/// Modelled cycles of the first call of `trident_bench_run` in the image.
fn cycles() -> Result<u64, String> {
    Err("instructions are counted, not traced".to_owned())
}
