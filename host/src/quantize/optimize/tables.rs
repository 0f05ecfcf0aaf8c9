//! A table that follows a layer becomes part of it: codes are looked up as they are stored.

use trident::graph::Op;

use crate::quantize::plain::PlainGraph;

/// Joins every lookup with the weighted layer before it, if nothing else reads that layer's codes.
pub fn fuse(graph: &mut PlainGraph) {
    let mut number = 0;
    while number < graph.nodes.len() {
        let node = graph.nodes[number].node;
        let tensor = usize::from(node.input);
        let writer = graph.writer(tensor).filter(|&writer| {
            let plain = &graph.nodes[writer];
            plain.node.op.is_weighted() && plain.table.is_none() && plain.node.heads == node.heads
        });
        match writer {
            Some(writer) if node.op == Op::Lut && graph.only_reader(tensor) == Some(number) => {
                let lookup = graph.nodes.remove(number);
                graph.nodes[writer].table = lookup.table;
                // Requantisation still makes the codes that the table is for: `p1` keeps their zero point.
                graph.nodes[writer].node.output = node.output;
            }
            _ => number += 1,
        }
    }
}
