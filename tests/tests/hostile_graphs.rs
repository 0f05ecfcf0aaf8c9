//! Graphs that break one rule each, in a blob whose checksum is right: every one gives the error that names rule and place.

use trident::blob::{BlobError, Span};
use trident::check::{GraphError, MAX_MACS};
use trident::graph::{Element, MAX_NODES, Node, Op};
use trident::input::Segment;
use trident::spec::{Head, HeadSet, InputSlot, Shape};
use trident::{Blob, LoadError, Network};
use trident_tests::aligned::Aligned;
use trident_tests::builder::Builder;
use trident_tests::tiny;

fn error_of(builder: &Builder) -> BlobError {
    match Blob::new_checked(builder.pack().bytes()) {
        Err(error) => error,
        Ok(_) => panic!("the blob was accepted"),
    }
}

/// The error of tiny after one change.
fn tiny_with(change: impl FnOnce(&mut Builder)) -> BlobError {
    let mut builder = tiny::tiny();
    change(&mut builder);
    error_of(&builder)
}

/// The number of tiny's first node of that operator.
fn first(op: Op) -> usize {
    let nodes = tiny::tiny().nodes;
    nodes
        .iter()
        .position(|node| node.op == op)
        .expect("tiny has every operator")
}

/// The error of tiny after one change to its first node of that operator; the node's number.
fn node_with(op: Op, change: impl FnOnce(&mut Node)) -> (BlobError, usize) {
    let node = first(op);
    (tiny_with(|builder| change(&mut builder.nodes[node])), node)
}

fn assert_shape(op: Op, change: impl FnOnce(&mut Node)) {
    let (error, node) = node_with(op, change);
    assert_eq!(error, BlobError::Graph(GraphError::Shape { node }), "{op:?}");
}

fn assert_parameters(op: Op, change: impl FnOnce(&mut Node)) {
    let (error, node) = node_with(op, change);
    assert_eq!(error, BlobError::Graph(GraphError::Parameters { node }), "{op:?}");
}

fn output_of(op: Op) -> usize {
    tiny::tiny().nodes[first(op)].output.into()
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
    let last = tiny::tiny().tensors.len() - 1;
    let error = tiny_with(|builder| builder.arena_len -= 1);
    assert_eq!(error, BlobError::Graph(GraphError::Tensor { tensor: last }));
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
fn two_nodes_for_one_head_or_input_are_refused() {
    let probabilities = first(Op::Probabilities);
    let error = tiny_with(|builder| builder.nodes.insert(probabilities + 1, builder.nodes[probabilities]));
    let node = probabilities + 1;
    assert_eq!(error, BlobError::Graph(GraphError::Order { node }));
    let error = tiny_with(|builder| {
        let picture = builder.nodes[first(Op::Picture)];
        builder.nodes.push(picture);
    });
    let node = tiny::tiny().nodes.len();
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
    for op in [Op::Conv2d, Op::DepthwiseConv2d] {
        assert_shape(op, |node| node.kernel = 0);
        assert_shape(op, |node| node.kernel = 8);
        assert_shape(op, |node| node.kernel = 255);
        assert_shape(op, |node| node.stride = 0);
        assert_shape(op, |node| node.stride = 3);
        assert_shape(op, |node| node.pad_top = 3);
        assert_shape(op, |node| node.pad_left = 255);
        assert_shape(op, |node| node.right_shift = 31);
        assert_shape(op, |node| node.right_shift = 55);
        assert_shape(op, |node| (node.lo, node.hi) = (1, 0));
    }
    // Four windows of stride 2 on a side of 4 with no padding: the last would begin outside.
    assert_shape(Op::Conv2d, |node| {
        (node.stride, node.pad_top, node.pad_left) = (2, 0, 0)
    });
    for op in [Op::MaxPool2d, Op::Upsample2d] {
        for kernel in [0, 1, 3, 255] {
            assert_shape(op, |node| node.kernel = kernel);
        }
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
        (concat, Shape::new(4, 4, 7)),
        (lut, Shape::new(4, 4, 1)),
        (output_of(Op::Picture), Shape::new(4, 4, 2)),
        (output_of(Op::Readings), Shape::new(1, 3, 1)),
    ] {
        let error = tiny_with(|builder| builder.tensors[tensor].shape = shape);
        assert!(
            matches!(error, BlobError::Graph(GraphError::Shape { .. })),
            "{shape:?}: {error:?}"
        );
    }
    assert_shape(Op::Add, |node| node.right_shift = 0);
    assert_shape(Op::Add, |node| node.right_shift = 31);
    assert_shape(Op::Readings, |node| node.input = InputSlot::Picture as u8);
    assert_shape(Op::Picture, |node| node.input = 3);
    assert_shape(Op::Readings, |node| node.p[2] = 0);
    assert_shape(Op::Readings, |node| node.p[2] = 65);
    assert_shape(Op::Probabilities, |node| node.heads = HeadSet::ALL);
    assert_shape(Op::Value, |node| node.p[0] = f32::NAN.to_bits() as i32);
    assert_shape(Op::Value, |node| node.p[1] = f32::INFINITY.to_bits() as i32);
}

#[test]
fn parameters_outside_or_off_their_boundary_are_refused() {
    let len = tiny::tiny().parameters.len() as u32;
    for op in [
        Op::Linear,
        Op::Conv2d,
        Op::DepthwiseConv2d,
        Op::Lut,
        Op::Probabilities,
        Op::Readings,
    ] {
        for offset in [len, u32::MAX] {
            assert_parameters(op, |node| node.weights = offset);
        }
    }
    for op in [Op::Linear, Op::Conv2d, Op::DepthwiseConv2d, Op::Readings] {
        for offset in [len - 4, u32::MAX - 3] {
            assert_parameters(op, |node| node.channels = offset);
        }
        assert_parameters(op, |node| node.channels += 1);
    }
    assert_parameters(Op::Readings, |node| node.weights += 2);
    assert_parameters(Op::Probabilities, |node| node.weights += 2);
}

#[test]
fn multipliers_that_are_not_positive_are_refused() {
    for multiplier in [0, -1, i32::MIN] {
        let node = first(Op::Conv2d);
        let error = tiny_with(|builder| {
            let at = builder.nodes[node].channels as usize + 4 * 4; // behind four biases
            builder.parameters[at..at + 4].copy_from_slice(&i32::to_le_bytes(multiplier));
        });
        assert_eq!(error, BlobError::Graph(GraphError::Parameters { node }));
    }
}

#[test]
fn scales_that_are_no_scales_are_refused() {
    for scale in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let node = first(Op::Probabilities);
        let error = tiny_with(|builder| {
            let at = builder.nodes[node].weights as usize;
            builder.parameters[at..at + 4].copy_from_slice(&f32::to_le_bytes(scale));
        });
        assert_eq!(error, BlobError::Graph(GraphError::Parameters { node }), "{scale}");
        assert_parameters(Op::Readings, |node| node.p[1] = scale.to_bits() as i32);
    }
}

