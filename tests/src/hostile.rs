//! Blobs with one fault each: tiny after one change, and the error it gives.

use trident::Blob;
use trident::blob::BlobError;
use trident::graph::{Node, Op};

use crate::builder::Builder;
use crate::tiny;

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
