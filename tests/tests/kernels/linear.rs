//! Weighted sums of all inputs, and requantisation.

use proptest::prelude::*;
use trident::arithmetic::requantize;
use trident::graph::{Element, Node, Op, Tensor};
use trident::kernels::linear::{linear, linear_sums, narrow_linear, scratch_words};
use trident::kernels::stream_words;
use trident::layout::narrow::COLUMNS;
use trident::layout::rows::CHUNK;
use trident::spec::{HeadSet, Shape};
use trident_tests::layer::Layer;
use trident_tests::naive::{self, Map};
use trident_tests::noise::Noise;
use trident_tests::streams;

use crate::steps::tensor;

/// Codes and whole sums of a layer by the engine equal the oracle's.
fn assert_equal(codes: &[i8], mut layer: Layer, zero_point: i8) {
    let units = layer.bias.len();
    let (input, mut output) = (
        tensor(Shape::row(codes.len() as u16), 0),
        tensor(Shape::row(units as u16), zero_point),
    );
    let node = Node::new(Op::Linear, HeadSet::ALL);
    let mut noise = Noise::new(units as u64);
    let mut scratch: Vec<u32> = (0..scratch_words(codes.len())).map(|_| noise.bits() as u32).collect();
    let sums = naive::linear_sums(&Map::of_codes(input.shape, codes), &layer);
    let unpacks = |layer: &Layer, stream: &[u32], output: &Tensor| {
        assert_eq!(stream.len(), stream_words(&node, &input, output));
        let unpacked = streams::unpack(&node, &input, output, bytemuck::cast_slice(stream));
        assert!(
            unpacked == (layer.clone(), stream.len()),
            "the stream holds another layer"
        );
    };

    let mut stream = layer.stream(Op::Linear, 0, 0);
    unpacks(&layer, &stream, &output);
    stream.extend([0xA5A5_A5A5; 50]); // what follows is none of the layer's
    let mut out = vec![85; output.byte_len()];
    linear(codes, &stream, zero_point, &mut scratch, &mut out);
    let whole = naive::Output {
        zero_point: zero_point.into(),
        lo: -128,
        hi: 127,
        table: None,
    };
    let expected = sums
        .iter()
        .zip(&layer.multipliers)
        .map(|(&sum, &q)| whole.requantize(sum, q) as i8);
    assert_eq!(out[..units], expected.collect::<Vec<i8>>());

    if codes.len() <= COLUMNS {
        let narrow = Node::new(Op::NarrowLinear, HeadSet::ALL);
        let mut stream = layer.stream(Op::NarrowLinear, 0, 0);
        assert_eq!(stream.len(), stream_words(&narrow, &input, &output));
        let unpacked = streams::unpack(&narrow, &input, &output, bytemuck::cast_slice(&stream));
        assert!(
            unpacked == (layer.clone(), stream.len()),
            "the stream holds another layer"
        );
        stream.extend([0xA5A5_A5A5; 50]);
        let expected = std::mem::replace(&mut out, vec![85; output.byte_len()]);
        narrow_linear(codes, &stream, zero_point, &mut out);
        assert_eq!(out[..units], expected[..units]);
    }

    layer.multipliers.clear();
    output.element = Element::I32;
    let mut stream = layer.stream(Op::Linear, 0, 0);
    unpacks(&layer, &stream, &output);
    stream.extend([0xA5A5_A5A5; 50]);
    let mut out = vec![85; output.byte_len() / 4];
    linear_sums(codes, &stream, &mut scratch, &mut out);
    assert_eq!(out[..units].iter().map(|&sum| i64::from(sum)).collect::<Vec<_>>(), sums);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn linear_equals_the_oracle(n in prop_oneof![1usize..=12, 1usize..=40, 1usize..=1200], units in 1usize..=40, seed: u64) {
        let mut noise = Noise::new(seed);
        let codes = noise.codes(n);
        let layer = Layer::random(&mut noise, units, n);
        assert_equal(&codes, layer, noise.code());
    }

    #[test]
    fn requantize_equals_the_formula(acc: i32, seed: u64) {
        let mut noise = Noise::new(seed);
        let (multiplier, zero_point) = (noise.multipliers(1)[0], noise.code());
        let whole = naive::Output { zero_point: zero_point.into(), lo: -128, hi: 127, table: None };
        prop_assert_eq!(i64::from(requantize(acc, multiplier, zero_point)), whole.requantize(acc.into(), multiplier));
    }
}

/// Sums of one chunk reach 384 · 127 · 128, just below 2^23, and must still be told apart: every pair of extremes, around every seam.
#[test]
fn the_largest_sums_of_a_chunk_are_told_apart() {
    for columns in [CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 3] {
        for code in [-128, 127] {
            let extremes = [-127i8, 127, 0];
            let mut weights = Vec::new();
            for even in extremes {
                for odd in extremes {
                    weights.extend(vec![even; columns]);
                    weights.extend(vec![odd; columns]);
                }
            }
            let units = weights.len() / columns;
            let layer = Layer {
                weights,
                bias: (0..units as i32).map(|unit| unit * 1000 - 9000).collect(),
                multipliers: vec![1 << 15; units],
            };
            assert_equal(&vec![code; columns], layer, 1);
        }
    }
}
