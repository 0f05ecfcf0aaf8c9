//! A doubled picture under a 3×3 window is never made: the window over it is four 2×2 windows over the picture itself, one per phase
//! of row and column, with weights that see the same pixel added up.

use trident::graph::Op;

use crate::quantize::plain::PlainGraph;

/// Joins every doubling with the convolution behind it, where nothing else reads the doubled picture and channels come in fours.
pub fn fuse(graph: &mut PlainGraph) {
    let mut number = 0;
    while number < graph.nodes.len() {
        let node = graph.nodes[number].node;
        let reader = graph
            .only_reader(node.output.into())
            .filter(|&reader| node.op == Op::Upsample2d && node.kernel == 2 && suits(graph, number, reader));
        let Some(reader) = reader else {
            number += 1;
            continue;
        };
        let convolution = &mut graph.nodes[reader].node;
        convolution.input = node.input;
        convolution.op = match convolution.op {
            Op::DepthwiseConv2d => Op::UpsampledDepthwiseConv3x3,
            _ => Op::UpsampledConv3x3,
        };
        graph.nodes.remove(number);
    }
}

fn suits(graph: &PlainGraph, doubling: usize, reader: usize) -> bool {
    let (doubling, reader) = (&graph.nodes[doubling].node, &graph.nodes[reader].node);
    let shape = |tensor: u8| graph.tensors[usize::from(tensor)].shape;
    let (input, doubled, output) = (shape(doubling.input), shape(doubling.output), shape(reader.output));
    matches!(reader.op, Op::Conv2d | Op::DepthwiseConv2d)
        && (reader.kernel, reader.stride, reader.pad_top, reader.pad_left) == (3, 1, 1, 1)
        && (doubled.h, doubled.w) == (output.h, output.w)
        && input.c.is_multiple_of(4)
        && doubling.heads == reader.heads
}
