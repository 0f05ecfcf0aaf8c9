//! Random graphs with records changed: refused, or run without a panic, and where the oracle can make sense of them, to its bits.

use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::prelude::*;
use trident::graph::Op;
use trident::spec::InputSlot;
use trident::{Blob, Inputs, Network};
use trident_tests::aligned::Aligned;
use trident_tests::builder::Builder;
use trident_tests::interpreter::interpret;
use trident_tests::noise::Noise;
use trident_tests::random;

/// Changes one field of a node or tensor.
fn change(builder: &mut Builder, noise: &mut Noise) {
    let small = noise.int(0..=9) as u8;
    let places = builder.arena_len.into();
    let number = noise.index(builder.tensors.len());
    let tensors = builder.tensors.len() as i64;
    let tensor = &mut builder.tensors[number];
    match noise.int(0..=7) {
        0 | 1 => tensor.kept = small.into(),
        2 => tensor.offset = noise.int(0..=places) as u32,
        3 => tensor.offset = noise.int(0..=places / 4) as u32 * 4,
        4 => tensor.shape.h = small.into(),
        _ => {
            let other = noise.index(builder.nodes.len());
            let number = noise.index(builder.nodes.len());
            let node = &mut builder.nodes[number];
            match noise.int(0..=8) {
                0 => node.input = noise.int(0..=tensors) as u8,
                1 => node.second = noise.int(0..=tensors) as u8,
                2 => node.output = noise.int(0..=tensors) as u8,
                3 => node.kernel = small,
                4 => node.pad_top = small,
                5 => node.stride = small,
                6 => node.op = Op::ALL[noise.index(Op::ALL.len())],
                7 => node.p[0] = noise.int(0..=places / 4) as i32 * 4,
                _ => builder.nodes.swap(number, other),
            }
        }
    }
}

/// Whether the blob was accepted and then gave what the oracle gives.
fn survives(builder: &Builder, noise: &mut Noise) -> bool {
    let packed = builder.pack();
    let Ok(blob) = Blob::new_checked(packed.bytes()) else {
        return false;
    };
    let mut arena = Aligned::zeroed(blob.graph().arena_len());
    arena.bytes_mut().fill(0xA5);
    let Ok(mut network) = Network::load(blob, arena.bytes_mut()) else {
        return false;
    };
    let len = |slot| blob.input(slot).map_or(0, |input| input.shape.len());
    let mut row = |slot| (0..len(slot)).map(|_| noise.unit() * 6.0).collect::<Vec<f32>>();
    let (classification, regression) = (row(InputSlot::Classification), row(InputSlot::Regression));
    let picture: Vec<u8> = (0..len(InputSlot::Picture)).map(|_| noise.bits() as u8).collect();
    let inputs = Inputs {
        classification: Some(&classification),
        picture: Some(&picture),
        regression: Some(&regression),
    };
    let heads = network.heads();
    let outputs = network.run(heads, &inputs).expect("inputs are as described");
    // A stream read as another operator's holds no plain layer: then there is nothing to compare with.
    let Ok(expected) = catch_unwind(AssertUnwindSafe(|| interpret(&blob, heads, &inputs))) else {
        return false;
    };
    let codes = outputs.segmentation().map(|logits| logits.codes.to_vec());
    assert_eq!(codes, expected.logits.map(|logits| logits.codes()));
    let bits = |all: &[f32]| all.iter().map(|one| one.to_bits()).collect::<Vec<u32>>();
    assert_eq!(
        outputs.classification().map(bits),
        expected.probabilities.as_deref().map(bits)
    );
    assert_eq!(outputs.regression().map(f32::to_bits), expected.value.map(f32::to_bits));
    true
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4096) })]

    #[test]
    fn changed_graphs_are_refused_or_run_as_the_oracle_says(seed: u64) {
        let mut noise = Noise::new(!seed);
        let mut builder = random::graph(seed);
        for _ in 0..noise.int(1..=3) {
            change(&mut builder, &mut noise);
        }
        survives(&builder, &mut noise);
    }
}

/// A good part of the changes is accepted, so that runs are tried too.
#[test]
fn many_changed_graphs_run() {
    let run = |seed: &u64| {
        let mut noise = Noise::new(!seed);
        let mut builder = random::graph(*seed);
        change(&mut builder, &mut noise);
        survives(&builder, &mut noise)
    };
    let count = (0..1024).filter(run).count();
    assert!(count > 100, "only {count} of 1024");
}
