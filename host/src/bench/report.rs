//! Measurements in the terms of the model: per workload and per layer.

use serde::Serialize;
use trident::graph::{Graph, Node};
use trident::wire::Measurement;
use trident::{Blob, BlobError};

use super::code::Code;
use super::elsewhere::{self, Elsewhere};
use super::measure::Measured;
use super::peers::PeerReport;
use super::{BenchError, Built, Workload};
use crate::device::Board;
use crate::quantize::writer::AlignedBytes;

/// All workloads on one board.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The board.
    pub board: &'static str,
    /// Its core.
    pub core: &'static str,
    /// The compiler's target.
    pub target: &'static str,
    /// The compiler.
    pub compiler: String,
    /// Whether a loop of known length was counted exactly before every measurement. If not, no count means anything.
    pub calibration_ok: bool,
    /// One by one.
    pub workloads: Vec<WorkloadReport>,
    /// Those that the board has no room for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub too_large: Vec<TooLarge>,
    /// The image of the engine alone.
    pub code: Code,
    /// What others reach on the same networks.
    pub measured_elsewhere: Vec<Elsewhere>,
    /// What others reach in this very run, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peers: Option<PeerReport>,
}

/// A workload that a board has no room for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TooLarge {
    /// Its name.
    pub name: &'static str,
    /// What is too small, in words.
    pub reason: String,
}

/// One workload.
#[derive(Clone, Debug, Serialize)]
pub struct WorkloadReport {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub what: &'static str,
    /// Multiplications of one run.
    pub macs: u64,
    /// Instructions from codes in to results out: a run less the work of its input nodes.
    pub instructions: u64,
    /// The same per multiplication.
    pub instructions_per_mac: f64,
    /// Instructions of a whole run, inputs in the user's units.
    pub run_instructions: u64,
    /// What boot takes before the first run.
    pub load: Load,
    /// Modelled cycles of the same as `instructions`.
    pub modelled_cycles: Option<u64>,
    /// Why there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modelled_cycles_reason: Option<String>,
    /// The blob itself.
    #[serde(skip)]
    pub blob: AlignedBytes,
    /// Flash of the engine alone with no other operators than these, blob apart; none before [`own_code`](super::own_code).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_bytes: Option<u64>,
    /// The engine that is pinned to this very blob, which the host has checked; none before [`own_code`](super::own_code).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned: Option<PinnedEngine>,
    /// Flash of the engine alone with all operators, blob apart.
    pub code_bytes_all: u64,
    /// Flash of the blob.
    pub blob_bytes: usize,
    /// Weights and tables in it.
    pub parameter_bytes: usize,
    /// Arena.
    pub arena_bytes: usize,
    /// The most stack over check, load and run; the network itself lies there.
    pub stack_bytes: u32,
    /// The network itself.
    pub network_bytes: u32,
    /// Statics but the arena.
    pub static_bytes: u64,
    /// Arena, stack and statics.
    pub ram_bytes: u64,
    /// Every node, in execution order.
    pub layers: Vec<Layer>,
    /// Whether the loop of known length was counted exactly.
    pub calibration_ok: bool,
}

/// The engine alone, pinned to one model. All three figures are of one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PinnedEngine {
    /// Flash, blob apart.
    pub code_bytes: u64,
    /// Instructions of its whole work, from the blob's bytes to results, less those of the CRC and of input nodes; none where no
    /// tracer can be had.
    pub instructions: Option<u64>,
    /// Modelled cycles of the same.
    pub modelled_cycles: Option<u64>,
}

