//! Bytes that are no blob: contradicting or made up (`damaged_blobs.rs` has the damaged ones). Every one gives an error that says why, and none panics.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use proptest::prelude::*;
use trident::blob::{BlobError, FORMAT_VERSION, HEADER_LEN};
use trident::check::GraphError;
use trident::graph::Op;
use trident::spec::HeadSet;
use trident::{Blob, Network};
use trident_tests::aligned::Aligned;
use trident_tests::builder::seal;
use trident_tests::noise::Noise;
use trident_tests::tiny;

/// More arena than any blob here may ask for without being refused.
const ARENA_LEN: usize = 64 << 10;

#[test]
fn tiny_passes_its_own_self_test_and_is_small() {
    for builder in [tiny::tiny(), tiny::minimal()] {
        let packed = builder.pack();
        assert!(packed.bytes().len() <= 5 << 10, "{} bytes", packed.bytes().len());
        let blob = Blob::new_exact(packed.bytes()).expect("a blob");
        let mut arena = Aligned::zeroed(blob.graph().arena_len());
        let mut network = Network::load(blob, arena.bytes_mut()).expect("loads");
        assert_eq!(network.self_test(), Ok(()));
    }
}

#[test]
fn what_follows_is_ignored_in_a_slot_and_refused_in_a_file() {
    let packed = tiny::tiny().pack();
    let total_len = packed.bytes().len();
    let mut slot = packed.bytes().to_vec();
    slot.extend([0xFF; 33]);
    let slot = Aligned::copy_of(&slot);
    assert_eq!(Blob::new_checked(slot.bytes()).expect("a slot").bytes(), packed.bytes());
    let found = total_len + 33;
    assert_eq!(
        Blob::new_exact(slot.bytes()).unwrap_err(),
        BlobError::Trailing { total_len, found }
    );
}

#[test]
fn a_blob_off_its_boundary_is_refused() {
    let packed = tiny::tiny().pack();
    let mut shifted = Aligned::zeroed(packed.bytes().len() + 4);
    shifted.bytes_mut()[4..].copy_from_slice(packed.bytes());
    assert_eq!(
        Blob::new_checked(&shifted.bytes()[4..]).unwrap_err(),
        BlobError::Misaligned
    );
}

#[test]
fn empty_slots_are_refused() {
    let magic = |found| BlobError::Magic { found: [found; 4] };
    for fill in [0x00, 0xFF] {
        let mut slot = Aligned::zeroed(4096);
        slot.bytes_mut().fill(fill);
        assert_eq!(Blob::new_checked(slot.bytes()).unwrap_err(), magic(fill));
    }
}

/// Each header field, changed and sealed again.
#[test]
fn contradicting_headers_are_refused() {
    let packed = tiny::tiny().pack();
    let total = packed.bytes().len() as u32;
    let refused = |at: usize, bytes: &[u8]| {
        let mut changed = packed.clone();
        changed.bytes_mut()[at..at + bytes.len()].copy_from_slice(bytes);
        seal(changed.bytes_mut());
        Blob::new_checked(changed.bytes()).expect_err("the header is wrong")
    };
    let word = |at: usize, word: u32| refused(at, &word.to_le_bytes());
    assert_eq!(refused(4, b"GIF8"), BlobError::Magic { found: *b"GIF8" });
    assert_eq!(refused(8, &[1, 0]), BlobError::Version { found: 1 });
    let [low, high] = (FORMAT_VERSION + 1).to_le_bytes();
    let found = FORMAT_VERSION + 1;
    assert_eq!(refused(8, &[low, high]), BlobError::Version { found });
    assert_eq!(refused(10, &[0, 1]), BlobError::Flags { found: 256 });
    let (needed, found) = (u32::MAX as usize, total as usize);
    assert_eq!(word(12, u32::MAX), BlobError::Truncated { needed, found });
    assert_eq!(word(20, u32::MAX), BlobError::Layout);
    assert_eq!(word(20, 3), BlobError::Metadata);
    assert_eq!(word(24, 0), BlobError::Layout);
    assert_eq!(word(24, total.next_multiple_of(16) + 16), BlobError::Layout);
    let offset = u32::from_le_bytes(packed.bytes()[24..28].try_into().unwrap());
    assert_eq!(word(24, offset + 1), BlobError::Layout);
    assert!(matches!(
        word(24, offset + 16),
        BlobError::Graph(GraphError::Parameters { .. })
    ));
}

/// A `total_len` shorter than the header, with a checksum that fits.
#[test]
fn lengths_shorter_than_the_header_are_refused() {
    for total_len in 0..HEADER_LEN {
        let mut packed = tiny::minimal().pack();
        packed.bytes_mut()[12..16].copy_from_slice(&(total_len as u32).to_le_bytes());
        if total_len >= 4 {
            seal(&mut packed.bytes_mut()[..total_len]);
        }
        assert_eq!(Blob::new_checked(packed.bytes()).unwrap_err(), BlobError::Layout);
    }
}

