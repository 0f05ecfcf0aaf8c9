//! Whole networks: random graphs run by the engine equal the same graphs run by the oracle, tensor by tensor and head by head.

use proptest::prelude::*;
use trident::graph::Op;
use trident::spec::{Head, HeadSet, InputSlot};
use trident::{Blob, Inputs, Network};
use trident_tests::aligned::Aligned;
use trident_tests::interpreter::interpret;
use trident_tests::noise::Noise;
use trident_tests::random;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn a_network_equals_the_oracle(seed: u64) {
        let packed = random::graph(seed).pack();
        let blob = Blob::new_exact(packed.bytes()).expect("random graphs obey every rule");
        let mut noise = Noise::new(seed ^ 0x5EED);
        let mut row = |slot| {
            let count = blob.input(slot).map_or(0, |input| input.shape.len());
            (0..count).map(|_| noise.unit() * 6.0).collect::<Vec<f32>>()
        };
        let (classification, regression) = (row(InputSlot::Classification), row(InputSlot::Regression));
        let pixels = blob.input(InputSlot::Picture).map_or(0, |input| input.shape.len());
        let picture: Vec<u8> = (0..pixels).map(|_| noise.bits() as u8).collect();
        let inputs = Inputs {
            classification: Some(&classification),
            picture: Some(&picture),
            regression: Some(&regression),
        };
        let mut arena = Aligned::zeroed(blob.graph().arena_len());
        let mut network = Network::load(blob, arena.bytes_mut()).expect("random graphs do not overflow");
        let all = network.heads();
        let subsets = (1..=7).filter_map(HeadSet::from_bits).filter(|&heads| all.contains_all(heads));
        for heads in subsets {
            let expected = interpret(&blob, heads, &inputs);
            let mut written = 0;
            let outputs = network
                .run_observed(heads, &inputs, |step| {
                    let node = blob.graph().node(step.node).expect("a node of the graph");
                    let Some(tensor) = node.writes() else { return };
                    assert_eq!(step.bytes, expected.bytes(&blob.graph(), tensor), "tensor {tensor}");
                    written += 1;
                })
                .expect("inputs are as described");
            prop_assert_eq!(written, expected.tensors.iter().flatten().count());
            prop_assert_eq!(outputs.classification().map(bits), expected.probabilities.as_deref().map(bits));
            prop_assert_eq!(outputs.regression().map(f32::to_bits), expected.value.map(f32::to_bits));
            let codes = outputs.segmentation().map(|logits| logits.codes.to_vec());
            prop_assert_eq!(codes, expected.logits.map(|logits| logits.codes()));
            prop_assert_eq!(outputs.segmentation().is_some(), heads.contains(Head::Segmentation));
        }
    }
}

#[test]
fn random_graphs_hold_every_operator_often() {
    let mut counts = [0; Op::ALL.len()];
    for seed in 0..512 {
        for node in random::graph(seed).nodes {
            counts[node.op as usize] += 1;
        }
    }
    for (op, count) in Op::ALL.into_iter().zip(counts) {
        assert!(count >= 50, "{op:?} occurs {count} times in 512 graphs");
    }
}

fn bits(probabilities: &[f32]) -> Vec<u32> {
    probabilities.iter().map(|probability| probability.to_bits()).collect()
}
