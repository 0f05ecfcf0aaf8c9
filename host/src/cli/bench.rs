//! `trident bench`: what models cost on a board, in instructions and bytes, per workload and per layer.

use anyhow::{Context, bail};

use super::say;
use super::table::{table, whole};
use crate::bench::elsewhere::MEASURED;
use crate::bench::peers::training::{self, TrainingReport};
use crate::bench::peers::{self, PeerReport};
use crate::bench::{self, Layer, Report, WORKLOADS, Workload, WorkloadReport};
use crate::device::{BOARDS, Board};
use crate::progress::Progress;
use crate::quantize::optimize::Optimize;

/// What to measure, and where.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The board, under QEMU
    #[arg(long, default_value = BOARDS[0].name)]
    board: String,
    /// Only this workload; may be repeated
    #[arg(long, value_name = "NAME")]
    workload: Vec<String>,
    /// What counts where flash and speed pull apart
    #[arg(long, value_enum, default_value_t)]
    optimize: Optimize,
    /// Builds other engines too and measures them; fetches crates and TensorFlow, and takes many minutes the first time
    #[arg(long)]
    peers: bool,
    /// What an epoch of training costs on this computer beside Keras, instead; fetches TensorFlow the first time
    #[arg(long, conflicts_with_all = ["board", "workload", "optimize", "peers"])]
    training: bool,
}

/// Builds the images, measures every workload, and prints the tables.
///
/// # Errors
/// An unknown name, a tool that is missing, a workload that cannot be measured, or a counter that does not count exactly.
pub fn run(args: &Args, json: bool) -> anyhow::Result<()> {
    if args.training {
        let report = training::run(&Progress::new())?;
        return if json {
            super::print_json(&report)
        } else {
            print_training(&report)
        };
    }
    let boards = || BOARDS.iter().map(|board| board.name).collect::<Vec<_>>().join(", ");
    let board = Board::named(&args.board)
        .with_context(|| format!("there is no board called `{}`; there is {}", args.board, boards()))?;
    let workloads = chosen(&args.workload)?;
    let mut report = bench::run(board, &workloads, args.optimize, &Progress::new())?;
    bench::own_code(board, &mut report, &Progress::new())?;
    if args.peers {
        report.peers = Some(peers::run(board, &workloads, args.optimize)?);
    }
    if json {
        super::print_json(&report)?;
    } else {
        print(&report)?;
    }
    if !report.calibration_ok {
        bail!("a loop of known length was not counted exactly, so no count above means anything");
    }
    Ok(())
}

fn chosen(names: &[String]) -> anyhow::Result<Vec<&'static Workload>> {
    if names.is_empty() {
        return Ok(WORKLOADS.iter().collect());
    }
    let find = |name: &String| {
        Workload::named(name).with_context(|| {
            let known: Vec<&str> = WORKLOADS.iter().map(|workload| workload.name).collect();
            format!("there is no workload called `{name}`; there are {}", known.join(", "))
        })
    };
    names.iter().map(find).collect()
}

fn print(report: &Report) -> anyhow::Result<()> {
    say!("{} ({}), {}", report.board, report.core, report.compiler);
    let mut rows = table(&[
        "workload",
        "MACs",
        "instructions",
        "per MAC",
        "modelled cycles",
        "pinned",
        "code",
        "all operators",
        "blob",
        "parameters",
        "arena",
        "stack",
        "RAM",
    ]);
    for workload in &report.workloads {
        rows.add_row([
            workload.name.into(),
            whole(workload.macs),
            whole(workload.instructions),
            per_mac(Some(workload.instructions_per_mac)),
            workload.modelled_cycles.map_or_else(|| "–".into(), whole),
            workload
                .pinned
                .map_or_else(|| "–".into(), |pinned| whole(pinned.code_bytes)),
            workload.code_bytes.map_or_else(|| "–".into(), whole),
            whole(workload.code_bytes_all),
            whole(workload.blob_bytes as u64),
            whole(workload.parameter_bytes as u64),
            whole(workload.arena_bytes as u64),
            whole(workload.stack_bytes.into()),
            whole(workload.ram_bytes),
        ]);
    }
    say!("{rows}");
    say!(
        "instructions: codes in, results out; sizes in bytes; code is the engine alone: pinned to the blob, which the host has checked; with \
         the operators of the workload, for any blob; and with all operators"
    );
    for workload in &report.too_large {
        say!("{} is too large: {}", workload.name, workload.reason);
    }
    if let Some(reason) = report.workloads.iter().find_map(|w| w.modelled_cycles_reason.as_ref()) {
        say!("no modelled cycles: {reason}");
    }
    for workload in &report.workloads {
        print_layers(workload)?;
    }
    print_elsewhere(report)?;
    report.peers.as_ref().map_or(Ok(()), print_peers)
}

