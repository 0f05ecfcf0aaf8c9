//! Small layers as streams, word by word, and how many words streams and scratch memory have.

use std::fmt::Write;

use trident::graph::{Element, Node, Op, Tensor};
use trident::kernels::{scratch_words, stream_words};
use trident::spec::{HeadSet, Shape};
use trident_tests::layer::Layer;

/// How the next words are shown.
enum Show {
    /// So many, each as one number.
    Numbers(usize),
    /// So many, each as two halves.
    Halves(usize),
    /// The first of each eight words, so many times, as two halves.
    Firsts(usize),
    /// So many, by their meaning alone.
    Hidden(usize),
}

use Show::{Firsts, Halves, Hidden, Numbers};

/// A layer, the side of its windows, and what its words mean in order.
type Worked = (&'static str, Op, usize, &'static [(Show, &'static str)]);

const WORKED: [Worked; 7] = [
    (
        "rows: 1 2 3 4 and 11 12 13 14, biases 100 and 200, sums kept",
        Op::Linear,
        0,
        &[
            (Numbers(2), "row 0: 100 − (1·2 + 3·4) · 100"),
            (Numbers(2), "row 2 fills the block up"),
            (
                Halves(2),
                "rows 0 and 1: 256·12 + 2 and 256·14 + 4 · 256·11 + 1 and 256·13 + 3",
            ),
            (Halves(2), "rows 2 and 3"),
            (Numbers(2), "biases of rows 1 and 3"),
        ],
    ),
    (
        "few columns: 1 2 3 4 5, bias 100, q 7",
        Op::NarrowLinear,
        0,
        &[
            (Numbers(1), "bias"),
            (Halves(3), "columns (0, 2) · (1, 3) · (3, 4), of which 3 stood before"),
            (Numbers(1), "multiplier"),
            (Hidden(15), "three rows fill the block up"),
        ],
    ),
    (
        "tiles: a filter 1×1 of four channels, 1 2 3 4, bias 100, q 7",
        Op::Conv2d,
        1,
        &[
            (Numbers(4), "biases"),
            (Halves(4), "columns (0, 2) of channels 0 … 3"),
            (Halves(4), "columns (1, 3)"),
            (Numbers(4), "multipliers"),
        ],
    ),
    (
        "windows: 1 2 3 / 4 5 6 / 7 8 9, bias 100, q 7",
        Op::DepthwiseConv3x3,
        3,
        &[
            (Halves(3), "rows 0 and 1 of columns 0, 1, 2"),
            (Halves(2), "row 2"),
            (Numbers(2), "bias, multiplier"),
            (Hidden(21), "channels 1, 2, 3 fill up"),
        ],
    ),
    (
        "doubled windows: the same",
        Op::UpsampledDepthwiseConv3x3,
        3,
        &[
            (
                Halves(2),
                "even rows, even columns: 1 and 4 + 7 · 2 + 3 and 5 + 6 + 8 + 9",
            ),
            (
                Halves(2),
                "even rows, odd columns: 1 + 2 and 4 + 5 + 7 + 8 · 3 and 6 + 9",
            ),
            (Numbers(2), "bias, multiplier"),
            (Hidden(18), "channels 1, 2, 3 fill up"),
            (Halves(2), "odd rows, even columns"),
            (Halves(2), "odd rows, odd columns"),
            (Numbers(2), "bias, multiplier"),
            (Hidden(18), "channels 1, 2, 3 fill up"),
        ],
    ),
    (
        "phases: the same window for one input and one output channel",
        Op::UpsampledConv3x3,
        3,
        &[
            (Numbers(3), "even rows, even columns: biases"),
            (Halves(6), "upper left pixel for channels 0, 1, 2 · upper right"),
            (Halves(6), "columns (1, 3) fill up"),
            (Halves(6), "lower left · lower right"),
            (Halves(6), "columns (1, 3) fill up"),
            (Numbers(3), "multipliers"),
            (Hidden(90), "the three other phases"),
        ],
    ),
    (
        "transformed weights: likewise",
        Op::WinogradConv3x3,
        3,
        &[
            (
                Firsts(4),
                "channel 0 at positions 0 … 3; three channels and columns (1, 3) fill up",
            ),
            (Firsts(4), "4 … 7"),
            (Firsts(4), "8 … 11"),
            (Firsts(4), "12 … 15"),
            (Numbers(4), "biases"),
            (Numbers(4), "multipliers"),
        ],
    ),
];

fn layer(op: Op) -> Layer {
    match op {
        Op::Linear => Layer::of_sums(&[1, 2, 3, 4, 11, 12, 13, 14], &[100, 200]),
        Op::NarrowLinear => Layer {
            weights: vec![1, 2, 3, 4, 5],
            bias: vec![100],
            multipliers: vec![7],
        },
        Op::Conv2d => Layer {
            weights: vec![1, 2, 3, 4],
            bias: vec![100],
            multipliers: vec![7],
        },
        _ => Layer {
            weights: (1..=9).collect(),
            bias: vec![100],
            multipliers: vec![7],
        },
    }
}

/// The document's listing.
pub fn listing() -> String {
    let halves = |word: &u32| format!("({}, {})", *word as i16, (*word >> 16) as i16);
    let mut listing = String::new();
    for (heading, op, kernel, lines) in &WORKED {
        let channels = if *op == Op::Conv2d { 4 } else { 1 };
        let stream = layer(*op).stream(*op, *kernel, channels);
        writeln!(listing, "{heading}").expect("a string takes all");
        let mut at = 0;
        for (show, meaning) in *lines {
            let (len, values): (usize, Vec<String>) = match show {
                Numbers(len) => (
                    *len,
                    stream[at..at + len]
                        .iter()
                        .map(|word| (*word as i32).to_string())
                        .collect(),
                ),
                Halves(len) => (*len, stream[at..at + len].iter().map(halves).collect()),
                Firsts(count) => (
                    8 * count,
                    stream[at..at + 8 * count].iter().step_by(8).map(halves).collect(),
                ),
                Hidden(len) => (*len, vec!["…".to_owned()]),
            };
            writeln!(listing, "{at:>4}  {:<58}  {meaning}", values.join(" · ")).expect("a string takes all");
            at += len;
        }
        assert_eq!(at, stream.len(), "every word of {op:?} is explained");
    }
    listing
}

/// The document's table of lengths, for many shapes.
#[test]
fn streams_and_scratch_memory_are_as_long_as_documented() {
    let tensor = |shape: Shape, element| Tensor {
        offset: 0,
        shape,
        kept: shape.h,
        zero_point: 0,
        element,
        scale: 1.0,
    };
    let mut checked = 0;
    for (w, c, out, kernel, stride) in [
        (1, 4, 4, 3, 1),
        (7, 8, 12, 3, 2),
        (12, 32, 16, 5, 1),
        (3, 400, 8, 1, 2),
        (9, 20, 4, 7, 1),
    ] {
        for op in Op::ALL.into_iter().filter(|op| op.is_weighted()) {
            for element in [Element::I8, Element::I32] {
                let kernel = if op.is_upsampled() || [Op::DepthwiseConv3x3, Op::WinogradConv3x3].contains(&op) {
                    3
                } else {
                    kernel
                };
                let out_w = if op.is_upsampled() { 2 * w } else { w };
                let input = tensor(Shape::new(2, w as u16, c as u16), Element::I8);
                let channels = if op.is_depthwise() { c } else { out };
                let output = tensor(Shape::new(2, out_w as u16, channels as u16), element);
                let node = Node {
                    kernel: kernel as u8,
                    stride: stride as u8,
                    ..Node::new(op, HeadSet::ALL)
                };
                let columns = kernel * kernel * c;
                let quads = usize::div_ceil;
                let rows = |out: usize, n: usize, kept: usize| {
                    quads(out, 4) * (4 * quads(n, 4) + 2 * n.div_ceil(384) + 8 - 4 * kept)
                };
                let widened = |n: usize| 2 * quads(n, 4) + n.div_ceil(384);
                let line = quads(kernel * c, 4);
                let (words, scratch) = match op {
                    Op::Linear => {
                        let (out, n) = (output.shape.len(), input.shape.len());
                        (rows(out, n, usize::from(element == Element::I32)), widened(n))
                    }
                    _ if element == Element::I32 => continue,
                    Op::NarrowLinear => {
                        let n = input.shape.len();
                        (4 * quads(output.shape.len(), 4) * if n <= 6 { 5 } else { 7 }, 0)
                    }
                    Op::CompactConv2d => (
                        rows(out, columns, 0),
                        widened(columns) + quads(columns, 4) + quads(out, 4),
                    ),
                    Op::Conv2d => (
                        quads(out, 4) * (8 * kernel * line + 8),
                        4 * kernel * line + 2 * line + 2 * quads(out, 4),
                    ),
                    Op::DepthwiseConv2d => (quads(columns, 4) + 2 * c, 0),
                    Op::DepthwiseConv3x3 => (7 * c, 6 * ((out_w - 1) * stride + 3)),
                    Op::UpsampledDepthwiseConv3x3 => (12 * c, 8 * (w + 2)),
                    Op::UpsampledConv3x3 => (4 * out.div_ceil(3) * (6 * c + 6), (w + 2) * c),
                    _ => (out / 4 * (32 * c + 8), 16 * c + 128),
                };
                assert_eq!(stream_words(&node, &input, &output), words, "{op:?} {input:?}");
                assert_eq!(scratch_words(&node, &input, &output), scratch, "{op:?} {input:?}");
                checked += 1;
            }
        }
    }
    assert_eq!(checked, 5 * 10);
}
