//! Tensors of the wrong element or size for the node that touches them, and bounds that are met exactly.

use trident::blob::BlobError;
use trident::check::GraphError;
use trident::graph::{Element, Node, Op};
use trident::input::Segment;
use trident::spec::{Head, HeadSet, InputSlot, Shape};
use trident::{Blob, MAX_CLASSES};
use trident_tests::builder::{Builder, seal};
use trident_tests::hostile::{error_of, first, tiny_with};
use trident_tests::tiny;

const TABLE: [Segment; 1] = [Segment {
    start: 0.0,
    base: 0.0,
    slope: 1.0,
}];

/// A row of that many codes, to put something on top of.
fn row(codes: usize) -> (Builder, u8) {
    let mut builder = Builder::default();
    let tables = vec![(0, &TABLE[..]); codes];
    let row = builder.readings((InputSlot::Regression, &["x"]), &tables, 1.0, 0);
    (builder, row)
}

/// The error of those parts, every node serving the heads that need it.
fn served_error_of(mut builder: Builder) -> BlobError {
    builder.assign_heads();
    error_of(&builder)
}

fn shape_error(node: usize) -> BlobError {
    BlobError::Graph(GraphError::Shape { node })
}

/// Every tensor of tiny with codes for accumulators, or the reverse: who writes it refuses, or, as a Linear may write either, who reads it.
#[test]
fn tensors_of_the_wrong_element_are_refused() {
    let original = tiny::tiny();
    for tensor in 0..original.tensors.len() {
        let node = |touches: &dyn Fn(&Node) -> bool| original.nodes.iter().position(touches).expect("touched");
        let writer = node(&|node| node.writes() == Some(tensor));
        let reader = node(&|node| node.reads().any(|read| read == tensor));
        let sums = original.tensors[tensor].element == Element::I32;
        let at_fault = if original.nodes[writer].op == Op::Linear {
            reader
        } else {
            writer
        };
        let error = tiny_with(|builder| {
            let changed = &mut builder.tensors[tensor];
            changed.element = if sums { Element::I8 } else { Element::I32 };
            changed.kept = changed.shape.h;
            changed.offset = builder.arena_len.next_multiple_of(4);
            builder.arena_len = changed.range().end as u32;
            if sums {
                // A stream with room for multipliers, so that only the reader can object.
                builder.nodes[writer].weights = builder.words(&[1u32; 64]);
            }
        });
        assert_eq!(error, shape_error(at_fault), "tensor {tensor}");
    }
}

#[test]
fn accumulators_are_no_second_input() {
    for op in [Op::Add, Op::Concat] {
        let (mut builder, input) = row(4);
        let second = builder.sums(input, &[1; 16], &[0; 4]);
        let node = Node {
            input,
            second,
            right_shift: 1,
            ..Node::new(op, HeadSet::ALL)
        };
        let channels = if op == Op::Add { 4 } else { 8 };
        let both = builder.codes(node, Shape::row(channels), 0);
        let node = Node {
            input: both,
            ..Node::new(Op::Logits, Head::Segmentation.into())
        };
        builder.head(node, "ground", &["a"; 8][..channels.into()]);
        assert_eq!(served_error_of(builder), shape_error(2), "{op:?}");
    }
}

#[test]
fn channels_put_together_share_one_zero_point() {
    let error = |second_zero_point: i8| {
        let (mut builder, input) = row(2);
        let table = Node {
            input,
            table: builder.table(&[0; 256]),
            ..Node::new(Op::Lut, HeadSet::ALL)
        };
        let second = builder.codes(table, Shape::row(2), second_zero_point);
        let node = Node {
            input,
            second,
            ..Node::new(Op::Concat, HeadSet::ALL)
        };
        let both = builder.codes(node, Shape::row(4), 0);
        let node = Node {
            input: both,
            ..Node::new(Op::Logits, Head::Segmentation.into())
        };
        builder.head(node, "ground", &["a", "b", "c", "d"]);
        builder.assign_heads();
        Blob::new_checked(builder.pack().bytes()).err()
    };
    assert_eq!(error(0), None);
    assert_eq!(error(1), Some(shape_error(2)));
}

