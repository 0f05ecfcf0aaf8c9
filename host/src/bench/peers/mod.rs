//! The same work done by other engines: crates on the board, TensorFlow Lite on this computer.
//!
//! ```text
//! images/ENGINE ─► a package under target/peers ─► Cargo ─► ELF ─► Tracer ─► instructions and cycles
//! tflite.py ─► TensorFlow in a virtual environment ─► models for microflow; XNNPACK's rate beside ours
//! ```
//!
//! None of it is built, or even fetched, unless it is asked for. What cannot be built or run is a row with the reason.
//! Weights are drawn, so that results mean nothing, and no figure depends on them. The tracer counts what the board's own
//! counter counts.

mod image;
mod rate;
mod tensorflow;

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::cycles::Tracer;
use crate::device::Board;
use crate::toolchain::Toolchain;
use image::{ENGINES, Engine, Shape};
use tensorflow::TensorFlow;

/// What an engine takes for one inference on the board.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PeerRow {
    /// The workload, `W1` to `W4`.
    pub workload: &'static str,
    /// The engine and its version.
    pub engine: &'static str,
    /// What is not quite the same work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
    /// The figures; `None` if there are none.
    #[serde(flatten)]
    pub figures: Option<PeerFigures>,
    /// Why there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Of one inference, codes or numbers in and out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PeerFigures {
    /// Instructions executed.
    pub instructions: u64,
    /// Modelled Cortex-M4 cycles.
    pub modelled_cycles: u64,
}

/// How fast this computer evaluates a workload in int8.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RateRow {
    /// The workload.
    pub workload: &'static str,
    /// Inferences per second of the engine that the device runs, on all cores.
    pub own: f64,
    /// How many cores that is.
    pub own_threads: usize,
    /// Inferences per second of TensorFlow Lite with XNNPACK, on one core.
    pub xnnpack: Option<f64>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How long each rate is measured.
const RATE_SECONDS: Duration = Duration::from_secs(3);

/// Everything that peers need on this computer.
#[derive(Debug)]
pub struct Peers<'t> {
    toolchain: &'t Toolchain,
    folder: PathBuf,
    tensorflow: Result<TensorFlow, String>,
}

impl<'t> Peers<'t> {
    /// Installs TensorFlow into a virtual environment under the workspace's `target`, unless it is there.
    pub fn new(toolchain: &'t Toolchain) -> Self {
        let folder = toolchain.workspace().root().join("target/peers");
        let tensorflow = TensorFlow::install(&folder);
        Self {
            toolchain,
            folder,
            tensorflow,
        }
    }

    /// Builds every engine for every workload and runs it on the emulated board. Takes minutes when nothing is built yet.
    pub fn on_board(&self, board: &'static Board) -> Vec<PeerRow> {
        let tracer = Tracer::new(self.toolchain, board).map_err(|error| error.to_string());
        let rows = ENGINES.iter().flat_map(|engine| engine.shapes.iter().map(move |shape| (engine, shape)));
        let row = |(engine, shape): (&Engine, &Shape)| {
            let figures = match (shape.cannot, &tracer) {
                (Some(reason), _) => Err(reason.to_owned()),
                (None, Err(reason)) => Err(reason.clone()),
                (None, Ok(tracer)) => self.measure(engine, shape, board, tracer),
            };
            PeerRow {
                workload: shape.workload,
                engine: engine.name,
                note: shape.note,
                figures: figures.as_ref().ok().copied(),
                reason: figures.err(),
            }
        };
        rows.map(row).collect()
    }

    fn measure(&self, engine: &Engine, shape: &Shape, board: &Board, tracer: &Tracer) -> Result<PeerFigures, String> {
        let models = match (engine.reads_tflite, &self.tensorflow) {
            (false, _) => None,
            (true, Ok(tensorflow)) => Some(tensorflow.models()?),
            (true, Err(reason)) => return Err(reason.clone()),
        };
        let elf = image::build(engine, shape, models, &self.folder, self.toolchain, board)?;
        let trace = tracer
            .trace(&elf, &[], image::SYMBOL, image::TRACED_CALL)
            .map_err(|error| error.to_string())?;
        Ok(PeerFigures {
            instructions: trace.instructions,
            modelled_cycles: trace.cycles,
        })
    }

    /// The rate of [`trident::Network::run`] on all cores beside that of XNNPACK on one, one after the other.
    ///
    /// # Errors
    /// If the blob is none or has no golden inputs.
    pub fn on_host(&self, workload: &'static str, blob: &[u8]) -> Result<RateRow, rate::RateError> {
        let own = rate::own(blob, RATE_SECONDS)?;
        let xnnpack = match &self.tensorflow {
            Ok(tensorflow) => tensorflow.rate(workload, RATE_SECONDS),
            Err(reason) => Err(reason.clone()),
        };
        Ok(RateRow {
            workload,
            own,
            own_threads: rayon::current_num_threads(),
            xnnpack: xnnpack.as_ref().ok().copied(),
            reason: xnnpack.err(),
        })
    }
}
