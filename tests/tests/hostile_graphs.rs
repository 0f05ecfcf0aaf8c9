//! Graphs that break one rule each, in a blob whose checksum is right: every one gives the error that names rule and place.

use trident::Blob;
use trident::blob::{BlobError, Span};
use trident::check::{GraphError, MAX_GOLDEN_VECTORS, MAX_MACS};
use trident::graph::{Element, MAX_NODES, Node, Op};
use trident::input::Segment;
use trident::spec::{Head, HeadSet, InputSlot, Shape};
use trident_tests::builder::Builder;
use trident_tests::hostile::{WEIGHTED, error_of, first, node_with, output_of, tiny_with};
use trident_tests::layer::Layer;
use trident_tests::tiny;

fn assert_shape(op: Op, change: impl FnOnce(&mut Node)) {
    let (error, node) = node_with(op, change);
    assert_eq!(error, BlobError::Graph(GraphError::Shape { node }), "{op:?}");
}

#[test]
fn zero_points_that_are_no_codes_are_refused() {
    for op in [Op::Conv2d, Op::DepthwiseConv3x3, Op::NarrowLinear, Op::WinogradConv3x3] {
        for zero_point in [-129, 128, 300, i32::MIN] {
            assert_shape(op, |node| node.p[1] = zero_point);
        }
    }
}

#[test]
fn tensors_outside_the_arena_are_refused() {
    let arena_len = tiny::tiny().arena_len;
    for offset in [arena_len, arena_len - 4, 0x8000_0000, u32::MAX - 3] {
        let tensor = output_of(Op::Conv2d);
        let error = tiny_with(|builder| builder.tensors[tensor].offset = offset);
        assert_eq!(
            error,
            BlobError::Graph(GraphError::Tensor { tensor }),
            "offset {offset}"
        );
    }
    let mut builder = tiny::minimal();
    let tensor = builder.tensors.len() - 1;
    builder.arena_len = builder.tensors[tensor].range().end as u32 - 1;
    assert_eq!(error_of(&builder), BlobError::Graph(GraphError::Tensor { tensor }));
}

#[test]
fn empty_and_gigantic_tensors_are_refused() {
    let most = u16::MAX;
    for shape in [
        Shape::new(0, 4, 4),
        Shape::new(4, 0, 4),
        Shape::new(4, 4, 0),
        Shape::new(most, most, most), // 2^48 elements: overflows a 32-bit size
        Shape::new(most, most, 4),
    ] {
        let tensor = output_of(Op::Conv2d);
        let error = tiny_with(|builder| builder.tensors[tensor].shape = shape);
        assert_eq!(error, BlobError::Graph(GraphError::Tensor { tensor }), "{shape:?}");
    }
}

#[test]
fn accumulators_off_their_boundary_are_refused() {
    let tensor = tiny::minimal().tensors.len() - 1;
    let mut builder = tiny::minimal();
    assert_eq!(builder.tensors[tensor].element, Element::I32);
    builder.tensors[tensor].offset += 2;
    builder.arena_len += 2;
    assert_eq!(error_of(&builder), BlobError::Graph(GraphError::Tensor { tensor }));
}

#[test]
fn unknown_operators_heads_and_tensors_are_refused() {
    let builder = tiny::tiny();
    let conv = first(Op::Conv2d);
    let record = builder.nodes[conv].encode();
    for (at, value) in [(0, Op::ALL.len() as u8), (0, 255), (1, 8), (1, 0)] {
        let mut changed = builder.pack();
        let start = changed
            .bytes()
            .windows(record.len())
            .position(|bytes| bytes == record)
            .expect("stands there");
        changed.bytes_mut()[start + at] = value;
        trident_tests::builder::seal(changed.bytes_mut());
        let error = Blob::new_checked(changed.bytes()).unwrap_err();
        assert_eq!(
            error,
            BlobError::Graph(GraphError::Node { node: conv }),
            "byte {at} = {value}"
        );
    }
    let tensors = builder.tensors.len() as u8;
    for change in [
        |node: &mut Node, t| node.input = t,
        |node: &mut Node, t| node.second = t,
        |node: &mut Node, t| node.output = t,
    ] {
        let (error, node) = node_with(Op::Add, |node| change(node, tensors));
        assert_eq!(error, BlobError::Graph(GraphError::Node { node }));
    }
}

