//! What fuzzing has found worth keeping, replayed: every file of `shared/fuzz/corpus` through the very function that was fuzzed.
//!
//! `BLESS=1` writes the files named `seed-…`, which fuzzing begins with, anew.

use std::cell::Cell;
use std::path::PathBuf;

use serde::Serialize;
use trident::spec::{HeadSet, InputSlot};
use trident::wire::{Refusal, Reply, Request, text};
use trident_tests::golden::{blessing, workspace};
use trident_tests::{fuzzed, tiny};

/// The most that a corpus may take in the repository, in bytes.
const MOST_BYTES: usize = 300_000;

/// Runs every file of a corpus; the seeds must be there.
fn replay(target: &str, seeds: &[(&str, Vec<u8>)], run: impl Fn(&[u8])) {
    let folder = workspace().join("shared/fuzz/corpus").join(target);
    for (name, bytes) in seeds {
        let path = folder.join(format!("seed-{name}"));
        if blessing() {
            std::fs::create_dir_all(&folder).expect("a folder for the corpus");
            std::fs::write(&path, bytes).expect("the corpus can be written");
        }
        let file = std::fs::read(&path).expect("every seed is kept");
        assert!(
            file == *bytes,
            "{name} changed; if that is meant, run again with BLESS=1"
        );
    }
    let entries = std::fs::read_dir(&folder).expect("a corpus is kept");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    let mut total = 0;
    for path in files {
        let bytes = std::fs::read(&path).expect("a file that can be read");
        total += bytes.len();
        // What is printed before a failure is shown with it.
        println!("{}", path.display());
        run(&bytes);
    }
    assert!(total <= MOST_BYTES, "{total} bytes: `cargo fuzz cmin`");
}

#[test]
fn blobs_are_refused_or_run_safely() {
    let [tiny, minimal] = [tiny::tiny(), tiny::minimal()].map(|builder| builder.pack().bytes().to_vec());
    let seed = |mended: u8, blob: &[u8]| [&[mended], blob].concat();
    let seeds = [
        ("tiny", seed(0, &tiny)),
        ("tiny-mended", seed(1, &tiny)),
        ("minimal", seed(0, &minimal)),
        ("minimal-mended", seed(1, &minimal)),
    ];
    let ran = Cell::new(0);
    replay("blob", &seeds, |bytes| {
        ran.set(ran.get() + usize::from(fuzzed::blob(bytes)))
    });
    // Most of what is kept is refused, each in its own way; what runs covers much with few.
    assert!(ran.get() > 10, "only {} blobs ran", ran.get());
}

#[test]
fn messages_come_back_as_they_were_sent() {
    /// One frame for the target to make: its kind, its body's length, its sequence number, its body.
    fn framed(message: &impl Serialize) -> Vec<u8> {
        let body = postcard::to_stdvec(message).expect("messages encode");
        [&[0, body.len() as u8, 7, 0][..], &body].concat()
    }
    let requests = [
        Request::Info,
        Request::Input {
            slot: InputSlot::Picture,
            offset: 256,
            bytes: &[0, 1, 2, 255],
        },
        Request::Run { heads: HeadSet::ALL },
        Request::Output { offset: 1, len: 256 },
        Request::Statistics,
    ];
    let requests: Vec<u8> = requests.iter().flat_map(framed).collect();
    let replies = [
        Reply::Accepted,
        Reply::Bytes {
            offset: 3,
            bytes: &[0, 9],
        },
        Reply::Refused(Refusal::Run(text("a reason"))),
    ];
    let replies: Vec<u8> = replies.iter().flat_map(framed).collect();
    let whole = |messages: &[u8]| [&[1, 4], messages].concat();
    let seeds = [("requests", whole(&requests)), ("replies", whole(&replies))];
    replay("frames", &seeds, fuzzed::frames);
}

#[test]
fn boards_boot_and_take_updates_whatever_their_flash_holds() {
    let blob = |slot: u8, sequence: u8| [3, slot, sequence, 0, 0, 0];
    let update = |sequence: u8, most: [u8; 2]| [6, sequence, 0, 0, 0, most[0], most[1]];
    let boot = [5];
    let updates = [
        &[0xff][..],
        &blob(0, 1),
        &boot,
        &update(2, [255, 255]),
        &boot,
        &update(3, [0, 1]),
        &update(4, [255, 255]),
    ];
    let zeros = [&[0x00][..], &blob(1, 9), &update(10, [255, 255]), &boot];
    let seeds = [("updates", updates.concat()), ("zeros", zeros.concat())];
    replay("slots", &seeds, fuzzed::slots);
}
