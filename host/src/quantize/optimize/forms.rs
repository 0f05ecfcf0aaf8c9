//! An operator by the kernel that suits it.

use trident::graph::{Element, Node, Op};
use trident::layout::{depthwise, narrow, rows, winograd};
use trident::spec::Shape;

use super::Optimize;
use crate::quantize::plain::{PlainGraph, PlainNode};

/// Winograd's transforms of a tile pay for themselves from so many channels on, in and out.
const WINOGRAD_CHANNELS: u16 = 16;

/// With [`Optimize::Balanced`], Winograd's weights may add one part in so many to the model's weights.
const BALANCED_PART: usize = 16;

/// Replaces plain operators by those for special windows and budgets.
pub fn choose(graph: &mut PlainGraph, optimize: Optimize) {
    let weights = |plain: &PlainNode| plain.weights.as_ref().map_or(0, |layer| layer.weights.len());
    let budget = match optimize {
        Optimize::Size => 0,
        Optimize::Balanced => graph.nodes.iter().map(weights).sum::<usize>() / BALANCED_PART,
        Optimize::Speed => usize::MAX,
    };
    let mut spent = 0usize;
    for number in 0..graph.nodes.len() {
        let node = graph.nodes[number].node;
        let shape = |tensor: u8| graph.tensors[usize::from(tensor)].shape;
        let (input, output) = (
            shape(node.input),
            if node.op.is_output() {
                shape(node.input)
            } else {
                shape(node.output)
            },
        );
        graph.nodes[number].node.op = match node.op {
            Op::DepthwiseConv2d if usize::from(node.kernel) == depthwise::SIDE && input.c.is_multiple_of(4) => {
                Op::DepthwiseConv3x3
            }
            Op::Linear if optimize != Optimize::Size && suits_narrow(graph, number) => {
                graph.tensors[usize::from(node.output)].element = Element::I16;
                Op::NarrowLinear
            }
            Op::Conv2d if optimize == Optimize::Size => Op::CompactConv2d,
            Op::Conv2d if suits_winograd(&node, input, output) && sums_fit(&graph.nodes[number], input) => {
                let bytes = 4 * winograd::stream_words(output.c.into(), input.c.into());
                let extra = bytes.saturating_sub(weights(&graph.nodes[number]));
                if spent.saturating_add(extra) <= budget {
                    spent += extra;
                    Op::WinogradConv3x3
                } else {
                    Op::Conv2d
                }
            }
            op => op,
        };
    }
}

/// Whether few inputs give codes that linear layers alone read, which then take them wide.
fn suits_narrow(graph: &PlainGraph, number: usize) -> bool {
    let PlainNode { node, table, .. } = &graph.nodes[number];
    let [input, output] = [node.input, node.output].map(|tensor| &graph.tensors[usize::from(tensor)]);
    let units = output.shape.len();
    let mut readers = graph.readers(node.output.into());
    input.element == Element::I8
        && input.shape.len() <= narrow::COLUMNS
        && output.element == Element::I8
        && (units.is_multiple_of(rows::WIDE) && units <= rows::CHUNK)
        && ((node.lo, node.hi) == (i8::MIN, i8::MAX) && table.is_none())
        && readers.all(|reader| graph.nodes[reader].node.op == Op::Linear)
}

fn suits_winograd(node: &Node, input: Shape, output: Shape) -> bool {
    let channels = [input.c, output.c];
    (node.kernel, node.stride) == (3, 1)
        && channels
            .iter()
            .all(|&channels| channels >= WINOGRAD_CHANNELS && channels.is_multiple_of(4))
}

/// Whether no product of the transform can overflow whatever the input: transformed weights are at most nine times, transformed
/// codes four times as large.
fn sums_fit(plain: &PlainNode, input: Shape) -> bool {
    let products = 16 * u64::from(input.c) * (9 * 127) * (4 * 128);
    let bias = plain
        .weights
        .iter()
        .flat_map(|layer| &layer.bias)
        .map(|bias| u64::from(bias.unsigned_abs()))
        .max();
    products < 1 << 31 && products / 4 + bias.unwrap_or(0) < 1 << 31
}