/// A head on `count` accumulators, or on `count` channels of codes.
fn head_of(op: Op, count: usize) -> Result<(), BlobError> {
    const NAMES: [&str; MAX_CLASSES + 1] = ["class"; MAX_CLASSES + 1];
    let (mut builder, codes) = row(if op == Op::Logits { count } else { 1 });
    let (head, names) = match op {
        Op::Probabilities => (Head::Classification, count.max(2)),
        Op::Logits => (Head::Segmentation, count),
        _ => (Head::Regression, 0),
    };
    let input = match op {
        Op::Logits => codes,
        _ => builder.sums(codes, &vec![1; count], &vec![0; count]),
    };
    let node = Node {
        input,
        weights: builder.words(&vec![1.0f32; count]),
        ..Node::new(op, head.into())
    };
    builder.head(node, "head", &NAMES[..names]);
    builder.assign_heads();
    Blob::new_checked(builder.pack().bytes()).map(|_| ())
}

#[test]
fn heads_of_too_few_or_too_many_classes_are_refused() {
    for (op, least, most) in [
        (Op::Probabilities, 1, MAX_CLASSES),
        (Op::Logits, 2, MAX_CLASSES),
        (Op::Value, 1, 1),
    ] {
        assert_eq!((head_of(op, least), head_of(op, most)), (Ok(()), Ok(())), "{op:?}");
        let node = if op == Op::Logits { 1 } else { 2 };
        assert_eq!(head_of(op, most + 1), Err(shape_error(node)), "{op:?}");
    }
    assert_eq!(head_of(Op::Logits, 1), Err(shape_error(1)));
}

#[test]
fn segmentation_reads_no_accumulators() {
    let (mut builder, codes) = row(1);
    let input = builder.sums(codes, &[1; 3], &[0; 3]);
    let node = Node {
        input,
        ..Node::new(Op::Logits, Head::Segmentation.into())
    };
    builder.head(node, "ground", &["a", "b", "c"]);
    assert_eq!(served_error_of(builder), shape_error(2));
}

#[test]
fn more_model_inputs_than_readings_may_yield_are_refused() {
    let with = |codes: usize| {
        let (mut builder, input) = row(codes);
        let input = builder.sums(input, &vec![1; codes], &[0]);
        let node = Node {
            input,
            ..Node::new(Op::Value, Head::Regression.into())
        };
        builder.head(node, "level", &[]);
        builder.assign_heads();
        Blob::new_checked(builder.pack().bytes()).map(|_| ())
    };
    assert_eq!(with(64 * 3), Ok(()));
    assert_eq!(with(64 * 3 + 1), Err(shape_error(0)));
}

#[test]
fn a_tensor_made_for_one_head_does_not_serve_three() {
    let node = first(Op::DepthwiseConv2d);
    let error = tiny_with(|builder| builder.nodes[node].heads = HeadSet::ALL);
    assert_eq!(error, BlobError::Graph(GraphError::Order { node }));
}

#[test]
fn descriptions_that_only_nearly_fit_are_refused() {
    let description = BlobError::Graph(GraphError::Description);
    let shape = |builder: &mut Builder| {
        builder.inputs[0].shape = Shape::row(3);
        builder.inputs[0].names.push("third");
        builder.golden.clear();
    };
    assert_eq!(tiny_with(shape), description);
    assert_eq!(
        tiny_with(|builder| builder.golden[0].probabilities.len = 3),
        description
    );
    let mut packed = tiny::tiny().pack();
    let name = packed.bytes().windows(8).position(|bytes| bytes == b"accuracy");
    packed.bytes_mut()[name.expect("tiny has a metric")] = 0xFF; // no text
    seal(packed.bytes_mut());
    assert_eq!(Blob::new_checked(packed.bytes()).unwrap_err(), description);
}
