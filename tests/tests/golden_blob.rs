//! A blob of format version 1, trained and quantised by the first release, as it lies in users' flash.
//!
//! It is never made anew, only joined by others: every version of the format that was ever released stays readable.

use trident::blob::Span;
use trident::{Blob, HeadSet, Inputs, Network};
use trident_tests::aligned::Aligned;
use trident_tests::interpreter::interpret;
use trident_tests::noise::Noise;

fn with_network(check: impl FnOnce(Blob<'_>, Network<'_>)) {
    let bytes = Aligned::copy_of(include_bytes!("../golden/edge.tri"));
    let blob = Blob::new_exact(bytes.bytes()).expect("version 1 is read");
    let mut arena = Aligned::zeroed(blob.graph().arena_len());
    let network = Network::load(blob, arena.bytes_mut()).expect("it loads");
    check(blob, network);
}

#[test]
fn it_still_answers_as_it_did() {
    with_network(|blob, mut network| {
        assert_eq!(blob.metadata().golden.iter().count(), 2);
        network.self_test().expect("every golden answer is met");
    });
}

/// The quantiser lets tensors share the arena and adds in place; the oracle gives every tensor memory of its own.
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
            let expected = interpret(&blob, HeadSet::ALL, &inputs);
            let outputs = network.run(HeadSet::ALL, &inputs).expect("it runs");
            assert_eq!(outputs.classification().map(<[f32]>::to_vec), expected.probabilities);
            assert_eq!(outputs.regression(), expected.value);
            let codes = outputs.segmentation().map(|logits| logits.codes.to_vec());
            assert_eq!(codes, expected.logits.map(|map| map.codes()));
        }
    });
}
