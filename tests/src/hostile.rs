//! Blobs with one fault each: tiny after one change, and the error it gives.

use trident::blob::BlobError;
use trident::graph::{Node, Op};
use trident::{Blob, LoadError, Network};

use crate::aligned::Aligned;
use crate::builder::Builder;
use crate::layer::Layer;
use crate::{streams, tiny};

/// The error that those parts give, sealed as they are.
///
/// # Panics
/// If they are accepted.
pub fn error_of(builder: &Builder) -> BlobError {
    match Blob::new_checked(builder.pack().bytes()) {
        Err(error) => error,
        Ok(_) => panic!("the blob was accepted"),
    }
}

/// The error of tiny after one change.
///
/// # Panics
/// If it is accepted.
pub fn tiny_with(change: impl FnOnce(&mut Builder)) -> BlobError {
    let mut builder = tiny::tiny();
    change(&mut builder);
    error_of(&builder)
}

/// The number of tiny's first node of that operator.
pub fn first(op: Op) -> usize {
    let nodes = tiny::tiny().nodes;
    let first = nodes.iter().position(|node| node.op == op);
    first.unwrap_or_else(|| panic!("tiny lacks {op:?}"))
}

/// The tensor that this node writes.
pub fn output_of(op: Op) -> usize {
    tiny::tiny().nodes[first(op)].output.into()
}

/// The error of tiny after one change to its first node of that operator; and the node's number.
///
/// # Panics
/// If it is accepted.
pub fn node_with(op: Op, change: impl FnOnce(&mut Node)) -> (BlobError, usize) {
    let node = first(op);
    (tiny_with(|builder| change(&mut builder.nodes[node])), node)
}

/// The operators that hold weights.
pub const WEIGHTED: [Op; 9] = [
    Op::Linear,
    Op::NarrowLinear,
    Op::Conv2d,
    Op::DepthwiseConv2d,
    Op::DepthwiseConv3x3,
    Op::CompactConv2d,
    Op::UpsampledConv3x3,
    Op::UpsampledDepthwiseConv3x3,
    Op::WinogradConv3x3,
];

/// Tiny with its first layer of that operator changed and packed anew.
pub fn layer_with(op: Op, change: impl FnOnce(&mut Layer)) -> Builder {
    let mut builder = tiny::tiny();
    let node = builder.nodes[first(op)];
    let tensor = |number: u8| builder.tensors[usize::from(number)];
    let (input, output) = (tensor(node.input), tensor(node.output));
    let (mut layer, words) = streams::unpack(&node, &input, &output, &builder.parameters);
    change(&mut layer);
    let stream = layer.stream(op, node.kernel.into(), input.shape.c.into());
    assert_eq!(stream.len(), words, "a changed layer keeps its shape");
    let bytes: &[u8] = bytemuck::cast_slice(&stream);
    builder.parameters[node.weights as usize..][..bytes.len()].copy_from_slice(bytes);
    builder
}

/// Loads those parts, which make a blob.
///
/// # Errors
/// Why they are not loaded.
///
/// # Panics
/// If they make none.
pub fn load(builder: &Builder) -> Result<(), LoadError> {
    let packed = builder.pack();
    let blob = Blob::new_checked(packed.bytes()).expect("only the weights may be wrong");
    let mut arena = Aligned::zeroed(blob.graph().arena_len());
    Network::load(blob, arena.bytes_mut()).map(|_| ())
}