#[test]
fn another_arithmetic_is_refused() {
    let mut builder = tiny::minimal();
    builder.arithmetic = "trident.int8.v2";
    assert_eq!(
        Blob::new_checked(builder.pack().bytes()).unwrap_err(),
        BlobError::Arithmetic
    );
}

/// Time that this thread has computed, whatever else the machine does.
fn own_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap().into()
}

/// Opens, loads, tests and runs whatever can be, without a panic and within a second; tells whether it was accepted.
fn survive(packed: &Aligned, what: &str) -> bool {
    let begun = own_time();
    let mut arena = Aligned::zeroed(ARENA_LEN);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let Ok(blob) = Blob::new_checked(packed.bytes()) else {
            return false;
        };
        let Ok(mut network) = Network::load(blob, arena.bytes_mut()) else {
            return false;
        };
        let picture = tiny::picture();
        for heads in (0..=7).filter_map(HeadSet::from_bits) {
            let _ = network.run(heads, &tiny::inputs(&picture)).map(|outputs| {
                let mask = outputs.segmentation().map(|logits| logits.classes().count());
                (outputs.classification().map(<[f32]>::len), mask, outputs.regression())
            });
        }
        let _ = network.self_test();
        true
    }));
    let taken = own_time() - begun;
    assert!(taken < Duration::from_secs(1), "{what} took {taken:?}");
    outcome.unwrap_or_else(|_| panic!("{what} panicked"))
}

/// Every byte of tiny, header and parameters too, takes several values, and the checksum is made to fit.
#[test]
fn every_changed_byte_is_refused_or_runs() {
    let original = tiny::tiny().pack();
    let mut accepted = 0;
    for at in 4..original.bytes().len() {
        let byte = original.bytes()[at];
        for value in [
            0,
            1,
            2,
            0x7F,
            0x80,
            0xFF,
            byte ^ 1,
            byte ^ 0x80,
            byte.wrapping_add(1),
            byte.wrapping_sub(1),
        ] {
            let mut packed = original.clone();
            packed.bytes_mut()[at] = value;
            seal(packed.bytes_mut());
            accepted += usize::from(survive(&packed, &format!("byte {at} = {value:#04x}")));
        }
    }
    // Names, metrics, weights and biases may hold anything: a good part is accepted, so that runs are tried too.
    assert!(accepted > 1000, "only {accepted} accepted");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(8192) })]

    #[test]
    fn several_changed_bytes_are_refused_or_run(seed: u64) {
        let mut noise = Noise::new(seed);
        let mut packed = tiny::tiny().pack();
        for _ in 0..noise.int(1..=4) {
            let at = noise.index(packed.bytes().len());
            packed.bytes_mut()[at] = noise.bits() as u8;
        }
        seal(packed.bytes_mut());
        survive(&packed, &format!("seed {seed}"));
    }

    #[test]
    fn changed_records_are_refused_or_run(seed: u64) {
        let mut noise = Noise::new(seed);
        let mut builder = tiny::tiny();
        let tensors = builder.tensors.len() as i64;
        for _ in 0..noise.int(1..=3) {
            let number = noise.index(builder.nodes.len());
            let small = noise.int(0..=9) as u8;
            let node = &mut builder.nodes[number];
            match noise.int(0..=14) {
                0 => node.input = noise.int(0..=tensors) as u8,
                1 => node.second = noise.int(0..=tensors) as u8,
                2 => node.output = noise.int(0..=tensors) as u8,
                3 => node.kernel = small,
                4 => node.stride = small,
                5 => node.pad_top = small,
                6 => node.weights = noise.int(0..=2048) as u32,
                7 => node.table = noise.int(0..=2048) as u32,
                8 => node.p[noise.index(3)] = noise.bits() as i32,
                9 => node.p[0] = noise.int(0..=2048) as i32,
                10 => node.op = Op::ALL[noise.index(Op::ALL.len())],
                11 => {
                    let tensor = noise.index(builder.tensors.len());
                    builder.tensors[tensor].kept = small.into();
                }
                12 => {
                    let tensor = noise.index(builder.tensors.len());
                    builder.tensors[tensor].shape.h = small.into();
                }
                13 => {
                    let tensor = noise.index(builder.tensors.len());
                    builder.tensors[tensor].offset = noise.int(0..=600) as u32;
                }
                _ => {
                    let other = noise.index(builder.nodes.len());
                    builder.nodes.swap(number, other);
                }
            }
        }
        survive(&builder.pack(), &format!("seed {seed}"));
    }

    #[test]
    fn noise_behind_a_right_header_is_refused_or_runs(seed: u64, len in 0usize..300) {
        let mut noise = Noise::new(seed);
        let mut packed = tiny::minimal().pack();
        let from = HEADER_LEN + noise.index(packed.bytes().len() - HEADER_LEN);
        let to = packed.bytes().len().min(from + len);
        packed.bytes_mut()[from..to].fill_with(|| noise.bits() as u8);
        seal(packed.bytes_mut());
        survive(&packed, &format!("seed {seed}"));
    }
}