#[test]
fn sums_that_could_overflow_are_refused() {
    assert_parameters(Op::Add, |node| node.p = [1 << 23, 1 << 23, 0]); // 128·2^23 twice is 2^31
    assert_parameters(Op::Add, |node| node.p = [0, 0, i32::MIN]);
    assert_parameters(Op::Add, |node| node.p = [i32::MIN, 0, 0]);
}

#[test]
fn tables_of_the_input_step_that_do_not_fit_are_refused() {
    let piece = |start, base, slope| Segment { start, base, slope };
    let table = |feature: u16, table: &[Segment]| {
        let mut builder = Builder::default();
        let row = builder.readings((InputSlot::Regression, &["x"]), &[(feature, table)], 1.0, 0);
        let sums = builder.sums(row, &[1], &[0]);
        let node = Node {
            input: sums,
            ..Node::new(Op::Value, Head::Regression.into())
        };
        builder.head(node, "y", &[]);
        builder.assign_heads();
        Blob::new_checked(builder.pack().bytes()).map(|_| ())
    };
    let refused = Err(BlobError::Graph(GraphError::Parameters { node: 0 }));
    assert_eq!(table(0, &[piece(0.0, 0.0, 1.0), piece(1.0, 1.0, 2.0)]), Ok(()));
    assert_eq!(
        table(1, &[piece(0.0, 0.0, 1.0)]),
        refused,
        "a reading that is not there"
    );
    assert_eq!(table(0, &[]), refused, "no piece");
    assert_eq!(
        table(0, &[piece(1.0, 0.0, 1.0), piece(1.0, 0.0, 1.0)]),
        refused,
        "two pieces at one place"
    );
    assert_eq!(
        table(0, &[piece(1.0, 0.0, 1.0), piece(0.0, 0.0, 1.0)]),
        refused,
        "descending"
    );
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for bad in [piece(bad, 0.0, 1.0), piece(0.0, bad, 1.0), piece(0.0, 0.0, bad)] {
            assert_eq!(table(0, &[bad]), refused, "{bad:?}");
        }
    }
    assert_parameters(Op::Readings, |node| node.p[0] = -1);
    assert_parameters(Op::Readings, |node| node.p[0] = i32::MAX);
    assert_parameters(Op::Readings, |node| node.p[0] = 0);
}