#[test]
fn tables_of_broken_or_too_many_records_are_refused() {
    let too_many = |builder: &mut Builder| {
        let node = builder.nodes[0];
        builder.nodes.resize(MAX_NODES + 1, node);
    };
    assert_eq!(tiny_with(too_many), BlobError::Metadata);
    assert_eq!(tiny_with(|builder| builder.nodes.clear()), BlobError::Metadata);
    assert_eq!(tiny_with(|builder| builder.tensors.clear()), BlobError::Metadata);
}

#[test]
fn reading_before_writing_is_refused() {
    let conv = first(Op::Conv2d);
    let error = tiny_with(|builder| builder.nodes.swap(conv, conv - 1));
    assert_eq!(error, BlobError::Graph(GraphError::Order { node: conv - 1 }));
}

#[test]
fn writing_twice_is_refused() {
    // The second convolution of the decoder writes what the first has written.
    let builder = tiny::tiny();
    let upsampled = first(Op::Upsample2d);
    let shape = builder.tensors[output_of(Op::Upsample2d)].shape;
    assert_eq!(shape, builder.tensors[output_of(Op::Conv2d)].shape);
    let error = tiny_with(|builder| builder.nodes[upsampled].output = output_of(Op::Conv2d) as u8);
    assert_eq!(error, BlobError::Graph(GraphError::Order { node: upsampled }));
}

#[test]
fn writing_what_is_read_is_refused() {
    let lut = first(Op::Lut);
    let error = tiny_with(|builder| builder.nodes[lut].output = builder.nodes[lut].input);
    assert_eq!(error, BlobError::Graph(GraphError::Order { node: lut }));
}

#[test]
fn reading_what_was_not_made_for_that_head_is_refused() {
    let conv = first(Op::Conv2d);
    let error = tiny_with(|builder| builder.nodes[conv].heads = Head::Classification.into());
    assert!(
        matches!(error, BlobError::Graph(GraphError::Order { node }) if node >= conv),
        "{error:?}"
    );
}

#[test]
fn two_nodes_for_one_head_or_row_of_readings_are_refused() {
    let probabilities = first(Op::Probabilities);
    let error = tiny_with(|builder| builder.nodes.insert(probabilities + 1, builder.nodes[probabilities]));
    let node = probabilities + 1;
    assert_eq!(error, BlobError::Graph(GraphError::Order { node }));
    let readings = first(Op::Readings);
    let error = tiny_with(|builder| {
        let output = builder.tensor(Shape::row(3), 0, Element::I8);
        let again = Node {
            output,
            ..builder.nodes[readings]
        };
        builder.nodes.insert(readings + 1, again);
    });
    let node = readings + 1;
    assert_eq!(error, BlobError::Graph(GraphError::Order { node }));
}

#[test]
fn living_tensors_that_overlap_are_refused() {
    // The picture lives until the convolution has read it.
    let (first, second) = (output_of(Op::Picture), output_of(Op::Conv2d));
    let error = tiny_with(|builder| {
        let picture = builder.tensors[first].range();
        builder.tensors[second].offset = picture.end as u32 - 1;
    });
    assert_eq!(error, BlobError::Graph(GraphError::Overlap { first, second }));
}

#[test]
fn dead_tensors_may_be_overwritten_but_logits_may_not() {
    let mut builder = tiny::tiny();
    let (picture, classes) = (output_of(Op::Picture), output_of(Op::Lut));
    builder.tensors[classes].offset = builder.tensors[picture].offset;
    assert!(Blob::new_checked(builder.pack().bytes()).is_ok());
    // The caller reads the logits after the last node, when the regression head's row has long been written.
    let row = builder
        .nodes
        .iter()
        .find(|node| node.op == Op::Readings && node.input == InputSlot::Regression as u8);
    let row = usize::from(row.expect("tiny regresses").output);
    let mut builder = tiny::tiny();
    builder.tensors[row].offset = builder.tensors[classes].offset;
    let (first, second) = (classes, row);
    assert_eq!(
        error_of(&builder),
        BlobError::Graph(GraphError::Overlap { first, second })
    );
}

