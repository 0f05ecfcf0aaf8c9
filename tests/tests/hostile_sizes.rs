//! Correctly sealed blobs whose sizes are hostile: nothing at all, or more than any number holds.

use trident::blob::BlobError;
use trident::check::GraphError;
use trident::graph::Op;
use trident::spec::Shape;
use trident::{Blob, LoadError, Network};
use trident_tests::aligned::Aligned;
use trident_tests::hostile::{error_of, first, output_of, tiny_with};
use trident_tests::tiny;

#[test]
fn an_arena_of_nothing_holds_no_tensor() {
    let error = tiny_with(|builder| builder.arena_len = 0);
    assert_eq!(error, BlobError::Graph(GraphError::Tensor { tensor: 0 }));
}

#[test]
fn an_arena_of_everything_is_refused_before_it_is_touched() {
    let mut builder = tiny::tiny();
    builder.arena_len = u32::MAX;
    let packed = builder.pack();
    let blob = Blob::new_checked(packed.bytes()).expect("it says only what it needs");
    let (needed, available) = (u32::MAX as usize, 4096);
    let mut arena = Aligned::zeroed(available);
    let error = Network::load(blob, arena.bytes_mut()).expect_err("no device has as much");
    assert_eq!(error, LoadError::Arena { needed, available });
}

/// Shapes whose element counts pass 32 bits do not fit an arena of all that 32 bits can say; not with one kept row either, if that ends behind it.
#[test]
fn shapes_that_overflow_do_not_fit_the_largest_arena() {
    let most = u16::MAX;
    let tensor = output_of(Op::Conv2d);
    for (shape, kept) in [
        (Shape::new(most, most, most), most),
        (Shape::new(most, most, most), 1),
        (Shape::new(most, most, 2), most),
        (Shape::new(2, most, most), 2),
    ] {
        let error = tiny_with(|builder| {
            builder.arena_len = u32::MAX;
            builder.tensors[tensor].shape = shape;
            builder.tensors[tensor].kept = kept;
            builder.tensors[tensor].offset = 1 << 20;
        });
        assert_eq!(
            error,
            BlobError::Graph(GraphError::Tensor { tensor }),
            "{shape:?}, {kept} kept"
        );
    }
}

#[test]
fn tensors_at_the_end_of_all_numbers_are_outside() {
    for tensor in 0..tiny::tiny().tensors.len() {
        for offset in [u32::MAX, u32::MAX - 3, 1 << 31] {
            let error = tiny_with(|builder| builder.tensors[tensor].offset = offset);
            assert_eq!(error, BlobError::Graph(GraphError::Tensor { tensor }), "{offset:#x}");
        }
    }
}

/// Two nodes that read what the other writes.
#[test]
fn a_cycle_of_two_nodes_is_refused() {
    let (conv, winograd) = (first(Op::CompactConv2d), first(Op::WinogradConv3x3));
    let error = tiny_with(|builder| {
        let (first, second) = (
            builder.tensors[output_of(Op::CompactConv2d)],
            builder.tensors[output_of(Op::WinogradConv3x3)],
        );
        assert_eq!(first.shape, second.shape, "so that only the order is wrong");
        for tensor in &mut builder.tensors {
            tensor.kept = tensor.shape.h;
        }
        builder.place();
        builder.nodes[winograd].input = output_of(Op::CompactConv2d) as u8;
        builder.nodes[conv].input = output_of(Op::WinogradConv3x3) as u8;
        // A stream of weights for as many channels as it reads now.
        builder.nodes[conv].weights = builder.words(&[1u32; 256]);
    });
    assert_eq!(error, BlobError::Graph(GraphError::Order { node: conv }));
}

#[test]
fn a_graph_without_heads_is_refused() {
    let mut builder = tiny::minimal();
    builder.nodes.retain(|node| !node.op.is_output());
    builder.heads.clear();
    builder.golden.clear();
    assert_eq!(error_of(&builder), BlobError::Graph(GraphError::Description));
}

/// The least header of all, and one whose parts have no bytes.
#[test]
fn parts_of_no_bytes_are_refused() {
    let mut builder = tiny::minimal();
    builder.parameters.clear();
    assert_eq!(error_of(&builder), BlobError::Graph(GraphError::Parameters { node: 0 }));
    for field in [20, 24] {
        let mut packed = tiny::minimal().pack();
        packed.bytes_mut()[field..field + 4].fill(0);
        trident_tests::builder::seal(packed.bytes_mut());
        let error = Blob::new_checked(packed.bytes()).expect_err("nothing is there");
        let expected = if field == 20 {
            BlobError::Metadata
        } else {
            BlobError::Layout
        };
        assert_eq!(error, expected);
    }
}
