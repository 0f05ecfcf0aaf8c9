//! Rows and columns that a pooling drops are not computed.

use trident::graph::Op;

use crate::quantize::plain::PlainGraph;

/// Cuts the output of every convolution that a pooling alone reads down to whole windows of that pooling.
pub fn shrink(graph: &mut PlainGraph) {
    for number in 0..graph.nodes.len() {
        let node = graph.nodes[number].node;
        let tensor = usize::from(node.input);
        let whole = node.op == Op::MaxPool2d && graph.only_reader(tensor) == Some(number);
        let windowed = graph.writer(tensor).is_some_and(|writer| {
            let op = graph.nodes[writer].node.op;
            op.is_windowed() && !op.is_upsampled()
        });
        if whole && windowed {
            let side = u16::from(node.kernel);
            let shape = &mut graph.tensors[tensor].shape;
            (shape.h, shape.w) = (shape.h / side * side, shape.w / side * side);
            graph.forget(tensor);
        }
    }
}