/// Checking and loading a blob, once at boot. Two parts grow with the blob: its CRC, and the scan that proves that no weights overflow.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Load {
    /// All instructions.
    pub instructions: u64,
    /// Those of the CRC.
    pub crc_instructions: u64,
    /// The same per byte of the blob.
    pub crc_per_byte: f64,
    /// Those of [`trident::Network::load`], which scans the weights and does little else.
    pub scan_instructions: u64,
    /// The same per byte of weights and tables.
    pub scan_per_byte: f64,
    /// The rest: checks of header, metadata and graph.
    pub other_instructions: u64,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Layer {
    /// What it does.
    pub operator: String,
    /// `[h, w, c]` of what it reads; none for an input.
    pub input: Option<[u16; 3]>,
    /// `[h, w, c]` of what it makes; none for a result.
    pub output: Option<[u16; 3]>,
    /// Side of its window, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel: Option<u8>,
    /// Step of its window, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stride: Option<u8>,
    /// Multiplications.
    pub macs: u64,
    /// Instructions of its steps, getting to them included.
    pub instructions: u64,
    /// The same per multiplication.
    pub instructions_per_mac: Option<f64>,
}

impl Report {
    /// Of all workloads.
    pub fn new(
        board: &Board,
        compiler: String,
        code: Code,
        workloads: Vec<WorkloadReport>,
        too_large: Vec<TooLarge>,
    ) -> Self {
        let elsewhere = elsewhere::FIGURES.iter().filter(|_| board.core == elsewhere::CORE);
        let measured_elsewhere = elsewhere
            .filter(|figures| workloads.iter().any(|workload| workload.name == figures.workload))
            .copied()
            .collect();
        Self {
            board: board.name,
            core: board.core,
            target: board.target,
            compiler,
            calibration_ok: workloads.iter().all(|workload| workload.calibration_ok),
            workloads,
            too_large,
            code,
            measured_elsewhere,
            peers: None,
        }
    }
}

impl WorkloadReport {
    /// Of one measurement.
    ///
    /// # Errors
    /// If the measurement does not fit the blob.
    pub(super) fn new(
        workload: &Workload,
        board: &Board,
        built: &Built,
        measured: &Measured,
        code: &Code,
    ) -> Result<Self, BenchError> {
        let blob =
            Blob::new_exact(built.blob.as_ref()).map_err(|error: BlobError| BenchError::Report(error.to_string()))?;
        let (graph, measurement) = (blob.graph(), &measured.measurement);
        let counts = &measurement.node_instructions;
        if counts.len() != graph.node_count() {
            let (found, expected) = (counts.len(), graph.node_count());
            return Err(BenchError::Report(format!("{found} nodes, the blob has {expected}")));
        }
        let layers: Vec<Layer> = graph
            .nodes()
            .zip(counts)
            .map(|(node, &count)| Layer::new(&graph, &node, count))
            .collect();
        let macs = layers.iter().map(|layer| layer.macs).sum();
        let instructions = measurement
            .run_instructions
            .saturating_sub(input_work(&graph, measurement));
        let static_bytes = code.static_bytes.saturating_sub(board.arena_len as u64);
        let arena_bytes = graph.arena_len();
        Ok(Self {
            name: workload.name,
            what: workload.what,
            macs,
            instructions,
            instructions_per_mac: instructions as f64 / macs as f64,
            run_instructions: measurement.run_instructions,
            load: Load::new(measurement, blob.bytes().len(), built.parameter_bytes),
            modelled_cycles: measured.cycles.as_ref().ok().copied(),
            modelled_cycles_reason: measured.cycles.as_ref().err().cloned(),
            blob: built.blob.clone(),
            code_bytes: None,
            pinned: None,
            code_bytes_all: code.flash_bytes,
            blob_bytes: blob.bytes().len(),
            parameter_bytes: built.parameter_bytes,
            arena_bytes,
            stack_bytes: measurement.stack_high_water,
            network_bytes: measurement.network_len,
            static_bytes,
            ram_bytes: arena_bytes as u64 + u64::from(measurement.stack_high_water) + static_bytes,
            layers,
            calibration_ok: measurement.loop_counted == measurement.loop_expected,
        })
    }
}