#[test]
fn windows_that_do_not_fit_are_refused() {
    for op in WEIGHTED.into_iter().filter(|op| op.is_windowed()) {
        for kernel in [0, 8, 255] {
            assert_shape(op, |node| node.kernel = kernel);
        }
        for stride in [0, 3, 255] {
            assert_shape(op, |node| node.stride = stride);
        }
        for pad in [3, 255] {
            assert_shape(op, |node| node.pad_top = pad);
            assert_shape(op, |node| node.pad_left = pad);
        }
    }
    for op in WEIGHTED {
        assert_shape(op, |node| (node.lo, node.hi) = (1, 0));
    }
    // Four windows of stride 2 on a side of 4 with no padding: the last would begin outside.
    assert_shape(Op::Conv2d, |node| {
        (node.stride, node.pad_top, node.pad_left) = (2, 0, 0)
    });
    // Six windows on a side of 4 with one pixel of padding: the last would begin on the far border.
    let (tensor, node) = (output_of(Op::Conv2d), first(Op::Conv2d));
    for shape in [Shape::new(6, 4, 4), Shape::new(4, 6, 4)] {
        let error = tiny_with(|builder| {
            builder.tensors[tensor].shape = shape;
            builder.tensors[tensor].kept = shape.h;
        });
        assert_eq!(error, BlobError::Graph(GraphError::Shape { node }), "{shape:?}");
    }
    for op in [Op::MaxPool2d, Op::Upsample2d] {
        for kernel in [0, 1, 3, 255] {
            assert_shape(op, |node| node.kernel = kernel);
        }
    }
}

#[test]
fn a_narrow_layer_has_few_inputs_and_makes_codes() {
    let original = tiny::tiny();
    let sums = |node: &Node| original.tensors[usize::from(node.output)].element == Element::I32;
    let node = original
        .nodes
        .iter()
        .position(|node| node.op == Op::Linear && sums(node));
    let node = node.expect("tiny keeps sums");
    let error = tiny_with(|builder| builder.nodes[node].op = Op::NarrowLinear);
    assert_eq!(error, BlobError::Graph(GraphError::Shape { node }));
    let with = |columns: u16, units: u16, change: fn(&mut Builder)| {
        let mut builder = Builder::default();
        let table = [Segment {
            start: 0.0,
            base: 0.0,
            slope: 1.0,
        }];
        let tables = vec![(0, &table[..]); columns.into()];
        let row = builder.readings((InputSlot::Regression, &["x"]), &tables, 1.0, 0);
        let node = Node {
            input: row,
            lo: -128,
            hi: 127,
            ..Node::new(Op::NarrowLinear, HeadSet::ALL)
        };
        let layer = Layer {
            weights: vec![1; usize::from(columns) * usize::from(units)],
            bias: vec![0; units.into()],
            multipliers: vec![1; units.into()],
        };
        // A stream as long as one of few columns would be, and longer.
        let stream = vec![1u32; 7 * usize::from(units) + 80];
        let codes = builder.weighted(node, &layer, Shape::row(units), 0);
        builder.nodes[1].weights = builder.words(&stream);
        let sum = builder.sums(codes, &vec![1; units.into()], &[0]);
        let value = Node {
            input: sum,
            ..Node::new(Op::Value, Head::Regression.into())
        };
        builder.head(value, "level", &[]);
        change(&mut builder);
        builder.assign_heads();
        builder.place();
        Blob::new_checked(builder.pack().bytes()).map(|_| ())
    };
    let refused = |node| Err(BlobError::Graph(GraphError::Shape { node }));
    assert_eq!(with(10, 16, |_| ()), Ok(()));
    assert_eq!(with(11, 16, |_| ()), refused(1));
    // A byte a code, as in version 2.
    assert_eq!(with(10, 12, |builder| builder.tensors[1].element = Element::I8), Ok(()));
    // Wide codes come in whole sixteens, no more than a chunk of columns, as they are, and for linear layers alone.
    assert_eq!(with(10, 384, |_| ()), Ok(()));
    assert_eq!(with(10, 400, |_| ()), refused(1));
    assert_eq!(with(10, 12, |_| ()), refused(1));
    assert_eq!(with(10, 16, |builder| builder.nodes[1].lo = -127), refused(1));
    assert_eq!(with(10, 16, |builder| builder.nodes[1].table = 0), refused(1));
    assert_eq!(with(10, 16, |builder| builder.nodes[2].op = Op::Lut), refused(2));
}

