//! Operators that slide weighted windows.

use proptest::prelude::*;
use trident::graph::{Node, Op};
use trident::kernels::stream_words;
use trident::spec::{HeadSet, Shape};
use trident_tests::layer::Layer;
use trident_tests::streams;

use crate::case::{Case, case};
use crate::steps::{run, tensor};

fn assert_equals_the_oracle(case: &Case) {
    let numbers = case.numbers();
    let stream = numbers.stream();
    assert_eq!(
        stream.len(),
        stream_words(&numbers.node, &numbers.input, &numbers.output)
    );
    let bytes = bytemuck::cast_slice(&stream);
    let unpacked = streams::unpack(&numbers.node, &numbers.input, &numbers.output, bytes);
    assert!(
        unpacked == (numbers.layer.clone(), stream.len()),
        "the stream holds another layer"
    );
    assert_eq!(numbers.engine(), numbers.oracle());
}

/// The same numbers by two operators.
fn assert_same(case: &Case, plain: Op) {
    let mut numbers = case.numbers();
    let special = numbers.engine();
    numbers.node.op = plain;
    assert_eq!(special, numbers.engine());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn conv2d_equals_the_oracle(case in case(Op::Conv2d)) {
        assert_equals_the_oracle(&case);
    }

    #[test]
    fn compact_conv2d_equals_the_oracle(case in case(Op::CompactConv2d)) {
        assert_equals_the_oracle(&case);
    }

    #[test]
    fn winograd_conv3x3_equals_the_oracle(case in case(Op::WinogradConv3x3)) {
        assert_equals_the_oracle(&case);
    }

    #[test]
    fn upsampled_conv3x3_equals_the_oracle(case in case(Op::UpsampledConv3x3)) {
        assert_equals_the_oracle(&case);
    }

    #[test]
    fn depthwise_conv2d_equals_the_oracle(case in case(Op::DepthwiseConv2d)) {
        assert_equals_the_oracle(&case);
    }

    #[test]
    fn depthwise_conv3x3_equals_the_oracle(case in case(Op::DepthwiseConv3x3)) {
        assert_equals_the_oracle(&case);
    }

    #[test]
    fn upsampled_depthwise_conv3x3_equals_the_oracle(case in case(Op::UpsampledDepthwiseConv3x3)) {
        assert_equals_the_oracle(&case);
    }

    #[test]
    fn special_operators_equal_the_plain_ones(
        winograd in case(Op::WinogradConv3x3),
        compact in case(Op::CompactConv2d),
        depthwise in case(Op::DepthwiseConv3x3),
    ) {
        assert_same(&winograd, Op::Conv2d);
        assert_same(&compact, Op::Conv2d);
        assert_same(&depthwise, Op::DepthwiseConv2d);
    }

    #[test]
    fn upsampled_operators_equal_two_plain_ones(conv in case(Op::UpsampledConv3x3), depthwise in case(Op::UpsampledDepthwiseConv3x3)) {
        for (case, plain) in [(conv, Op::Conv2d), (depthwise, Op::DepthwiseConv2d)] {
            let mut numbers = case.numbers();
            let special = numbers.engine();
            let shape = Shape::new(2 * case.rows.n, 2 * case.columns.n, case.channels);
            let doubled = tensor(shape, numbers.input.zero_point);
            let upsample = Node { kernel: 2, ..Node::new(Op::Upsample2d, HeadSet::ALL) };
            numbers.codes = run(&upsample, (&numbers.input, &numbers.codes), &[], &doubled, None);
            numbers.input = doubled;
            numbers.node.op = plain;
            prop_assert_eq!(special, numbers.engine());
        }
    }
}

/// The most that sums can hold: activations all −128, weights all ±127, and as many channels as there are words for.
#[test]
fn extremes_equal_the_oracle() {
    let ops = [
        Op::Conv2d,
        Op::CompactConv2d,
        Op::WinogradConv3x3,
        Op::UpsampledConv3x3,
        Op::DepthwiseConv2d,
        Op::DepthwiseConv3x3,
        Op::UpsampledDepthwiseConv3x3,
    ];
    for op in ops {
        for weight in [-127, 127] {
            for (code, channels) in [(-128, 64), (127, 64), (-128, 4)] {
                let side = crate::case::Side {
                    n: 3,
                    out: if op.is_upsampled() { 6 } else { 3 },
                    before: 1,
                };
                let case = Case {
                    op,
                    kernel: 3,
                    stride: 1,
                    rows: side,
                    columns: side,
                    channels,
                    filters: if op.is_depthwise() { channels } else { 8 },
                    seed: 1,
                };
                let mut numbers = case.numbers();
                numbers.codes.fill(code);
                numbers.layer.weights.fill(weight);
                // Codes of sums up to 64 · 9 · 127 · 128 that are not all at one end.
                numbers.layer.multipliers.fill(1 << 16);
                (numbers.node.lo, numbers.node.hi) = (-128, 127);
                assert_eq!(
                    numbers.engine(),
                    numbers.oracle(),
                    "{op:?}, weights {weight}, codes {code}"
                );
            }
        }
    }
}

/// The border is real zero: with the zero point folded into the bias, padding adds nothing to the sum of real numbers.
#[test]
fn padding_adds_nothing_in_real_numbers() {
    let (zero_point, bias) = (-37i8, 4321);
    let weights: Vec<i8> = (1..=9).collect();
    let total: i32 = weights.iter().map(|&weight| i32::from(weight)).sum();
    let layer = Layer {
        weights,
        bias: vec![bias - i32::from(zero_point) * total],
        multipliers: vec![1 << 26], // one code is 64 accumulator steps
    };
    let node = Node {
        lo: -128,
        hi: 127,
        kernel: 3,
        stride: 1,
        pad_top: 1,
        pad_left: 1,
        ..Node::new(Op::Conv2d, HeadSet::ALL)
    };
    let pixel = Shape::new(1, 1, 1);
    let stream = layer.stream(node.op, 3, 1);
    let out = run(
        &node,
        (&tensor(pixel, zero_point), &[90]),
        &stream,
        &tensor(pixel, 0),
        None,
    );
    // Only the centre tap, weight 5, meets the picture: (90 + 37)·5 + 4321 = 4956; 4956 / 64 = 77.4.
    assert_eq!(out, [77]);
}
