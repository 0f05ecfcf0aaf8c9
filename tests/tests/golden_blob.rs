//! Blobs as they lie in users' flash, trained and quantised once. They are never made anew, only joined by others: every version of the
//! format that was ever released stays readable.
//!
//! `edge.tri` is of version 2; `edge-v1.tri` of version 1, which was never released and is not read.

use trident::blob::{BlobError, Span};
use trident::{Blob, HeadSet, Inputs, Network};
use trident_tests::aligned::Aligned;
use trident_tests::compare::assert_equals_the_oracle;
use trident_tests::golden::workspace;
use trident_tests::noise::Noise;

fn with_network(check: impl FnOnce(Blob<'_>, Network<'_>)) {
    let file = std::fs::read(workspace().join("tests/golden/edge.tri")).expect("tests/golden/edge.tri is there");
    let bytes = Aligned::copy_of(&file);
    let blob = Blob::new_exact(bytes.bytes()).expect("version 2 is read");
    let mut arena = Aligned::zeroed(blob.graph().arena_len());
    let network = Network::load(blob, arena.bytes_mut()).expect("it loads");
    check(blob, network);
}

#[test]
fn version_1_is_refused_by_its_number() {
    let bytes = Aligned::copy_of(include_bytes!("../golden/edge-v1.tri"));
    let error = Blob::new_exact(bytes.bytes()).expect_err("version 1 is not read");
    assert_eq!(error, BlobError::Version { found: 1 });
    assert_eq!(error.to_string(), "format version 1, this reader knows 2 to 3");
}

#[test]
fn it_still_answers_as_it_did() {
    with_network(|blob, mut network| {
        assert_eq!(blob.metadata().golden.iter().count(), 2);
        network.self_test().expect("every golden answer is met");
    });
}

/// The quantiser fuses, streams rows, lets tensors share the arena and adds in place; the oracle gives every tensor memory of its own.
#[test]
fn its_shared_arena_changes_no_output() {
    with_network(|blob, mut network| {
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
