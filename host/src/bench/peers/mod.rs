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
pub mod training;

use std::path::PathBuf;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use serde::Serialize;

use super::cycles::Tracer;
use super::{BenchError, Workload, build};
use crate::device::Board;
use crate::progress::tell;
use crate::quantize::optimize::Optimize;
use crate::toolchain::Toolchain;
use image::{ENGINES, Engine, Shape};
use tensorflow::TensorFlow;

pub use rate::RateError;

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

/// How fast this computer evaluates a workload in int8. Both sides take turns, and what is told is each side's median. Time is the
/// processor's: a computer that has other work to do slows neither.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RateRow {
    /// The workload.
    pub workload: &'static str,
    /// Inferences per second of the engine that the device runs, on all cores: those per second of processor time, times the cores.
    pub own: f64,
    /// How many cores that is.
    pub own_threads: usize,
    /// Inferences per second of TensorFlow Lite with XNNPACK, on one core.
    pub xnnpack: Option<f64>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What others reach in this very run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PeerReport {
    /// Every engine with every workload, on the board.
    pub on_board: Vec<PeerRow>,
    /// Workloads of pictures, on this computer.
    pub on_host: Vec<RateRow>,
}

/// Measures all peers at those workloads, and this computer's rates. Takes many minutes when nothing is built yet.
///
/// # Errors
/// If a workload of our own cannot be built or run. What a peer cannot do is a row.
pub fn run(board: &'static Board, workloads: &[&Workload], optimize: Optimize) -> Result<PeerReport, BenchError> {
    let toolchain = Toolchain::new()?;
    let peers = Peers::new(&toolchain);
    let on_board = peers.on_board(board, workloads);
    let timed = workloads.iter().filter(|workload| TIMED.contains(&workload.name));
    let rate = |workload: &&Workload| peers.on_host(workload.name, build(workload, optimize)?.blob.as_ref());
    Ok(PeerReport {
        on_board,
        on_host: timed.map(rate).collect::<Result<_, BenchError>>()?,
    })
}

/// How long each turn of a rate takes.
const RATE_TIME: Duration = Duration::from_secs(2);
/// How often each side's rate is measured.
const RATE_TURNS: usize = 3;
/// Workloads that are timed on this computer. The others are so small that only their calls would be.
const TIMED: [&str; 2] = ["W3", "W4"];

/// Everything that peers need on this computer.
struct Peers<'t> {
    toolchain: &'t Toolchain,
    folder: PathBuf,
    tensorflow: Result<TensorFlow, String>,
}

impl<'t> Peers<'t> {
    /// Installs TensorFlow into a virtual environment under the workspace's `target`, unless it is there.
    fn new(toolchain: &'t Toolchain) -> Self {
        let folder = toolchain.workspace().root().join("target/peers");
        let tensorflow = TensorFlow::install(&folder);
        Self {
            toolchain,
            folder,
            tensorflow,
        }
    }

    fn on_board(&self, board: &'static Board, workloads: &[&Workload]) -> Vec<PeerRow> {
        let tracer = Tracer::new(self.toolchain, board).map_err(|error| error.to_string());
        let asked = |shape: &&Shape| workloads.iter().any(|workload| workload.name == shape.workload);
        let mut rows = Vec::new();
        for engine in ENGINES {
            for shape in engine.shapes.iter().filter(asked) {
                tell!("{} on {}: {}", engine.name, board.name, shape.workload);
                let figures = match (shape.cannot, &tracer) {
                    (Some(reason), _) => Err(reason.to_owned()),
                    (None, Err(reason)) => Err(reason.clone()),
                    (None, Ok(tracer)) => self.measure(engine, shape, board, tracer),
                };
                rows.push(PeerRow {
                    workload: shape.workload,
                    engine: engine.name,
                    note: shape.note,
                    figures: figures.as_ref().ok().copied(),
                    reason: figures.err(),
                });
            }
        }
        rows
    }

    fn measure(&self, engine: &Engine, shape: &Shape, board: &Board, tracer: &Tracer) -> Result<PeerFigures, String> {
        let models = match (engine.reads_tflite, &self.tensorflow) {
            (false, _) => &[],
            (true, Ok(tensorflow)) => tensorflow.models()?,
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

    /// The rate of [`trident::Network::run`] on all cores and that of XNNPACK on one.
    fn on_host(&self, workload: &'static str, blob: &[u8]) -> Result<RateRow, BenchError> {
        let (mut own, mut xnnpack, mut reason) = (Vec::new(), Vec::new(), None);
        for turn in 1..=RATE_TURNS {
            tell!("int8 on this computer: {workload}, turn {turn} of {RATE_TURNS}");
            let rate = rate::own(blob, RATE_TIME).map_err(|reason| BenchError::Host { workload, reason })?;
            own.push(rate);
            match self
                .tensorflow
                .as_ref()
                .map(|tensorflow| tensorflow.rate(workload, RATE_TIME))
            {
                Ok(Ok(rate)) => xnnpack.push(rate),
                Ok(Err(why)) => reason = Some(why),
                Err(why) => reason = Some(why.clone()),
            }
        }
        Ok(RateRow {
            workload,
            own: median(&own).unwrap_or_default(),
            own_threads: rayon::current_num_threads(),
            xnnpack: median(&xnnpack),
            reason,
        })
    }
}

/// User and system time of this process so far.
fn cpu_seconds() -> std::io::Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 * 1e-6;
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}

/// The middle one.
fn median(numbers: &[f64]) -> Option<f64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}
