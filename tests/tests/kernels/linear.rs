//! Weighted sums of all inputs, and requantisation.

use proptest::prelude::*;
use trident::arithmetic::requantize;
use trident::graph::{Element, Node, Op, Tensor};
use trident::kernels::linear::{is_single_sum, linear, linear_sums, narrow_linear, narrow_linear_codes};
use trident::kernels::linear::{scratch_words, single_sum, wide_linear, wide_linear_sums};
use trident::kernels::micro::Places;
use trident::kernels::stream_words;
use trident::layout::narrow::COLUMNS;
use trident::layout::rows::{BLOCK, CHUNK, WIDE};
use trident::spec::{HeadSet, Shape};
use trident_tests::layer::Layer;
use trident_tests::naive::{self, Map};
use trident_tests::noise::Noise;
use trident_tests::streams;

use crate::steps::tensor;

/// An arena with a layer's codes, scratch memory of any content, and room for its outputs.
struct Arena {
    words: Vec<u32>,
    places: Places,
}

impl Arena {
    /// `code_len` and `output_len` are bytes of one.
    fn new(codes: &[u8], code_len: usize, (rows, output_len): (usize, usize), noise: &mut Noise) -> Self {
        let columns = codes.len() / code_len;
        let scratch = codes.len().next_multiple_of(4);
        let to = scratch + 4 * scratch_words(columns);
        let words = to.div_ceil(4) + (rows.next_multiple_of(BLOCK) * output_len).div_ceil(4);
        let mut words: Vec<u32> = (0..words).map(|_| noise.bits() as u32).collect();
        bytemuck::cast_slice_mut(&mut words)[..codes.len()].copy_from_slice(codes);
        let places = Places {
            from: 0,
            columns,
            to,
            rows,
            scratch,
        };
        Self { words, places }
    }

    /// Outputs, once a layer has run.
    fn outputs<T: bytemuck::AnyBitPattern>(mut self, run: impl FnOnce(&mut [u8], &Places)) -> Vec<T> {
        run(bytemuck::cast_slice_mut(&mut self.words), &self.places);
        let bytes: &[u8] = bytemuck::cast_slice(&self.words);
        let outputs = bytemuck::cast_slice(&bytes[self.places.to..]);
        outputs[..self.places.rows].to_vec()
    }
}

/// As wide codes stand in an arena.
fn wide(codes: &[i8]) -> Vec<i16> {
    codes
        .chunks_exact(4)
        .flat_map(|quad| [0, 2, 1, 3].map(|code| quad[code].into()))
        .collect()
}

/// Codes and whole sums of a layer by the engine, from codes and wide codes, equal the oracle's.
fn assert_equal(codes: &[i8], mut layer: Layer, zero_point: i8) {
    let (units, columns) = (layer.bias.len(), codes.len());
    let (input, mut output) = (
        tensor(Shape::row(columns as u16), 0),
        tensor(Shape::row(units as u16), zero_point),
    );
    let node = Node::new(Op::Linear, HeadSet::ALL);
    let mut noise = Noise::new(units as u64);
    let sums = naive::linear_sums(&Map::of_codes(input.shape, codes), &layer);
    let unpacks = |node: &Node, layer: &Layer, output: &Tensor| {
        let mut stream = layer.stream(node.op, 0, 0);
        assert_eq!(stream.len(), stream_words(node, &input, output));
        let unpacked = streams::unpack(node, &input, output, bytemuck::cast_slice(&stream));
        assert!(
            unpacked == (layer.clone(), stream.len()),
            "the stream holds another layer"
        );
        stream.extend([0xA5A5_A5A5; 50]); // what follows is none of the layer's
        stream
    };
    let bytes: &[u8] = bytemuck::cast_slice(codes);
    let wide_codes = wide(&codes[..columns / WIDE * WIDE]);
    let is_wide = columns.is_multiple_of(WIDE) && columns <= CHUNK;

    let stream = unpacks(&node, &layer, &output);
    let whole = naive::Output {
        zero_point: zero_point.into(),
        lo: -128,
        hi: 127,
        table: None,
    };
    let expected: Vec<i8> = sums
        .iter()
        .zip(&layer.multipliers)
        .map(|(&sum, &q)| whole.requantize(sum, q) as i8)
        .collect();
    let arena = Arena::new(bytes, 1, (units, 1), &mut noise);
    let found = arena.outputs::<i8>(|arena, places| linear(arena, places, &stream, zero_point));
    assert_eq!(found, expected);
    if is_wide {
        let arena = Arena::new(bytemuck::cast_slice(&wide_codes), 2, (units, 1), &mut noise);
        let found = arena.outputs::<i8>(|arena, places| wide_linear(arena, places, &stream, zero_point));
        assert_eq!(found, expected);
    }
    if columns <= COLUMNS && units.is_multiple_of(BLOCK) {
        let stream = unpacks(&Node::new(Op::NarrowLinear, HeadSet::ALL), &layer, &output);
        let arena = Arena::new(bytes, 1, (units, 2), &mut noise);
        let found = arena.outputs::<i16>(|arena, places| narrow_linear(arena, places, &stream, zero_point));
        assert_eq!(found, wide(&expected));
        let arena = Arena::new(bytes, 1, (units, 1), &mut noise);
        let found = arena.outputs::<i8>(|arena, places| narrow_linear_codes(arena, places, &stream, zero_point));
        assert_eq!(found, expected);
    }

    layer.multipliers.clear();
    output.element = Element::I32;
    let stream = unpacks(&node, &layer, &output);
    let whole = |found: Vec<i32>| found.into_iter().map(i64::from).collect::<Vec<i64>>();
    let arena = Arena::new(bytes, 1, (units, 4), &mut noise);
    let found = arena.outputs(|arena, places| linear_sums(arena, places, &stream));
    assert_eq!(whole(found), sums);
    let arena = Arena::new(bytes, 1, (units, 4), &mut noise);
    if is_single_sum(&arena.places) {
        let found = arena.outputs(|arena, places| single_sum(arena, places, &stream));
        assert_eq!(whole(found), sums);
    }
    if is_wide {
        let arena = Arena::new(bytemuck::cast_slice(&wide_codes), 2, (units, 4), &mut noise);
        let found = arena.outputs(|arena, places| wide_linear_sums(arena, places, &stream));
        assert_eq!(whole(found), sums);
    }
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
    fn wide_codes_and_single_rows_equal_the_oracle(n in 1usize..=24, units in 1usize..=8, seed: u64) {
        let mut noise = Noise::new(seed);
        let codes = noise.codes(n * WIDE);
        let layer = Layer::random(&mut noise, units, codes.len());
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
