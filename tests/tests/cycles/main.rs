//! Modelled cycles of programs whose price is known by hand, from machine code to the sum, under QEMU.

mod elf;
mod program;

use std::path::PathBuf;
use std::sync::OnceLock;

use tempfile::TempDir;
use trident_host::bench::cycles::{Trace, Tracer, Unavailable};
use trident_host::device::BOARDS;
use trident_host::toolchain::Toolchain;

struct Bench {
    tracer: Tracer,
    elf: PathBuf,
    _folder: TempDir,
}

fn trace(symbol: &str, nth: u32) -> Result<Trace, Unavailable> {
    static BENCH: OnceLock<Bench> = OnceLock::new();
    let bench = BENCH.get_or_init(|| {
        let toolchain = Toolchain::new().expect("the workspace is here");
        let folder = TempDir::new().expect("a folder can be made");
        let elf = folder.path().join("program.elf");
        std::fs::write(&elf, elf::file()).expect("the program can be written");
        Bench {
            tracer: Tracer::new(&toolchain, &BOARDS[0]).unwrap_or_else(|error| panic!("{error}")),
            elf,
            _folder: folder,
        }
    });
    bench.tracer.trace(&bench.elf, &[], symbol, nth)
}

#[track_caller]
fn takes(symbol: &str, nth: u32, instructions: u64, cycles: u64) {
    let trace = trace(symbol, nth).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((trace.instructions, trace.cycles), (instructions, cycles), "{symbol}");
    let [own] = &trace.per_function[..] else {
        panic!("{symbol} calls nobody, but: {trace:?}");
    };
    assert_eq!(
        (own.name.as_str(), own.instructions, own.cycles),
        (symbol, instructions, cycles)
    );
}

#[test]
fn cycles_are_those_counted_by_hand() {
    takes("loads", 1, 10, 15);
    takes("blocks", 1, 7, 26);
    takes("branches", 1, 15, 23);
    takes("floats", 1, 13, 47);
}

#[test]
fn the_end_of_a_page_changes_nothing() {
    takes("page_end", 1, 4, 8);
}

#[test]
fn each_call_is_traced_for_itself() {
    takes("turns", 1, 4, 6);
    takes("turns", 2, 8, 14);
}

#[test]
fn callees_belong_to_the_call() {
    let trace = trace("jumps", 1).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((trace.instructions, trace.cycles), (2, 6));
    let names: Vec<&str> = trace
        .per_function
        .iter()
        .map(|function| function.name.as_str())
        .collect();
    assert_eq!(names, ["jumped_to", "jumps"]);
    assert_eq!(trace.without(|name| name == "jumped_to").cycles, 3);
}

#[test]
fn a_call_that_does_not_happen_is_told() {
    match trace("turns", 3) {
        Err(Unavailable::Ended { symbol, nth: 3, .. }) => assert_eq!(symbol, "turns"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_function_that_is_jumped_to_is_told() {
    match trace("jumped_to", 1) {
        Err(Unavailable::NotCalled { address: 0xa0, .. }) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_function_that_is_not_there_is_told() {
    match trace("nowhere", 1) {
        Err(Unavailable::Symbol { symbol, found: 0 }) => assert_eq!(symbol, "nowhere"),
        other => panic!("{other:?}"),
    }
}
