//! What a model costs on a board: instructions per workload and per layer, flash, arena, stack.
//!
//! ```text
//! Workload ─► blob (seeded weights, the ordinary quantiser) ─► bench image under QEMU ─► Measurement ─┐
//!                                                    engine image ─► Code (flash, statics) ───────────┴─► Report
//! ```
//!
//! The engine image has all operators; [`own_code`] builds it once more for each workload, with no others than it runs.
//!
//! Counts are instructions of the emulated core, exact and the same on every machine; they are not cycles. Each measurement
//! begins with a loop of known length: a report whose `calibration_ok` is false means nothing.

mod build;
pub mod code;
pub mod cycles;
pub mod elsewhere;
mod measure;
pub mod peers;
mod report;
mod workloads;

use trident::{Blob, Pin};

use crate::data::DataError;
use crate::device::{Board, DeviceError};
use crate::progress::Progress;
use crate::quantize::QuantizeError;
use crate::quantize::optimize::Optimize;
use crate::toolchain::{Image, Toolchain, ToolchainError};
use crate::train::TrainError;
use cycles::Tracer;

pub use build::{Built, CALIBRATION_ROWS, build, drawn};
pub use measure::Bench;
pub use report::{Layer, Load, Report, TooLarge, WorkloadReport};
pub use workloads::{WORKLOADS, Workload};

/// Why nothing can be measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// A tool is missing, or an image does not build.
    #[error(transparent)]
    Toolchain(#[from] ToolchainError),
    /// The data of a workload.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The model of a workload.
    #[error(transparent)]
    Model(#[from] TrainError),
    /// The quantiser.
    #[error(transparent)]
    Quantize(#[from] QuantizeError),
    /// The emulator.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The image could not measure the model.
    #[error("the bench image cannot measure {workload}: {reason}")]
    Refused {
        /// The workload.
        workload: String,
        /// Why.
        reason: String,
    },
    /// The blob of a workload does not run on this computer.
    #[error("this computer cannot run {workload}: {reason}")]
    Host {
        /// The workload.
        workload: &'static str,
        /// Why.
        reason: peers::RateError,
    },
    /// This computer refuses a folder or a clock.
    #[error("this computer: {0}")]
    System(std::io::Error),
    /// What the image wrote cannot be read.
    #[error("the bench image's report cannot be read: {0}")]
    Report(String),
    /// An ELF file is not one.
    #[error("{}: {reason}", path.display())]
    Elf {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// Builds both images, then measures each workload in turn. Those that the board has no room for are named with the reason.
///
/// # Errors
/// The first workload that cannot be measured for another reason, or if the board has room for none.
pub fn run(
    board: &'static Board,
    workloads: &[&Workload],
    optimize: Optimize,
    progress: &Progress,
) -> Result<Report, BenchError> {
    let toolchain = Toolchain::new()?;
    let bench = Bench::new(&toolchain, board)?;
    let code = code::read(&toolchain.image(board, Image::Engine)?)?;
    let mut step = progress.step("bench", workloads.len() as u64);
    let (mut reports, mut too_large) = (Vec::new(), Vec::new());
    for (done, workload) in workloads.iter().enumerate() {
        step.set(done as u64, workload.name);
        let built = build(workload, optimize)?;
        if let Some(reason) = no_room(board, &built)? {
            too_large.push(TooLarge {
                name: workload.name,
                reason,
            });
            continue;
        }
        let measured = bench.measure(workload.name, built.blob.as_ref())?;
        reports.push(WorkloadReport::new(workload, board, &built, &measured, &code)?);
    }
    if let (Some(TooLarge { name, reason }), true) = (too_large.first(), reports.is_empty()) {
        return Err(BenchError::Refused {
            workload: (*name).to_owned(),
            reason: reason.clone(),
        });
    }
    step.finish(&format!("{} workloads", workloads.len()));
    Ok(Report::new(
        board,
        toolchain.compiler(board.target)?.to_string(),
        code,
        reports,
        too_large,
    ))
}

/// Builds the engines of each workload, with no other operators than it runs, notes what their code takes, and boots those that are
/// pinned to a blob with that blob.
///
/// # Errors
/// An engine that does not build, or a pinned one that does not run its model.
pub fn own_code(board: &'static Board, report: &mut Report, progress: &Progress) -> Result<(), BenchError> {
    let toolchain = Toolchain::new()?;
    let emulator = toolchain.qemu(board)?;
    // That there is none, the workloads' own cycles tell with the reason.
    let tracer = Tracer::new(&toolchain, board).ok();
    let mut step = progress.step("engines", report.workloads.len() as u64);
    for (done, workload) in report.workloads.iter_mut().enumerate() {
        step.set(done as u64, workload.name);
        let bytes = workload.blob.as_ref();
        let blob = Blob::new_exact(bytes).map_err(|error| BenchError::Report(error.to_string()))?;
        let pin = Pin::of(&blob).map_err(|error| BenchError::Report(error.to_string()))?;
        let any_model = toolchain.image_of(board, Image::Engine, pin.operators)?;
        workload.code_bytes = Some(code::read(&any_model)?.flash_bytes);
        let this_model = toolchain.pinned(board, &pin)?;
        workload.pinned = Some(measure::pinned(&emulator, tracer.as_ref(), board, &this_model, bytes)?);
    }
    step.finish(&format!("{} engines", report.workloads.len()));
    Ok(())
}

/// Why a board has no room for a blob, if it has none.
fn no_room(board: &Board, built: &Built) -> Result<Option<String>, BenchError> {
    if let Err(error) = crate::device::loader_option(board, std::path::Path::new(""), built.blob.as_ref().len()) {
        return Ok(Some(error.to_string()));
    }
    let blob = Blob::new_exact(built.blob.as_ref()).map_err(|error| BenchError::Report(error.to_string()))?;
    let (needs, there) = (blob.graph().arena_len(), board.arena_len);
    Ok((needs > there).then(|| format!("the model needs an arena of {needs} bytes; {} has {there}", board.name)))
}