#[test]
fn hours_of_work_are_refused() {
    // 4096 × 4096 pixels through 64 filters of 7 × 7 × 3: 1.6e11 multiplications from 9 KiB of weights.
    let mut builder = Builder::default();
    let picture = builder.picture(4096, 4096);
    let (kernel, filters) = (7u8, 64u16);
    let mut words = vec![0; filters.into()];
    words.extend(vec![1 << 30; filters.into()]);
    let node = Node {
        input: picture,
        kernel,
        stride: 1,
        pad_top: 3,
        pad_left: 3,
        right_shift: 40,
        weights: builder.weights(&vec![1; 49 * 3 * usize::from(filters)]),
        channels: builder.words(&words),
        ..Node::new(Op::Conv2d, HeadSet::ALL)
    };
    let shape = Shape::new(4096, 4096, filters);
    let features = builder.codes(node, shape, 0);
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
    let changes: [fn(&mut Builder); 14] = [
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

/// What only a scan of the weights finds is found when the network is loaded.
fn load_error(change: impl FnOnce(&mut Builder)) -> LoadError {
    let mut builder = tiny::tiny();
    change(&mut builder);
    let packed = builder.pack();
    let blob = Blob::new_checked(packed.bytes()).expect("only the weights are wrong");
    let mut arena = Aligned::zeroed(blob.graph().arena_len());
    match Network::load(blob, arena.bytes_mut()) {
        Err(error) => error,
        Ok(_) => panic!("the network was loaded"),
    }
}

#[test]
fn a_weight_of_minus_128_is_refused() {
    for op in [Op::Linear, Op::Conv2d, Op::DepthwiseConv2d] {
        let node = first(op);
        let error = load_error(|builder| {
            let at = builder.nodes[node].weights as usize;
            builder.parameters[at + 1] = 0x80;
        });
        assert_eq!(error, LoadError::Graph(GraphError::Parameters { node }), "{op:?}");
    }
}

#[test]
fn accumulators_that_could_overflow_are_refused() {
    for op in [Op::Linear, Op::Conv2d, Op::DepthwiseConv2d] {
        for bias in [i32::MAX, i32::MIN] {
            let node = first(op);
            let error = load_error(|builder| {
                let at = builder.nodes[node].channels as usize;
                builder.parameters[at..at + 4].copy_from_slice(&bias.to_le_bytes());
            });
            assert_eq!(error, LoadError::Graph(GraphError::Overflow { node }), "{op:?}");
        }
    }
}

/// The bound is exact: `Σ|w| · 128 + |bias|` of 2^31 − 1 is loaded and computes what it should, one more is refused.
#[test]
fn the_bound_of_accumulators_is_exact() {
    let with_bias = |bias: i32| {
        let mut builder = tiny::minimal();
        let node = first(Op::Readings) + 1;
        let at = builder.nodes[node].channels as usize;
        builder.parameters[at..at + 4].copy_from_slice(&bias.to_le_bytes());
        builder.pack()
    };
    let most = i32::MAX - 64 * 128; // minimal has one weight, 64
    let load = |bias: i32, run: bool| {
        let packed = with_bias(bias);
        let blob = Blob::new_checked(packed.bytes()).expect("a blob");
        let mut arena = Aligned::zeroed(blob.graph().arena_len());
        let mut network = Network::load(blob, arena.bytes_mut())?;
        if run {
            let inputs = trident::Inputs {
                regression: Some(&[-1e9]),
                ..Default::default()
            };
            let value = network
                .run(HeadSet::ALL, &inputs)
                .expect("runs")
                .regression()
                .expect("asked for");
            assert_eq!(value, (bias - 64 * 128) as f32 / 2048.0 + 1.0);
        }
        Ok(())
    };
    assert_eq!(load(most, true), Ok(()));
    assert_eq!(load(-most, true), Ok(()));
    let overflow = Err(LoadError::Graph(GraphError::Overflow { node: 1 }));
    assert_eq!(load(most + 1, false), overflow);
    assert_eq!(load(-most - 1, false), overflow);
}

#[test]
fn an_arena_too_small_gives_both_numbers() {
    let packed = tiny::tiny().pack();
    let blob = Blob::new_checked(packed.bytes()).expect("a blob");
    let needed = blob.graph().arena_len();
    for available in [0, 16, needed - 1] {
        let mut arena = Aligned::zeroed(available);
        let error = Network::load(blob, arena.bytes_mut()).expect_err("too small");
        assert_eq!(error, LoadError::Arena { needed, available });
        let text = error.to_string();
        assert!(
            text.contains(&needed.to_string()) && text.contains(&available.to_string()),
            "{text}"
        );
    }
    let mut arena = Aligned::zeroed(needed + 4);
    let error = Network::load(blob, &mut arena.bytes_mut()[4..]).expect_err("off its boundary");
    assert_eq!(error, LoadError::Misaligned);
    assert_eq!(
        Network::load(blob, arena.bytes_mut()).expect("fits").arena_len(),
        needed
    );
}