fn print_training(report: &TrainingReport) -> anyhow::Result<()> {
    say!(
        "preset {}, {} parameters, an epoch of {} rows; CPU-seconds, user and system",
        report.preset,
        whole(report.parameters as u64),
        whole(report.rows as u64)
    );
    let mut rows = table(&["", "epoch, median", "turns"]);
    let keras = report.keras_version.as_deref().unwrap_or("Keras");
    for (name, median, turns) in [
        ("trident", report.own_median(), &report.own),
        (keras, report.keras_median(), &report.keras),
    ] {
        let turns: Vec<String> = turns.iter().map(|seconds| format!("{seconds:.2}")).collect();
        let median = median.map_or_else(|| "–".to_owned(), |seconds| format!("{seconds:.2}"));
        rows.add_row([name.to_owned(), median, turns.join(" ")]);
    }
    say!("{rows}");
    match (report.ratio, &report.reason) {
        (Some(ratio), _) => say!("trident / Keras: {ratio:.2}"),
        (None, Some(reason)) => say!("no comparison: {reason}"),
        (None, None) => {}
    }
    Ok(())
}

fn print_peers(report: &PeerReport) -> anyhow::Result<()> {
    say!("\nother engines in this run; modelled cycles as above");
    let mut rows = table(&["workload", "engine", "instructions", "modelled cycles", ""]);
    for row in &report.on_board {
        let remark = row.reason.as_deref().or(row.note).unwrap_or_default();
        rows.add_row([
            row.workload.into(),
            row.engine.into(),
            row.figures
                .map_or_else(|| "–".into(), |figures| whole(figures.instructions)),
            row.figures
                .map_or_else(|| "–".into(), |figures| whole(figures.modelled_cycles)),
            remark.to_owned(),
        ]);
    }
    say!("{rows}");
    if report.on_host.is_empty() {
        return Ok(());
    }
    say!("\nint8 on this computer, inferences per second of processor time, medians of turns");
    let mut rows = table(&[
        "workload",
        "trident, all cores",
        "cores",
        "XNNPACK, one core",
        "ratio",
        "",
    ]);
    for row in &report.on_host {
        rows.add_row([
            row.workload.into(),
            whole(row.own as u64),
            row.own_threads.to_string(),
            row.xnnpack.map_or_else(|| "–".into(), |rate| whole(rate as u64)),
            row.xnnpack
                .map_or_else(|| "–".into(), |rate| format!("{:.2}", row.own / rate)),
            row.reason.clone().unwrap_or_default(),
        ]);
    }
    say!("{rows}");
    Ok(())
}

fn print_layers(workload: &WorkloadReport) -> anyhow::Result<()> {
    say!("\n{}: {}", workload.name, workload.what);
    let mut rows = table(&["layer", "reads", "makes", "MACs", "instructions", "per MAC"]);
    for (number, layer) in workload.layers.iter().enumerate() {
        rows.add_row([
            format!("{number:>2} {}", operator(layer)),
            shape(layer.input),
            shape(layer.output),
            whole(layer.macs),
            whole(layer.instructions),
            per_mac(layer.instructions_per_mac),
        ]);
    }
    say!("{rows}");
    let load = &workload.load;
    say!(
        "a whole run {} instructions; the load {}: CRC {} ({:.2} per byte), scan of the weights {} ({:.2} per byte), the rest {}",
        whole(workload.run_instructions),
        whole(load.instructions),
        whole(load.crc_instructions),
        load.crc_per_byte,
        whole(load.scan_instructions),
        load.scan_per_byte,
        whole(load.other_instructions)
    );
    Ok(())
}

fn print_elsewhere(report: &Report) -> anyhow::Result<()> {
    if report.measured_elsewhere.is_empty() {
        return Ok(());
    }
    say!("\nmeasured elsewhere, {MEASURED}");
    let mut rows = table(&["workload", "engine", "instructions", "modelled cycles"]);
    for figures in &report.measured_elsewhere {
        rows.add_row([
            figures.workload.into(),
            figures.engine.into(),
            whole(figures.instructions),
            figures.modelled_cycles.map_or_else(|| "–".into(), whole),
        ]);
    }
    say!("{rows}");
    Ok(())
}

/// An operator with its window: `Conv2d 3×3 /2`.
fn operator(layer: &Layer) -> String {
    let window = layer.kernel.map_or_else(String::new, |side| format!(" {side}×{side}"));
    let stride = layer.stride.filter(|&stride| stride > 1);
    let stride = stride.map_or_else(String::new, |stride| format!(" /{stride}"));
    format!("{}{window}{stride}", layer.operator)
}

fn shape(shape: Option<[u16; 3]>) -> String {
    shape.map_or_else(|| "–".into(), |[h, w, c]| format!("{h}×{w}×{c}"))
}

fn per_mac(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "–".into(), |ratio| format!("{ratio:.2}"))
}
