//! `trident bench`: what it counts, and that nothing takes more instructions than it did.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use trident::{Blob, HeadSet};
use trident_host::bench::{self, Bench, BenchError, Report, WORKLOADS, Workload, WorkloadReport};
use trident_host::device::{BOARDS, Board, DeviceError};
use trident_host::progress::Progress;
use trident_host::quantize::optimize::Optimize;
use trident_host::quantize::writer::AlignedBytes;
use trident_host::toolchain::Toolchain;
use trident_tests::baseline::{Baselines, Counts};
use trident_tests::command::Folder;
use trident_tests::golden::blessing;

/// The program under test.
const TRIDENT: &str = env!("CARGO_BIN_EXE_trident-under-test");

/// Boards whose cores have other inner loops than the first board's: plain Rust, for two architectures, and Helium.
const OTHER_CORES: [&str; 3] = ["microbit", "mps3-an547", "virt-riscv32"];

/// All workloads, measured once for all tests.
fn report() -> &'static Report {
    static REPORT: OnceLock<Report> = OnceLock::new();
    REPORT.get_or_init(|| {
        let workloads: Vec<&Workload> = WORKLOADS.iter().collect();
        bench::run(&BOARDS[0], &workloads, Optimize::default(), &Progress::silent())
            .unwrap_or_else(|error| panic!("{error}"))
    })
}

/// What was measured of a workload and its blob.
fn measured(name: &str) -> (&'static WorkloadReport, AlignedBytes) {
    let report = report().workloads.iter().find(|workload| workload.name == name);
    let workload = Workload::named(name).expect("a workload");
    let built = bench::build(workload, Optimize::default()).unwrap_or_else(|error| panic!("{error}"));
    (report.expect("it was measured"), built.blob)
}

