//! Small graphs to map, for tests.

use trident::graph::{Element, Graph, Node, Op, Tensor};
use trident::spec::{Head, HeadSet, Shape};

use super::ArenaMap;

/// A tensor of codes.
pub fn tensor(offset: u32, [h, w, c]: [u16; 3], kept: u16) -> Tensor {
    Tensor {
        offset,
        shape: Shape::new(h, w, c),
        kept,
        zero_point: 0,
        element: Element::I8,
        scale: 1.0,
    }
}

/// A node of the segmentation head; windows are of one pixel.
pub fn node(op: Op, [input, second, output]: [u8; 3], scratch: i32) -> Node {
    let kernel = u8::from(op.is_windowed());
    Node {
        input,
        second,
        output,
        kernel,
        stride: kernel,
        p: [scratch, 0, 0],
        ..Node::new(op, HeadSet::EMPTY.with(Head::Segmentation))
    }
}

/// The map of those records.
pub fn map(tensors: &[Tensor], nodes: &[Node], arena_len: u32) -> ArenaMap {
    let tensors: Vec<u8> = tensors.iter().flat_map(Tensor::encode).collect();
    let nodes: Vec<u8> = nodes.iter().flat_map(Node::encode).collect();
    ArenaMap::of(&Graph::new(&tensors, &nodes, arena_len).expect("tables of whole records"))
}

/// A picture through two convolutions that take turns, so that the tensor between them keeps one of its four rows; scratch
/// memory of the second begins at `second_scratch`, that of the first at 144.
pub fn streamed(second_scratch: i32) -> ArenaMap {
    let tensors = [
        tensor(0, [4, 4, 4], 4),
        tensor(64, [4, 4, 4], 1),
        tensor(80, [4, 4, 4], 4),
    ];
    let nodes = [
        node(Op::Picture, [0, 0, 0], 0),
        node(Op::CompactConv2d, [0, 0, 1], 144),
        node(Op::CompactConv2d, [1, 0, 2], second_scratch),
        node(Op::Logits, [2, 0, 0], 0),
    ];
    map(&tensors, &nodes, 192)
}
