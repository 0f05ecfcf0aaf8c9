//! A doubled picture under a 3×3 window is never made: the window over it is four 2×2 windows over the picture itself, one per phase
//! of row and column, with weights that see the same pixel added up. In a sum, each of its pixels is added to four.

use trident::graph::Op;

use super::Optimize;
use crate::quantize::plain::PlainGraph;

/// Joins every doubling with the convolution or sum behind it, where nothing else reads the doubled picture and channels come in
/// fours. Weights that are added up take more than eight bits, which [`Optimize::Size`] does not give them.
pub fn fuse(graph: &mut PlainGraph, optimize: Optimize) {
    let mut number = 0;
    while number < graph.nodes.len() {
        let node = graph.nodes[number].node;
        let reader = graph
            .only_reader(node.output.into())
            .filter(|&reader| node.op == Op::Upsample2d && node.kernel == 2 && suits(graph, number, reader, optimize));
        let Some(reader) = reader else {
            number += 1;
            continue;
        };
        let joined = &mut graph.nodes[reader].node;
        if joined.op == Op::Add && joined.input == node.output {
            std::mem::swap(&mut joined.input, &mut joined.second);
            joined.p.swap(0, 1);
        }
        let (op, read) = match joined.op {
            Op::Add => (Op::UpsampledAdd, &mut joined.second),
            Op::DepthwiseConv2d => (Op::UpsampledDepthwiseConv3x3, &mut joined.input),
            _ => (Op::UpsampledConv3x3, &mut joined.input),
        };
        *read = node.input;
        joined.op = op;
        graph.nodes.remove(number);
    }
}

fn suits(graph: &PlainGraph, doubling: usize, reader: usize, optimize: Optimize) -> bool {
    let (doubling, reader) = (&graph.nodes[doubling].node, &graph.nodes[reader].node);
    let shape = |tensor: u8| graph.tensors[usize::from(tensor)].shape;
    let (input, doubled, output) = (shape(doubling.input), shape(doubling.output), shape(reader.output));
    let joins = match reader.op {
        Op::Add => reader.input != reader.second,
        Op::Conv2d | Op::DepthwiseConv2d => {
            (reader.kernel, reader.stride, reader.pad_top, reader.pad_left) == (3, 1, 1, 1)
                && optimize != Optimize::Size
        }
        _ => false,
    };
    joins
        && (doubled.h, doubled.w) == (output.h, output.w)
        && input.c.is_multiple_of(4)
        && doubling.heads == reader.heads
}
