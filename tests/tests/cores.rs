//! Every board under QEMU: it boots, its self-test passes, and its answers are the host's, bit for bit. The README's table of boards
//! is written from what happened.
//!
//! `TRIDENT_SOAK=1` compares 1,000 vectors per head and board, else it is 100.

use std::collections::BTreeMap;
use std::thread;

use trident::{Blob, Head, HeadSet, InputSlot, Inputs};
use trident_host::bench::{self, Workload};
use trident_host::device::{BOARDS, Board, LinkKind, Target};
use trident_host::quantize::optimize::Optimize;
use trident_host::quantize::writer::AlignedBytes;
use trident_tests::noise::Noise;
use trident_tests::parity::{assert_same, on_host};
use trident_tests::readme::assert_shows;

/// Models of the heads of `edge`: all in one, and one by one for boards without the memory for that.
const TOGETHER: &str = "edge";
const ALONE: [(&str, Head); 3] = [
    ("edge/classification", Head::Classification),
    ("edge/segmentation", Head::Segmentation),
    ("edge/regression", Head::Regression),
];

fn vectors() -> u64 {
    if std::env::var_os("TRIDENT_SOAK").is_some() {
        1_000
    } else {
        100
    }
}

fn blobs() -> BTreeMap<&'static str, AlignedBytes> {
    let names = ALONE.iter().map(|(name, _)| *name).chain([TOGETHER]);
    let build = |name| {
        let workload = Workload::named(name).expect("a workload");
        let built = bench::build(workload, Optimize::default()).unwrap_or_else(|error| panic!("{error}"));
        (name, built.blob)
    };
    names.map(build).collect()
}

/// Whether the board has room for the model, and for a picture if it wants one.
fn fits(board: &Board, blob: &[u8]) -> bool {
    let parsed = Blob::new_exact(blob).expect("a blob");
    let picture = parsed.input(InputSlot::Picture).map_or(0, |input| input.shape.len());
    let slot = board.slots.iter().any(|slot| slot.len >= blob.len());
    slot && parsed.graph().arena_len() <= board.arena_len && picture <= board.picture_len
}

/// What a board did.
#[derive(Default)]
struct Done {
    /// Per head, the instructions of its last run.
    instructions: BTreeMap<&'static str, u64>,
    values: u64,
}

/// Boots the board with the blob and runs each of the heads alone over random inputs.
fn compare(board: &'static Board, blob: &[u8], heads: HeadSet, done: &mut Done) {
    let target = Target::Qemu {
        board,
        link: LinkKind::default(),
        flash: None,
        key: None,
    };
    let mut client = target
        .connect(blob)
        .unwrap_or_else(|error| panic!("{}: {error}", board.name));
    let parsed = Blob::new_exact(blob).expect("a blob");
    let len = |slot| parsed.input(slot).map(|input| input.shape.len());
    let mut noise = Noise::new(u64::from(board.ram_len as u32));
    for head in Head::ALL.into_iter().filter(|&head| heads.contains(head)) {
        for vector in 0..vectors() {
            // From the narrow to the far beyond what ranges were fitted to.
            let spread = [1.0, 30.0, 1_000.0][vector as usize % 3];
            let mut row = |slot| len(slot).map(|len| (0..len).map(|_| noise.unit() * spread).collect::<Vec<f32>>());
            let (classification, regression) = (row(InputSlot::Classification), row(InputSlot::Regression));
            let picture =
                len(InputSlot::Picture).map(|len| noise.codes(len).iter().map(|&code| code as u8).collect::<Vec<u8>>());
            let inputs = Inputs {
                classification: classification.as_deref(),
                picture: picture.as_deref(),
                regression: regression.as_deref(),
            };
            let device = client
                .run(head.into(), &inputs)
                .unwrap_or_else(|error| panic!("{}, {}: {error}", board.name, head.name()));
            let host = on_host(blob, head.into(), &inputs);
            assert_same(&device, &host);
            done.values += [
                host.classification.map_or(0, |row| row.len()),
                host.segmentation.map_or(0, |codes| codes.len()),
                host.regression.map_or(0, |_| 1),
            ]
            .iter()
            .sum::<usize>() as u64;
            done.instructions.insert(head.name(), device.instructions);
        }
    }
}

#[test]
fn every_board_answers_as_the_host_does() {
    let blobs = blobs();
    let one = |board: &'static Board| {
        let mut done = Done::default();
        if fits(board, blobs[TOGETHER].as_ref()) {
            compare(board, blobs[TOGETHER].as_ref(), HeadSet::ALL, &mut done);
        } else {
            for (name, head) in ALONE {
                if fits(board, blobs[name].as_ref()) {
                    compare(board, blobs[name].as_ref(), head.into(), &mut done);
                }
            }
        }
        done
    };
    // Two at a time: an emulator keeps one core busy.
    let (even, odd): (Vec<_>, Vec<_>) = BOARDS.iter().enumerate().partition(|(number, _)| number % 2 == 0);
    let run = |boards: Vec<(usize, &'static Board)>| -> Vec<(usize, Done)> {
        boards.into_iter().map(|(number, board)| (number, one(board))).collect()
    };
    let mut done: BTreeMap<usize, Done> = BTreeMap::new();
    thread::scope(|scope| {
        let other = scope.spawn(|| run(odd));
        done.extend(run(even));
        done.extend(other.join().expect("the other half passes"));
    });

    let mut table = "| board | core | RAM | arena | slots for a blob | classification | segmentation | regression |\n\
        |---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for (board, done) in BOARDS.iter().zip(done.values()) {
        println!("{}: {} values compared, none differs", board.name, done.values);
        let has = |head: Head| done.instructions.contains_key(head.name());
        assert!(
            has(Head::Classification) && has(Head::Regression),
            "{}: every board runs the tabular heads",
            board.name
        );
        let [slot, _] = &board.slots;
        let updates = if board.flash.is_some() { "" } else { ", only read" };
        let slots = format!("2 × {} of {}{updates}", size(slot.len), slot.name);
        let ran = Head::ALL.map(|head| if has(head) { "equal" } else { "no room" });
        table.push_str(&format!(
            "| `{}` | {} | {} | {} | {} | {} |\n",
            board.name,
            board.core,
            size(board.ram_len),
            size(board.arena_len),
            slots,
            ran.join(" | ")
        ));
    }
    assert_shows("boards", &table);
}

/// `len` bytes in KB or MB.
fn size(len: usize) -> String {
    if len < 1 << 20 {
        format!("{} KB", len >> 10)
    } else {
        let tenths = (len * 10) >> 20;
        match tenths % 10 {
            0 => format!("{} MB", tenths / 10),
            tenth => format!("{}.{tenth} MB", tenths / 10),
        }
    }
}
