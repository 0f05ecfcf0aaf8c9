//! A picture that is needed again is read again: it stays in its owner's memory during a run, while a copy would take the arena's.

use trident::graph::Op;

use crate::quantize::plain::{PlainGraph, PlainNode};

/// Gives every reader of a picture but the first an input node of its own, right before it.
pub fn read_again(graph: &mut PlainGraph) {
    let pictures: Vec<PlainNode> = graph
        .nodes
        .iter()
        .filter(|plain| plain.node.op == Op::Picture)
        .cloned()
        .collect();
    for picture in pictures {
        let mut readers = graph.readers(picture.node.output.into());
        let first = readers.next();
        let readers: Vec<usize> = readers.collect();
        if let (Some(first), Some(writer)) = (first, graph.writer(picture.node.output.into())) {
            // Heads that read a copy of their own need not wait for the first.
            graph.nodes[writer].node.heads = graph.nodes[first].node.heads;
        }
        // From the last on, so that numbers of nodes before it stay what they are.
        for reader in readers.into_iter().rev() {
            let copy = graph.tensors.len() as u8;
            graph.tensors.push(graph.tensors[usize::from(picture.node.output)]);
            let node = &mut graph.nodes[reader].node;
            for (reads, tensor) in [(true, &mut node.input), (node.op.is_binary(), &mut node.second)] {
                if reads && *tensor == picture.node.output {
                    *tensor = copy;
                }
            }
            let mut again = picture.clone();
            again.node.output = copy;
            again.node.heads = graph.nodes[reader].node.heads;
            graph.nodes.insert(reader, again);
        }
    }
}
