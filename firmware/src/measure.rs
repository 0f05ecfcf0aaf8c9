//! Measures the stages of one model, one after the other, and writes what it found.

use core::hint::black_box;

use heapless::Vec;
use semihosting::process::exit;
use static_cell::{ConstStaticCell, StaticCell};
use trident::blob::{CRC, Header};
use trident::graph::MAX_NODES;
use trident::slots::Mapped;
use trident::wire::{Measurement, Text, text};
use trident::{Blob, BlobError, Inputs, LoadError, Network, RunError};

use crate::arena::Arena;
use crate::boards::{Board, Chosen};
use crate::counter::Counter;
use crate::start::{self, LOOP_INSTRUCTIONS};
use crate::{footprint, golden};

type BoardCounter = <Chosen as Board>::Counter;

static FLASH: StaticCell<<Chosen as Board>::Flash> = StaticCell::new();
static ARENA: ConstStaticCell<Arena<{ Chosen::ARENA_LEN }>> = ConstStaticCell::new(Arena([0; Chosen::ARENA_LEN]));

/// Room for a [`Measurement`], or the reason why there is none, as bytes.
const REPORT_LEN: usize = 2048;
const _: () = assert!(
    REPORT_LEN >= size_of::<Measurement>() + MAX_NODES * 2,
    "ten bytes hold any u64"
);

/// Exit status of an image that could not write its report.
const NOT_WRITTEN: i32 = 1;

#[start::entry]
fn main() -> ! {
    let (_, counter) = Chosen::start();
    let mut subject = Subject::new(FLASH.init(Chosen::flash()));
    let counts = count_stages(&counter, &mut subject);
    let stack_high_water = footprint::stack_high_water();
    exit(report(&counter, &mut subject, counts, stack_high_water))
}

/// What is measured. Each stage takes what the one before left.
struct Subject {
    slot: &'static [u8],
    blob: Option<Result<Blob<'static>, BlobError>>,
    inputs: Inputs<'static>,
    arena: &'static mut [u8],
    network: Option<Result<Network<'static>, LoadError>>,
    ran: Option<Result<(), RunError>>,
}

impl Subject {
    /// The first slot that holds anything.
    fn new(flash: &'static <Chosen as Board>::Flash) -> Self {
        let slots = Chosen::MAP.slots.map(|slot| flash.bytes(slot));
        let begun = |slot: &&[u8]| slot.iter().take(8).any(|&byte| byte != 0 && byte != 0xff);
        let slot = slots.into_iter().find(begun).unwrap_or_default();
        Self {
            slot,
            blob: None,
            inputs: Inputs::default(),
            arena: &mut ARENA.take().0,
            network: None,
            ran: None,
        }
    }
}

/// Instructions of the stages.
struct Counts {
    calibration: u64,
    crc: u64,
    check: u64,
    load: u64,
    run: u64,
}

#[inline(never)]
fn count_stages(counter: &BoardCounter, subject: &mut Subject) -> Counts {
    let calibration = count(counter, subject, known_loop);
    let crc = count(counter, subject, checksum);
    let check = count(counter, subject, check);
    if let Some(Ok(blob)) = &subject.blob {
        subject.inputs = golden::inputs(blob).unwrap_or_default();
    }
    let load = count(counter, subject, load);
    let run = count(counter, subject, trident_bench_run);
    Counts {
        calibration,
        crc,
        check,
        load,
        run,
    }
}

/// Instructions of a stage, less those of a stage that does nothing.
///
/// Both are called by one piece of code, so that no count depends on how the compiler prepares a call. A trace from entry to
/// return counts the empty stage's few instructions (frame and return) besides.
fn count(counter: &BoardCounter, subject: &mut Subject, stage: fn(&mut Subject)) -> u64 {
    let call = count_call(counter, subject, nothing);
    count_call(counter, subject, stage) - call
}

#[inline(never)]
fn count_call(counter: &BoardCounter, subject: &mut Subject, stage: fn(&mut Subject)) -> u64 {
    let stage = black_box(stage);
    let start = counter.mark();
    stage(subject);
    counter.since(start)
}

fn nothing(_: &mut Subject) {}

fn known_loop(_: &mut Subject) {
    start::known_loop();
}

