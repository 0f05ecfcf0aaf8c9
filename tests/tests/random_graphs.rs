//! Whole networks: random graphs run by the engine equal the same graphs run by the oracle, row by row and head by head.

use proptest::prelude::*;
use trident::graph::{NO_TABLE, Node, Op};
use trident::spec::{HeadSet, InputSlot};
use trident::{Blob, Inputs, Network};
use trident_tests::aligned::Aligned;
use trident_tests::compare::assert_equals_the_oracle;
use trident_tests::noise::Noise;
use trident_tests::random;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2048) })]

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
            assert_equals_the_oracle(&mut network, heads, &inputs);
        }
    }
}

#[test]
fn random_graphs_hold_everything_often() {
    let mut counts = [0; Op::ALL.len()];
    let (mut bands, mut long_bands, mut in_place, mut tables, mut pictures) = (0, 0, 0, 0, 0);
    for seed in 0..512 {
        let builder = random::graph(seed);
        let streamed: Vec<bool> = builder
            .nodes
            .iter()
            .map(|node| {
                node.writes()
                    .is_some_and(|tensor| builder.tensors[tensor].is_streamed())
            })
            .collect();
        let of_band = streamed.split(|streamed| !streamed).map(<[bool]>::len);
        bands += of_band.clone().filter(|&len| len > 0).count();
        long_bands += of_band.filter(|&len| len > 2).count();
        let tensor = |number: u8| builder.tensors[usize::from(number)];
        in_place += builder
            .nodes
            .iter()
            .filter(|node| node.op == Op::Add && tensor(node.input).offset == tensor(node.output).offset)
            .count();
        let fused = |node: &&Node| node.op.is_weighted() && node.table != NO_TABLE;
        tables += builder.nodes.iter().filter(fused).count();
        let repeated = |node: &&Node| node.op == Op::Picture;
        pictures += usize::from(builder.nodes.iter().filter(repeated).count() > 1);
        for node in builder.nodes {
            counts[node.op as usize] += 1;
        }
    }
    for (op, count) in Op::ALL.into_iter().zip(counts) {
        assert!(count >= 50, "{op:?} occurs {count} times in 512 graphs");
    }
    for (what, count, least) in [
        ("bands", bands, 200),
        ("bands of four nodes or more", long_bands, 50),
        ("sums in place", in_place, 20),
        ("fused tables", tables, 200),
        ("graphs that bring their picture in again", pictures, 20),
    ] {
        assert!(count >= least, "{count} {what} in 512 graphs");
    }
}
