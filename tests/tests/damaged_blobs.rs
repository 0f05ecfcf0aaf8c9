//! Damaged blobs: every flipped bit, every truncation, ten thousand random damages. Each is refused, for exactly the reason that an oracle
//! gives which shares no code with the checks.
//!
//! `TRIDENT_SOAK=1` flips every bit of `edge`'s parameters, else one in 61; all bits of the others are always flipped.

use std::ops::Range;
use std::thread;

use trident::Blob;
use trident::blob::{BlobError, HEADER_LEN, Header};
use trident_tests::aligned::Aligned;
use trident_tests::fuzzed::shallow_reason;
use trident_tests::golden::workspace;
use trident_tests::noise::Noise;
use trident_tests::tiny;

/// A whole blob, and what each of its bytes does to its checksum.
struct Whole {
    name: &'static str,
    bytes: Vec<u8>,
    /// What flipping bit 0, 1, … of a byte changes in the checksum of all.
    deltas: Vec<[u32; 8]>,
}

impl Whole {
    fn new(name: &'static str, bytes: Vec<u8>) -> Self {
        assert_eq!(shallow_reason(&bytes), None, "{name} is whole");
        // A checksum is linear: a bit changes it by what a message of that bit alone would, and each byte that follows turns that once more.
        let turned = |delta: u32| (0..8).fold(delta, |crc, _| crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 });
        let mut deltas = vec![[0; 8]; bytes.len()];
        let mut delta: [u32; 8] = core::array::from_fn(|bit| turned(1 << bit));
        for at in (4..bytes.len()).rev() {
            deltas[at] = delta;
            delta = delta.map(turned);
        }
        Self { name, bytes, deltas }
    }

    fn all() -> [Self; 3] {
        let edge = std::fs::read(workspace().join("tests/golden/edge-v4.tri")).expect("the golden blob");
        let [tiny, minimal] = [tiny::tiny(), tiny::minimal()].map(|builder| builder.pack().bytes().to_vec());
        [
            Self::new("edge", edge),
            Self::new("tiny", tiny),
            Self::new("minimal", minimal),
        ]
    }

    /// Why the blob is refused that differs in some bytes of that range, if at all.
    fn reason(&self, damaged: &[u8], range: Range<usize>) -> Option<BlobError> {
        const TOTAL_LEN: Range<usize> = 12..16;
        if damaged[4..10] != self.bytes[4..10] || damaged[TOTAL_LEN] != self.bytes[TOTAL_LEN] {
            return shallow_reason(damaged);
        }
        let word = |bytes: &[u8]| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        let (stored, mut computed) = (word(damaged), word(&self.bytes));
        let range = range.start.max(4)..range.end.max(4);
        let pairs = damaged[range.clone()].iter().zip(&self.bytes[range.clone()]);
        for ((new, old), deltas) in pairs.zip(&self.deltas[range]) {
            for (bit, delta) in deltas.iter().enumerate() {
                if (new ^ old) >> bit & 1 == 1 {
                    computed ^= delta;
                }
            }
        }
        (stored != computed).then_some(BlobError::Crc { stored, computed })
    }
}

/// Does it for every number, on all cores.
fn everywhere(numbers: usize, each: impl Fn(usize, &mut dyn FnMut(&[u8]) -> Option<BlobError>) + Sync) {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for worker in 0..workers {
            let each = &each;
            scope.spawn(move || {
                let mut aligned = Aligned::zeroed(0);
                let mut refused = |bytes: &[u8]| {
                    if aligned.bytes().len() == bytes.len() {
                        aligned.bytes_mut().copy_from_slice(bytes);
                    } else {
                        aligned = Aligned::copy_of(bytes);
                    }
                    Blob::new_checked(aligned.bytes()).err()
                };
                (worker..numbers)
                    .step_by(workers)
                    .for_each(|number| each(number, &mut refused));
            });
        }
    });
}

#[test]
fn every_flipped_bit_is_refused() {
    let soak = std::env::var_os("TRIDENT_SOAK").is_some();
    for whole in Whole::all() {
        let offset = Header::decode(&whole.bytes).expect("a header").parameters_offset as usize;
        let every = |bit: &usize| soak || whole.name != "edge" || bit / 8 < offset || bit.is_multiple_of(61);
        let bits: Vec<usize> = (0..8 * whole.bytes.len()).filter(every).collect();
        everywhere(bits.len(), |number, refused| {
            let (byte, bit) = (bits[number] / 8, bits[number] % 8);
            let mut damaged = whole.bytes.clone();
            damaged[byte] ^= 1 << bit;
            let expected = whole.reason(&damaged, byte..byte + 1);
            assert!(expected.is_some());
            assert_eq!(refused(&damaged), expected, "{}: bit {bit} of byte {byte}", whole.name);
        });
        println!("{}: {} single bits flipped, each refused", whole.name, bits.len());
    }
}

#[test]
fn every_truncation_is_refused() {
    for whole in Whole::all() {
        let aligned = Aligned::copy_of(&whole.bytes);
        for found in 0..whole.bytes.len() {
            let needed = if found < HEADER_LEN {
                HEADER_LEN
            } else {
                whole.bytes.len()
            };
            let error = Blob::new_checked(&aligned.bytes()[..found]).expect_err("bytes are missing");
            assert_eq!(error, BlobError::Truncated { needed, found }, "{}", whole.name);
        }
    }
}

/// Bursts of noise, zeros or ones, exchanged and moved pieces, anywhere; half of them meet the header, too.
#[test]
fn ten_thousand_random_damages_are_refused() {
    const DAMAGES: usize = 10_000;
    let wholes = Whole::all();
    everywhere(DAMAGES, |number, refused| {
        let whole = &wholes[number % wholes.len()];
        let mut noise = Noise::new(number as u64);
        let mut damaged = whole.bytes.clone();
        while damaged == whole.bytes {
            for _ in 0..noise.int(1..=4) {
                let reach = if noise.int(0..=1) == 0 {
                    HEADER_LEN
                } else {
                    damaged.len()
                };
                damage(&mut damaged, reach, &mut noise);
            }
        }
        let expected = whole.reason(&damaged, 0..damaged.len());
        assert!(
            expected.is_some(),
            "{} {number}: a damage that no checksum shows",
            whole.name
        );
        assert_eq!(refused(&damaged), expected, "{}, damage {number}", whole.name);
    });
}

/// Changes some bytes that begin below `reach`.
fn damage(bytes: &mut [u8], reach: usize, noise: &mut Noise) {
    let start = noise.index(reach);
    let len = (noise.int(2..=64) as usize).min(bytes.len() - start);
    let there = start..start + len;
    match noise.int(0..=4) {
        0 => bytes[there].fill_with(|| noise.bits() as u8),
        1 => bytes[there].fill(0x00),
        2 => bytes[there].fill(0xff),
        3 => bytes[there].reverse(),
        _ => {
            let from = noise.index(bytes.len() - len + 1);
            bytes.copy_within(from..from + len, start);
        }
    }
}