/// Operators that are faster ways to a convolution take only the windows that they are made for.
#[test]
fn windows_that_an_operator_is_not_made_for_are_refused() {
    for op in [
        Op::DepthwiseConv3x3,
        Op::WinogradConv3x3,
        Op::UpsampledConv3x3,
        Op::UpsampledDepthwiseConv3x3,
    ] {
        for kernel in [1, 2, 5] {
            assert_shape(op, |node| node.kernel = kernel);
        }
        if op != Op::DepthwiseConv3x3 {
            assert_shape(op, |node| node.stride = 2);
        }
        if op.is_upsampled() {
            for pad in [0, 2] {
                assert_shape(op, |node| node.pad_top = pad);
                assert_shape(op, |node| node.pad_left = pad);
            }
        }
        // Channels that are no whole quads.
        let node = first(op);
        let read = usize::from(tiny::tiny().nodes[node].input);
        let shape_error = |tensor: usize| {
            let error = tiny_with(|builder| builder.tensors[tensor].shape.c = 3);
            matches!(error, BlobError::Graph(GraphError::Shape { node: at }) if at <= node)
        };
        assert!(shape_error(read), "{op:?}");
        assert!(op == Op::UpsampledConv3x3 || shape_error(output_of(op)), "{op:?}");
    }
    let tensor = output_of(Op::UpsampledDepthwiseConv3x3);
    for (h, w) in [(4, 2), (2, 4), (3, 4), (4, 3)] {
        let error = tiny_with(|builder| {
            let changed = &mut builder.tensors[tensor];
            (changed.shape.h, changed.shape.w, changed.kept) = (h, w, h);
        });
        let node = first(Op::UpsampledDepthwiseConv3x3);
        assert_eq!(error, BlobError::Graph(GraphError::Shape { node }), "{h} × {w}");
    }
}

#[test]
fn shapes_and_zero_points_that_do_not_fit_are_refused() {
    for op in [Op::Concat, Op::MaxPool2d, Op::Upsample2d] {
        let error = tiny_with(|builder| builder.tensors[output_of(op)].zero_point = 99);
        assert!(
            matches!(error, BlobError::Graph(GraphError::Shape { .. })),
            "{op:?}: {error:?}"
        );
    }
    let (add, concat, lut) = (output_of(Op::Add), output_of(Op::Concat), output_of(Op::Lut));
    for (tensor, shape) in [
        (add, Shape::new(2, 4, 2)),
        (output_of(Op::UpsampledAdd), Shape::new(4, 2, 8)),
        (concat, Shape::new(4, 4, 7)),
        (lut, Shape::new(4, 4, 1)),
        (output_of(Op::Picture), Shape::new(4, 4, 2)),
        (output_of(Op::Readings), Shape::new(1, 3, 1)),
    ] {
        let error = tiny_with(|builder| {
            builder.tensors[tensor].shape = shape;
            builder.tensors[tensor].kept = shape.h;
        });
        assert!(
            matches!(error, BlobError::Graph(GraphError::Shape { .. })),
            "{shape:?}: {error:?}"
        );
    }
    assert_shape(Op::Add, |node| node.right_shift = 0);
    assert_shape(Op::Add, |node| node.right_shift = 31);
    assert_shape(Op::UpsampledAdd, |node| node.right_shift = 31);
    assert_shape(Op::UpsampledAdd, |node| node.second = node.input);
    assert_shape(Op::UpsampledAdd, |node| node.op = Op::Add);
    assert_shape(Op::Add, |node| node.op = Op::UpsampledAdd);
    assert_shape(Op::Readings, |node| node.input = InputSlot::Picture as u8);
    assert_shape(Op::Picture, |node| node.input = 3);
    assert_shape(Op::Readings, |node| node.p[2] = 0);
    assert_shape(Op::Readings, |node| node.p[2] = 65);
    assert_shape(Op::Probabilities, |node| node.heads = HeadSet::ALL);
    assert_shape(Op::Value, |node| node.p[0] = f32::NAN.to_bits() as i32);
    assert_shape(Op::Value, |node| node.p[1] = f32::INFINITY.to_bits() as i32);
}

