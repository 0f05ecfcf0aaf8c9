//! Blobs as they lie in users' flash, trained and quantised once. They are never made anew, only joined by others: every version of the
//! format that was ever released stays readable. But `minimal.tri`, which is of the version that is written.
//!
//! `edge.tri` is of version 2, `edge-v3.tri` of version 3, `edge-v4.tri` of version 4; `edge-v1.tri` is of version 1, which was never
//! released and is not read.

use trident::blob::{BlobError, FORMAT_VERSION, OLDEST_VERSION, ReadingStatistics, SIGNED, Span};
use trident::{Blob, HeadSet, InputSlot, Inputs, Network};
use trident_host::sign::{SecretKey, signed};
use trident_tests::aligned::Aligned;
use trident_tests::builder::seal;
use trident_tests::compare::assert_equals_the_oracle;
use trident_tests::golden::{blessing, workspace};
use trident_tests::noise::Noise;
use trident_tests::tiny;

/// Every version that is read, and its blob.
const READ: [(u16, &str); 3] = [(2, "edge.tri"), (3, "edge-v3.tri"), (4, "edge-v4.tri")];

fn with_networks(check: impl Fn(Blob<'_>, Network<'_>)) {
    for (version, name) in READ {
        let file = std::fs::read(workspace().join("tests/golden").join(name)).expect("the golden blob is there");
        let bytes = Aligned::copy_of(&file);
        let blob = Blob::new_exact(bytes.bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(blob.header().version, version, "{name}");
        let mut arena = Aligned::zeroed(blob.graph().arena_len());
        let network = Network::load(blob, arena.bytes_mut()).unwrap_or_else(|error| panic!("{name}: {error}"));
        check(blob, network);
    }
}

#[test]
fn every_version_that_is_read_has_a_blob() {
    assert_eq!(READ.map(|(version, _)| version), [2, 3, 4]);
    assert_eq!((READ[0].0, READ[READ.len() - 1].0), (OLDEST_VERSION, FORMAT_VERSION));
}

/// Signatures and calibration statistics came with version 4.
#[test]
fn only_version_4_is_calibrated_and_may_be_signed() {
    with_networks(|blob, _| {
        let calibrated = InputSlot::ALL.map(|slot| blob.calibration(slot).map(<[ReadingStatistics]>::len));
        let version = blob.header().version;
        let flags = blob.header().known_flags();
        match version {
            4 => assert_eq!((calibrated, flags), ([Some(10), Some(3), Some(5)], SIGNED)),
            _ => assert_eq!((calibrated, flags), ([None; 3], 0), "version {version}"),
        }
        let mut flagged = Aligned::copy_of(blob.bytes());
        flagged.bytes_mut()[10..12].copy_from_slice(&SIGNED.to_le_bytes());
        seal(flagged.bytes_mut());
        // Without room for a signature behind it, the flag cuts the parameters short.
        match (Blob::new_exact(flagged.bytes()), version) {
            (Err(error), 2 | 3) => assert_eq!(error, BlobError::Flags { found: SIGNED }),
            (Err(BlobError::Graph(_)), 4) => {}
            (other, _) => panic!("version {version}: {other:?}"),
        }
    });
}

/// Older blobs are signed as blobs of the present version, and go on answering as they did.
#[test]
fn blobs_of_every_version_can_be_signed() {
    let key = SecretKey::random().expect("random numbers");
    with_networks(|blob, _| {
        let signed = Aligned::copy_of(&signed(blob.bytes(), &key).expect("it is signed"));
        let again = Blob::new_signed(signed.bytes(), &key.public(), || ()).expect("its signature holds");
        assert_eq!(again.header().version, FORMAT_VERSION);
        assert_eq!(again.header().total_len as usize, signed.bytes().len());
        let mut arena = Aligned::zeroed(again.graph().arena_len());
        let mut network = Network::load(again, arena.bytes_mut()).expect("it loads");
        network.self_test().expect("every golden answer is met");
    });
}

#[test]
fn version_1_is_refused_by_its_number() {
    let bytes = Aligned::copy_of(include_bytes!("../golden/edge-v1.tri"));
    let error = Blob::new_exact(bytes.bytes()).expect_err("version 1 is not read");
    assert_eq!(error, BlobError::Version { found: 1 });
    assert_eq!(error.to_string(), "format version 1, this reader knows 2 to 4");
}

#[test]
fn it_still_answers_as_it_did() {
    with_networks(|blob, mut network| {
        assert_eq!(blob.metadata().golden.iter().count(), 2);
        network.self_test().expect("every golden answer is met");
    });
}

/// The quantiser fuses, streams rows, lets tensors share the arena and adds in place; the oracle gives every tensor memory of its own.
#[test]
fn its_shared_arena_changes_no_output() {
    with_networks(|blob, mut network| {
        let golden = blob.metadata().golden.iter().next().expect("a golden vector");
        let readings = |span: Span| -> Vec<f32> {
            let bytes = span.of(blob.parameters()).expect("inside");
            bytes
                .chunks_exact(4)
                .map(|word| f32::from_le_bytes([word[0], word[1], word[2], word[3]]))
                .collect()
        };
        let [classification, picture, regression] = golden.inputs;
        let (classification, regression) = (readings(classification), readings(regression));
        let mut noise = Noise::new(1);
        let golden_picture = picture.of(blob.parameters()).expect("inside").to_vec();
        let noisy_picture: Vec<u8> = golden_picture.iter().map(|_| noise.code() as u8).collect();
        for picture in [
            golden_picture,
            noisy_picture,
            vec![0; picture.len as usize],
            vec![255; picture.len as usize],
        ] {
            let inputs = Inputs {
                classification: Some(&classification),
                picture: Some(&picture),
                regression: Some(&regression),
            };
            assert_equals_the_oracle(&mut network, HeadSet::ALL, &inputs);
        }
    });
}

/// A blob for whoever has no builder, the fuzz targets above all. It is of the version that is written.
#[test]
fn the_least_blob_is_this_file() {
    let packed = tiny::minimal().pack();
    let path = workspace().join("tests/golden/minimal.tri");
    if blessing() {
        std::fs::write(&path, packed.bytes()).expect("tests/golden is there");
    }
    let file = std::fs::read(&path).expect("tests/golden/minimal.tri is there");
    assert!(
        file == packed.bytes(),
        "it changed; if that is meant, run again with BLESS=1"
    );
}