/// Instructions that bring inputs in, which `instructions` leaves out.
///
/// The first node's count begins with the run itself. What a run costs that is refused for want of an input is no input's work:
/// it stays.
fn input_work(graph: &Graph<'_>, measurement: &Measurement) -> u64 {
    let counts = graph.nodes().zip(&measurement.node_instructions);
    let inputs: u64 = counts
        .filter(|(node, _)| node.op.is_input())
        .map(|(_, &count)| count)
        .sum();
    inputs.saturating_sub(measurement.refused_run_instructions)
}

impl Load {
    fn new(measurement: &Measurement, blob_bytes: usize, parameter_bytes: usize) -> Self {
        let (check, crc) = (measurement.check_instructions, measurement.crc_instructions);
        let scan = measurement.load_instructions;
        Self {
            instructions: check + scan,
            crc_instructions: crc,
            crc_per_byte: crc as f64 / blob_bytes as f64,
            scan_instructions: scan,
            scan_per_byte: scan as f64 / parameter_bytes as f64,
            other_instructions: check.saturating_sub(crc),
        }
    }
}

impl Layer {
    fn new(graph: &Graph<'_>, node: &Node, instructions: u64) -> Self {
        let shape = |tensor: u8| {
            let shape = graph.tensor(tensor.into())?.shape;
            Some([shape.h, shape.w, shape.c])
        };
        let macs = graph.node_macs(node);
        let window = |side: u8| (side > 0).then_some(side);
        Self {
            operator: format!("{:?}", node.op),
            input: if node.op.is_input() { None } else { shape(node.input) },
            output: if node.op.is_output() { None } else { shape(node.output) },
            kernel: window(node.kernel),
            stride: window(node.stride),
            macs,
            instructions,
            instructions_per_mac: (macs > 0).then(|| instructions as f64 / macs as f64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::build;
    use crate::device::BOARDS;

    /// A report of W2, which has five nodes, from these counts.
    fn report(nodes: &[u64], loop_counted: u64) -> Result<WorkloadReport, BenchError> {
        let workload = Workload::named("W2").unwrap();
        let measured = Measured {
            measurement: Measurement {
                loop_expected: 100,
                loop_counted,
                crc_instructions: 40_000,
                check_instructions: 45_000,
                load_instructions: 8_000,
                run_instructions: 1_000,
                refused_run_instructions: 90,
                node_instructions: nodes.iter().copied().collect(),
                stack_high_water: 700,
                stack_capacity: 65_536,
                network_len: 150,
            },
            cycles: Err("none".into()),
        };
        let code = Code {
            flash_bytes: 4_000,
            static_bytes: BOARDS[0].arena_len as u64 + 16,
            functions: Vec::new(),
        };
        WorkloadReport::new(
            workload,
            &BOARDS[0],
            &build(workload, Default::default())?,
            &measured,
            &code,
        )
    }

    #[test]
    fn the_work_of_inputs_is_left_out_and_what_any_run_costs_is_not() {
        let report = report(&[300, 200, 200, 200, 100], 100).unwrap();
        assert_eq!(report.instructions, 1_000 - (300 - 90));
        assert_eq!(report.ram_bytes, report.arena_bytes as u64 + 700 + 16);
        assert_eq!((report.macs, report.layers[1].macs), (2_400, 320));
        assert_eq!(report.layers[1].instructions_per_mac, Some(200.0 / 320.0));
        assert!(report.calibration_ok);
    }

    #[test]
    fn the_load_is_parted_into_what_grows_with_the_blob_and_the_rest() {
        let report = report(&[1; 5], 100).unwrap();
        let load = report.load;
        assert_eq!((load.instructions, load.other_instructions), (53_000, 5_000));
        assert_eq!(load.crc_per_byte, 40_000.0 / report.blob_bytes as f64);
        assert_eq!(load.scan_per_byte, 8_000.0 / report.parameter_bytes as f64);
    }

    #[test]
    fn a_miscounted_loop_is_told_and_a_missing_node_refused() {
        assert!(!report(&[1; 5], 101).unwrap().calibration_ok);
        assert!(matches!(report(&[1; 4], 100), Err(BenchError::Report(_))));
    }
}