#[test]
fn hours_of_work_are_refused() {
    // 4096 × 4096 pixels through 64 filters of 7 × 7 × 3: 1.6e11 multiplications from 9 KiB of weights.
    let mut builder = Builder::default();
    let picture = builder.picture(4096, 4096);
    let (kernel, filters) = (7u8, 64u16);
    let layer = Layer {
        weights: vec![1; 49 * 3 * usize::from(filters)],
        bias: vec![0; filters.into()],
        multipliers: vec![1 << 30; filters.into()],
    };
    let node = Node {
        input: picture,
        kernel,
        stride: 1,
        pad_top: 3,
        pad_left: 3,
        ..Node::new(Op::Conv2d, HeadSet::ALL)
    };
    let shape = Shape::new(4096, 4096, filters);
    let features = builder.weighted(node, &layer, shape, 0);
    let pooled = Node {
        input: features,
        kernel: 64,
        ..Node::new(Op::MaxPool2d, HeadSet::ALL)
    };
    builder.codes(pooled, Shape::new(64, 64, filters), 0);
    let macs = shape.len() as u64 * 49 * 3;
    assert!(macs > MAX_MACS);
    assert_eq!(error_of(&builder), BlobError::Graph(GraphError::Work { macs }));
}

#[test]
fn descriptions_that_do_not_fit_are_refused() {
    let description = BlobError::Graph(GraphError::Description);
    let changes: [fn(&mut Builder); 15] = [
        |builder| builder.inputs.truncate(2),
        |builder| builder.inputs.push(builder.inputs[0].clone()),
        |builder| builder.inputs[0].slot = InputSlot::Regression,
        |builder| builder.inputs[0].shape = Shape::row(3),
        |builder| builder.inputs[0].names.truncate(1),
        |builder| builder.inputs[1].names.push("picture"),
        |builder| builder.heads.truncate(2),
        |builder| builder.heads[0].head = Head::Regression,
        |builder| builder.heads[0].classes.truncate(1),
        |builder| builder.heads[1].classes.push("sky"),
        |builder| builder.heads[2].classes.push("loud"),
        |builder| builder.golden[0].inputs[0].len -= 4,
        |builder| builder.golden[0].inputs[0].offset += 1,
        |builder| builder.golden.resize(MAX_GOLDEN_VECTORS + 1, builder.golden[0]),
        |builder| {
            builder.golden[0].probabilities = Span {
                offset: u32::MAX - 3,
                len: 4,
            }
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        assert_eq!(tiny_with(change), description, "change {number}");
    }
}

#[test]
fn calibration_that_does_not_fit_is_refused() {
    let description = BlobError::Graph(GraphError::Description);
    let changes: [fn(&mut Builder); 10] = [
        // Twice the same slot, and more than there are slots.
        |builder| builder.calibrations.push(builder.calibrations[0]),
        |builder| builder.calibrations[0] = builder.calibrations[2],
        |builder| builder.calibrations.resize(300, builder.calibrations[0]),
        |builder| builder.calibrations[0].readings.len -= 4,
        |builder| builder.calibrations[1].readings.len += 16,
        |builder| builder.calibrations[2].readings.offset += 2,
        |builder| builder.calibrations[0].readings.offset = u32::MAX - 3,
        |builder| builder.calibrations[1].readings.offset = builder.parameters.len() as u32 - 44,
        |builder| statistic(builder, 3, -1.0),
        |builder| statistic(builder, 0, f32::NAN),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        assert_eq!(tiny_with(change), description, "change {number}");
    }
    // Statistics of an input that the model does not have.
    let mut builder = tiny::minimal();
    builder.calibrations[0].slot = InputSlot::Classification;
    assert_eq!(error_of(&builder), description);
    // Without any it is a blob as well.
    builder.calibrations.clear();
    let packed = builder.pack();
    let blob = Blob::new_exact(packed.bytes()).expect("a blob");
    assert_eq!(blob.calibration(InputSlot::Regression), None);
}

/// Overwrites one of the first reading's statistics.
fn statistic(builder: &mut Builder, number: usize, value: f32) {
    let at = builder.calibrations[0].readings.offset as usize + 4 * number;
    builder.parameters[at..at + 4].copy_from_slice(&value.to_le_bytes());
}
