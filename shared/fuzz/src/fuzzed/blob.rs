//! Blobs: refused with a reason, or run safely.

use trident::blob::{
    ALIGNMENT, BlobError, CRC, Calibration, FORMAT_VERSION, HEADER_LEN, MAGIC, Metadata, OLDEST_VERSION, SIGNED,
    Sequence,
};
use trident::signature::PublicKey;
use trident::{Blob, HeadSet, InputSlot, Inputs, LoadError, Network, SelfTestError};

use super::portions::Portions;
use crate::aligned::Aligned;

/// More arena than any board here has.
const MOST_ARENA: usize = 64 << 10;
/// Multiplications of a run, or codes that it writes: what takes longer is loaded but not run, else the fuzzer would wait.
const MOST_WORK: u64 = 1 << 21;
/// Bytes of a picture: a larger one is not handed over.
const MOST_PICTURE: usize = 1 << 20;

/// Somebody's key, RFC 8032, section 7.1, test 3; nothing here is signed with it.
const KEY: PublicKey = PublicKey([
    0xfc, 0x51, 0xcd, 0x8e, 0x62, 0x18, 0xa1, 0xa3, 0x8d, 0xa4, 0x7e, 0xd0, 0x02, 0x30, 0xf0, 0x58, 0x08, 0x16, 0xed,
    0x13, 0xba, 0x33, 0x03, 0xac, 0x5d, 0xeb, 0x91, 0x15, 0x48, 0x90, 0x80, 0x25,
]);

/// Opens the bytes behind the first as a blob, loads and runs it. If the first byte is odd, the header and the checksum are mended before, so
/// that what lies behind them is reached. Tells whether it ran.
///
/// # Panics
/// If anything panics, if a run reads memory that nothing was written to, or if doors disagree.
pub fn blob(input: &[u8]) -> bool {
    let mut input = Portions(input);
    let mended = input.byte() & 1 == 1;
    let mut bytes = Aligned::copy_of(input.0);
    if mended {
        mend(bytes.bytes_mut());
    }
    let bytes = bytes.bytes();
    let opened = Blob::new_checked(bytes);
    match (shallow_reason(bytes), &opened) {
        (Some(reason), opened) => assert_eq!(opened.as_ref().err(), Some(&reason), "the order of the checks"),
        (None, Err(error)) => assert!(is_deep(error), "{error}"),
        (None, Ok(_)) => (),
    }
    assert!(Blob::new_signed(bytes, &KEY, || ()).is_err(), "nobody has this key");
    let Ok(blob) = opened else {
        assert!(Blob::new_exact(bytes).is_err());
        return false;
    };
    assert_eq!(
        Blob::new_exact(bytes).is_ok(),
        blob.bytes().len() == bytes.len(),
        "nothing may follow in a file"
    );
    let needed = blob.graph().arena_len();
    if needed > MOST_ARENA {
        let available = MOST_ARENA;
        let mut arena = Aligned::zeroed(available);
        let refused = Network::load(blob, arena.bytes_mut()).err();
        assert_eq!(refused, Some(LoadError::Arena { needed, available }));
        return false;
    }
    describe(&blob);
    // What an arena held before changes nothing.
    let [first, second] = [0x00, 0xa5].map(|fill| outcome(blob, fill));
    assert_eq!(first, second, "memory is read before it is written");
    matches!(first, Outcome::Ran(..))
}

/// Why a blob is refused before anything behind its header is followed: length, magic, version, length again, checksum, flags.
pub fn shallow_reason(bytes: &[u8]) -> Option<BlobError> {
    let half = |at: usize| u16::from(bytes[at]) | u16::from(bytes[at + 1]) << 8;
    let word = |at: usize| u32::from(half(at)) | u32::from(half(at + 2)) << 16;
    let found = bytes.len();
    if found < 28 {
        return Some(BlobError::Truncated { needed: 28, found });
    }
    if bytes[4..8] != *b"TRI\0" {
        let found = [bytes[4], bytes[5], bytes[6], bytes[7]];
        return Some(BlobError::Magic { found });
    }
    if half(8) < OLDEST_VERSION || half(8) > FORMAT_VERSION {
        return Some(BlobError::Version { found: half(8) });
    }
    let needed = word(12) as usize;
    if needed > found {
        return Some(BlobError::Truncated { needed, found });
    }
    if needed < 4 {
        return Some(BlobError::Layout);
    }
    let (stored, computed) = (word(0), crc32(&bytes[4..needed]));
    if stored != computed {
        return Some(BlobError::Crc { stored, computed });
    }
    // Signatures came with version 4.
    let known = if half(8) < 4 { 0 } else { SIGNED };
    (half(10) & !known != 0).then_some(BlobError::Flags { found: half(10) })
}

/// Whether that reason may be given once the checksum is right and the flags are known; it is told in words, too.
fn is_deep(error: &BlobError) -> bool {
    assert!(!error.to_string().is_empty());
    matches!(
        error,
        BlobError::Layout | BlobError::Metadata | BlobError::Arithmetic | BlobError::Graph(_)
    )
}

/// CRC-32/ISO-HDLC, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    })
}