fn bench_image() -> Bench {
    let toolchain = Toolchain::new().expect("the sources are there");
    Bench::new(&toolchain, &BOARDS[0]).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_loop_of_known_length_is_counted_exactly() {
    assert!(report().calibration_ok);
}

#[test]
fn no_workload_takes_more_instructions_than_before() {
    let others = OTHER_CORES.map(|name| {
        let board = Board::named(name).expect("a board");
        let workloads: Vec<&Workload> = WORKLOADS.iter().filter(|workload| workload.name != "W3").collect();
        let report = bench::run(board, &workloads, Optimize::default(), &Progress::silent());
        report.unwrap_or_else(|error| panic!("{name}: {error}"))
    });
    let mut baselines = Baselines::read();
    for report in others.iter().chain([report()]) {
        assert!(report.calibration_ok, "{}", report.board);
        let board = Board::named(report.board).expect("a board");
        let (target, compiler) = (board.target_cpu.unwrap_or(board.target), &report.compiler);
        let count = |workload: &WorkloadReport| (workload.name.to_owned(), workload.instructions);
        let counts: Counts = report.workloads.iter().map(count).collect();
        if blessing() {
            baselines.set(target, compiler, counts.clone());
            baselines.write();
        }
        match baselines.compare(target, compiler, &counts) {
            Ok(compared) => println!("{compared}"),
            Err(faults) => panic!("{}: {faults}", report.board),
        }
    }
}

#[test]
fn what_a_board_has_no_room_for_is_named() {
    let said = Folder::new(TRIDENT)
        .trident("bench --board microbit --workload W1 --workload W3 --workload edge --json")
        .succeeds();
    let printed = said.json();
    let names = |key: &str| -> Vec<String> {
        let list = printed[key].as_array().expect("a list");
        list.iter()
            .map(|entry| entry["name"].as_str().expect("a name").to_owned())
            .collect()
    };
    assert_eq!(
        (names("workloads"), names("too_large")),
        (vec!["W1".into()], vec!["W3".into(), "edge".into()])
    );
    Folder::new(TRIDENT)
        .trident("bench --board microbit --workload W3")
        .fails(&["W3", "32768 bytes of flash"]);
}

#[test]
fn cycles_are_modelled() {
    for workload in &report().workloads {
        let reason = workload.modelled_cycles_reason.as_deref().unwrap_or_default();
        let cycles = workload
            .modelled_cycles
            .unwrap_or_else(|| panic!("{}: {reason}", workload.name));
        assert!(
            cycles > workload.instructions,
            "{}: no core is that fast",
            workload.name
        );
    }
}

#[test]
fn figures_are_those_of_the_blob() {
    for name in ["W1", "W4", "edge"] {
        let (report, blob) = measured(name);
        let blob = Blob::new_exact(blob.as_ref()).expect("a blob");
        assert_eq!(report.blob_bytes, blob.bytes().len());
        assert_eq!(report.arena_bytes, blob.graph().arena_len());
        assert_eq!(report.macs, blob.graph().macs(HeadSet::ALL));
        assert_eq!(report.layers.len(), blob.graph().node_count());
        assert!(
            report.parameter_bytes < blob.parameters().len(),
            "a golden vector lies behind them"
        );
    }
}

#[test]
fn layers_add_up_to_the_run() {
    for report in &report().workloads {
        let sum: u64 = report.layers.iter().map(|layer| layer.instructions).sum();
        let run = report.run_instructions;
        assert!(
            sum.abs_diff(run) * 20 < run,
            "{}: {sum} in layers, {run} in the run",
            report.name
        );
        assert!(
            report.instructions < run,
            "{}: inputs take instructions too",
            report.name
        );
    }
}

/// Limits of checking and loading a blob at boot.
mod load {
    use super::*;

    /// The most instructions of the CRC, per byte of the blob.
    const CRC_PER_BYTE: f64 = 10.0;
    /// The most instructions of the scan, per byte of weights and tables.
    const SCAN_PER_BYTE: f64 = 6.0;

    #[test]
    fn every_byte_is_summed_and_scanned_at_a_bounded_cost() {
        for WorkloadReport { name, load, .. } in &report().workloads {
            let (crc, scan) = (load.crc_per_byte, load.scan_per_byte);
            // A table lookup per half byte takes an instruction or two at least: less was not the whole blob.
            assert!(
                (2.0..=CRC_PER_BYTE).contains(&crc),
                "{name}: the CRC takes {crc} per byte"
            );
            assert!(
                scan > 0.0 && scan <= SCAN_PER_BYTE,
                "{name}: the scan takes {scan} per byte"
            );
            let parts = load.crc_instructions + load.scan_instructions + load.other_instructions;
            assert_eq!(parts, load.instructions, "{name}");
        }
    }

    #[test]
    fn nothing_else_grows_with_the_blob() {
        let ((small, _), (large, _)) = (measured("W1"), measured("W3"));
        let more_bytes = (large.blob_bytes - small.blob_bytes) as u64;
        assert!(more_bytes > 7_000_000);
        // W3 has more layers, each of which is checked; a visit of every byte, or of every word, would stand out.
        let more = large
            .load
            .other_instructions
            .saturating_sub(small.load.other_instructions);
        assert!(
            more * 50 < more_bytes,
            "{more} instructions more for {more_bytes} bytes more"
        );
    }
}

#[test]
fn a_blob_is_measured_alike_each_time() {
    let (report, blob) = measured("W2");
    let again = bench_image()
        .measure("W2", blob.as_ref())
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(again.measurement.run_instructions, report.run_instructions);
}

#[test]
fn an_engine_with_a_models_operators_alone_runs_it_in_less_code_and_refuses_others() {
    let (report, blob) = measured("W4");
    let graph = Blob::new_exact(blob.as_ref()).expect("a blob").graph();
    let operators = graph.nodes().map(|node| node.op).collect();
    let toolchain = Toolchain::new().expect("the sources are there");
    let engine = Bench::with_operators(&toolchain, &BOARDS[0], operators).unwrap_or_else(|error| panic!("{error}"));
    // The image compares every answer with those of the host, to the bit, before it reports.
    let own = engine
        .count("W4", blob.as_ref())
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(
        own.run_instructions <= report.run_instructions,
        "{} instructions, {} with all operators",
        own.run_instructions,
        report.run_instructions
    );
    let (_, other) = measured("W1");
    let refused = engine.count("W1", other.as_ref()).unwrap_err().to_string();
    let reason = "blob: node 0: trident was built without its feature `op-readings`";
    assert!(refused.ends_with(reason), "{refused}");
}

/// All three figures are of the image that is pinned to W4.
#[test]
fn the_pinned_engine_of_w4_is_small_and_fast_in_one_image() {
    const MOST: [(&str, u64); 3] = [
        ("bytes of code", 16 << 10),
        ("instructions", 600_000),
        ("modelled cycles", 880_000),
    ];
    let board = &BOARDS[0];
    let mut report = report().clone();
    report.workloads.retain(|workload| workload.name == "W4");
    bench::own_code(board, &mut report, &Progress::silent()).unwrap_or_else(|error| panic!("{error}"));
    let pinned = report.workloads[0].pinned.expect("its engine was built");
    let figures = [Some(pinned.code_bytes), pinned.instructions, pinned.modelled_cycles];
    let slack = Baselines::read().slack(board.target, &report.compiler);
    for ((what, most), figure) in MOST.into_iter().zip(figures) {
        let figure = figure.unwrap_or_else(|| panic!("{what}: no tracer"));
        assert!(figure * 100 <= most * (100 + slack), "{figure} {what}, {most} at most");
    }
}

#[test]
fn a_blob_that_is_not_in_order_is_refused_with_its_reason() {
    let image = bench_image();
    let refused = |blob: &[u8]| match image.measure("W1", blob) {
        Err(BenchError::Refused { reason, .. }) => reason,
        other => panic!("it should be refused: {other:?}"),
    };
    let (_, mut blob) = measured("W1");
    let last = blob.as_ref().len() - 1;
    blob.as_mut()[last] ^= 1;
    assert!(refused(blob.as_ref()).starts_with("blob: damaged"));
    assert!(refused(&[0; 64]).starts_with("blob: "), "an empty slot");
    let too_large = vec![1; 17 << 20];
    assert!(matches!(
        image.measure("W1", &too_large),
        Err(BenchError::Device(DeviceError::BlobTooLarge { .. }))
    ));
}

#[test]
fn the_command_prints_one_object_with_every_figure() {
    let said = Folder::new(TRIDENT)
        .trident("bench --json --workload W1 --workload edge/regression")
        .succeeds();
    let printed = said.json();
    assert_eq!(printed["board"], BOARDS[0].name);
    assert_eq!(printed["calibration_ok"], true);
    let workloads = printed["workloads"].as_array().expect("a list");
    let names: Vec<&str> = workloads
        .iter()
        .filter_map(|workload| workload["name"].as_str())
        .collect();
    assert_eq!(names, ["W1", "edge/regression"]);
    for workload in workloads {
        for key in [
            "macs",
            "instructions",
            "code_bytes",
            "code_bytes_all",
            "blob_bytes",
            "arena_bytes",
            "stack_bytes",
        ] {
            assert!(
                workload[key].as_u64().is_some_and(|figure| figure > 0),
                "{key}: {workload:#}"
            );
        }
        let code = |key: &str| workload[key].as_u64().expect("a number");
        let pinned = |key: &str| workload["pinned"][key].as_u64().expect("a number");
        assert!(
            code("code_bytes") * 3 < code("code_bytes_all") * 2,
            "operators that are not built in leave code: {workload:#}"
        );
        assert!(
            pinned("code_bytes") + 4096 < code("code_bytes"),
            "checks that the host has made leave code: {workload:#}"
        );
        // Opening the blob and finding its inputs come on top, and little else.
        let instructions = code("instructions");
        assert!(
            (instructions / 2..instructions + 1000).contains(&pinned("instructions")),
            "{workload:#}"
        );
        let (cycles, reason) = (&workload["modelled_cycles"], &workload["modelled_cycles_reason"]);
        assert!(
            cycles.is_u64() != reason.is_string(),
            "cycles or a reason: {workload:#}"
        );
        let layers = workload["layers"].as_array().expect("a list");
        let operators: BTreeMap<&str, u64> = layers
            .iter()
            .map(|layer| {
                (
                    layer["operator"].as_str().expect("a name"),
                    layer["macs"].as_u64().expect("a number"),
                )
            })
            .collect();
        assert!(operators["Linear"] > 0 && operators["Readings"] == 0, "{workload:#}");
    }
}

#[test]
fn the_command_says_what_there_is_instead_of_an_unknown_name() {
    let folder = Folder::new(TRIDENT);
    folder.trident("bench --workload W9").fails(&["`W9`", "W1, W2, W3, W4"]);
    folder.trident("bench --board mps9").fails(&["`mps9`", BOARDS[0].name]);
}