#[inline(never)]
fn checksum(subject: &mut Subject) {
    let end = Header::decode(subject.slot).map_or(0, |header| header.total_len as usize);
    black_box(CRC.checksum(subject.slot.get(4..end).unwrap_or_default()));
}

fn check(subject: &mut Subject) {
    subject.blob = Some(Blob::new_checked(subject.slot));
}

fn load(subject: &mut Subject) {
    if let Some(Ok(blob)) = subject.blob {
        subject.network = Some(Network::load(blob, core::mem::take(&mut subject.arena)));
    }
}

/// One run of all heads. Its name is kept so that a tracer finds it; its first call is the run that is reported.
// SAFETY: no other symbol of the image has this name.
#[allow(unsafe_code)]
#[unsafe(no_mangle)]
#[inline(never)]
fn trident_bench_run(subject: &mut Subject) {
    if let Some(Ok(network)) = &mut subject.network {
        let heads = network.heads();
        subject.ran = Some(network.run(heads, &subject.inputs).map(|_| ()));
    }
}

/// Measures the rest, which may take as much stack as it likes, and writes all of it.
#[inline(never)]
fn report(counter: &BoardCounter, subject: &mut Subject, counts: Counts, stack_high_water: usize) -> i32 {
    let found: Result<Measurement, Text> = match fault(subject).or_else(|| wrong_answer(subject)) {
        Some(reason) => Err(reason),
        None => Ok(Measurement {
            loop_expected: LOOP_INSTRUCTIONS,
            loop_counted: counts.calibration,
            crc_instructions: counts.crc,
            check_instructions: counts.check,
            load_instructions: counts.load,
            run_instructions: counts.run,
            node_instructions: observe(counter, subject),
            refused_run_instructions: refused_run(counter, subject),
            stack_high_water: stack_high_water as u32,
            stack_capacity: footprint::stack_capacity() as u32,
            network_len: size_of::<Network>() as u32,
        }),
    };
    write(&found)
}

/// Writes the report. Its bytes lie on the stack, whose depth has been measured by now.
#[inline(never)]
fn write(found: &Result<Measurement, Text>) -> i32 {
    let mut buffer = [0; REPORT_LEN];
    let Ok(bytes) = postcard::to_slice(found, &mut buffer) else {
        return NOT_WRITTEN;
    };
    semihosting::fs::write(c"measurement", bytes).map_or(NOT_WRITTEN, |()| 0)
}

/// Why there is nothing to report.
fn fault(subject: &Subject) -> Option<Text> {
    match (&subject.blob, &subject.network, &subject.ran) {
        (Some(Err(error)), ..) => Some(text(format_args!("blob: {error}"))),
        (_, Some(Err(error)), _) => Some(text(format_args!("load: {error}"))),
        (.., Some(Err(error))) => Some(text(format_args!("run: {error}"))),
        (.., Some(Ok(()))) => None,
        (.., None) => Some(text("nothing was run")),
    }
}

/// What differs from the answers that the blob expects.
fn wrong_answer(subject: &mut Subject) -> Option<Text> {
    match subject.network.as_mut()?.as_mut().ok()?.self_test() {
        Ok(()) => None,
        Err(error) => Some(text(format_args!("self-test: {error}"))),
    }
}

/// Instructions of each node.
fn observe(counter: &BoardCounter, subject: &mut Subject) -> Vec<u64, MAX_NODES> {
    let mut counts = Vec::new();
    if let Some(Ok(network)) = &mut subject.network {
        // A graph has no more nodes than fit.
        let _ = counts.resize(network.blob().graph().node_count(), 0);
        let heads = network.heads();
        let mut mark = counter.mark();
        // Its inputs are those of the run before, which did not fail.
        let _ = network.run_observed(heads, &subject.inputs, |step| {
            let spent = counter.since(mark);
            if let Some(count) = counts.get_mut(step.node) {
                *count += spent;
            }
            mark = counter.mark();
        });
    }
    counts
}

/// Instructions of a run up to the first node's complaint that it has no input.
fn refused_run(counter: &BoardCounter, subject: &mut Subject) -> u64 {
    subject.inputs = Inputs::default();
    count(counter, subject, trident_bench_run)
}