/// Everything that is said of a blob, read to its end.
fn describe(blob: &Blob<'_>) {
    let metadata = blob.metadata();
    for input in metadata.inputs.iter() {
        assert_eq!(Some(input.names.iter().count()), input.names.checked_len());
    }
    for head in metadata.heads.iter() {
        assert_eq!(Some(head.classes.iter().count()), head.classes.checked_len());
    }
    let metrics = metadata.provenance.metrics;
    assert_eq!(Some(metrics.iter().count()), metrics.checked_len());
    assert_eq!(blob.graph().nodes().count(), blob.graph().node_count());
    assert_eq!(
        Some(blob.calibrations().iter().count()),
        blob.calibrations().checked_len()
    );
    for calibration in blob.calibrations().iter() {
        let readings = blob.calibration(calibration.slot).expect("it is described");
        assert!(
            readings
                .iter()
                .all(|reading| reading.least <= reading.mean && reading.mean <= reading.largest)
        );
    }
}

/// What came out: the bits of every head for every set of heads and every row of inputs, or the reason why nothing did.
#[derive(Debug, PartialEq)]
enum Outcome {
    Refused(LoadError),
    TooMuchWork,
    Ran(Vec<String>, Result<(), SelfTestError>),
}

/// Loads the blob into an arena that holds `fill` and runs it.
fn outcome(blob: Blob<'_>, fill: u8) -> Outcome {
    let mut arena = Aligned::zeroed(blob.graph().arena_len());
    arena.bytes_mut().fill(fill);
    let mut network = match Network::load(blob, arena.bytes_mut()) {
        Ok(network) => network,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return Outcome::Refused(error);
        }
    };
    if work(&blob) > MOST_WORK {
        return Outcome::TooMuchWork;
    }
    let mut outputs = Vec::new();
    for reading in [|at: usize| at as f32 * 0.75 - 2.5, extreme] {
        let row = |slot| -> Vec<f32> {
            let readings = blob.input(slot).map_or(0, |input| input.shape.len());
            (0..readings).map(reading).collect()
        };
        let [classification, regression] = [InputSlot::Classification, InputSlot::Regression].map(row);
        let picture_len = blob.input(InputSlot::Picture).map_or(0, |input| input.shape.len());
        let pixel = |at: usize| (at * 37 % 256) as u8;
        let picture: Vec<u8> = (0..picture_len.min(MOST_PICTURE)).map(pixel).collect();
        let inputs = Inputs {
            classification: Some(&classification),
            picture: Some(&picture),
            regression: Some(&regression),
        };
        for heads in (0..=7).filter_map(HeadSet::from_bits) {
            outputs.push(match network.run(heads, &inputs) {
                Ok(outputs) => {
                    let bits: Option<Vec<u32>> = outputs
                        .classification()
                        .map(|row| row.iter().map(|value| value.to_bits()).collect());
                    let logits = outputs
                        .segmentation()
                        .map(|logits| (logits.codes.to_vec(), logits.classes().collect::<Vec<_>>()));
                    format!("{bits:?} {logits:?} {:?}", outputs.regression().map(f32::to_bits))
                }
                Err(error) => error.to_string(),
            });
        }
    }
    let golden = network.self_test();
    Outcome::Ran(outputs, golden)
}

/// Readings at the edges of what is finite.
fn extreme(at: usize) -> f32 {
    [f32::MAX, f32::MIN, f32::MIN_POSITIVE, -0.0, 1e-40][at % 5]
}

/// Multiplications of a run, and codes that it writes.
fn work(blob: &Blob<'_>) -> u64 {
    let graph = blob.graph();
    let written = graph.nodes().filter_map(|node| {
        let window = 1 + u64::from(node.kernel).pow(2);
        Some(graph.tensor(node.writes()?)?.shape.len() as u64 * window)
    });
    written.fold(graph.macs(HeadSet::ALL), u64::saturating_add)
}

/// Makes the header that of a blob as long as the bytes, as far as it is none, and the checksum right.
fn mend(bytes: &mut [u8]) {
    if bytes.len() < HEADER_LEN {
        return;
    }
    let len = bytes.len() as u32;
    bytes[4..8].copy_from_slice(&MAGIC);
    let version = u16::from_le_bytes([bytes[8], bytes[9]]);
    if !(OLDEST_VERSION..=FORMAT_VERSION).contains(&version) {
        bytes[8..10].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
    }
    bytes[10] &= SIGNED as u8;
    bytes[11] = 0;
    bytes[12..16].copy_from_slice(&len.to_le_bytes());
    seal(bytes);
    if matches!(Blob::new_checked(bytes), Err(BlobError::Flags { .. })) {
        bytes[10] = 0;
        seal(bytes);
    }
    if !matches!(Blob::new_checked(bytes), Err(BlobError::Layout | BlobError::Metadata)) {
        return;
    }
    // The metadata end where they end, and the parameters follow.
    let behind = &bytes[HEADER_LEN..];
    if let Ok((_, rest)) = postcard::take_from_bytes::<Metadata<'_>>(behind) {
        // A version before that has no statistics; then this is one more way to be wrong.
        let calibrated = postcard::take_from_bytes::<Sequence<'_, Calibration>>(rest);
        let rest = calibrated.map_or(rest, |(_, behind)| behind);
        let metadata_len = behind.len() - rest.len();
        let parameters_offset = (HEADER_LEN + metadata_len).next_multiple_of(ALIGNMENT);
        bytes[20..24].copy_from_slice(&(metadata_len as u32).to_le_bytes());
        bytes[24..28].copy_from_slice(&(parameters_offset as u32).to_le_bytes());
        seal(bytes);
    }
}

/// Makes the checksum of a whole blob right.
pub(super) fn seal(bytes: &mut [u8]) {
    let crc = CRC.checksum(&bytes[4..]);
    bytes[..4].copy_from_slice(&crc.to_le_bytes());
}
