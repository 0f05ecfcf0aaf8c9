//! Weights, tables and scales that break one rule each, found when the blob is opened or when the network is loaded.

use trident::blob::BlobError;
use trident::check::GraphError;
use trident::graph::{NO_TABLE, Node, Op};
use trident::input::Segment;
use trident::spec::{Head, HeadSet, InputSlot, Shape};
use trident::{Blob, LoadError, Network};
use trident_tests::aligned::Aligned;
use trident_tests::builder::Builder;
use trident_tests::hostile::{WEIGHTED, first, layer_with, load, node_with, output_of, tiny_with};
use trident_tests::layer::Layer;
use trident_tests::noise::Noise;
use trident_tests::{streams, tiny};

fn assert_parameters(op: Op, change: impl FnOnce(&mut Node)) {
    let (error, node) = node_with(op, change);
    assert_eq!(error, BlobError::Graph(GraphError::Parameters { node }), "{op:?}");
}

#[test]
fn parameters_outside_or_off_their_boundary_are_refused() {
    let len = tiny::tiny().parameters.len() as u32;
    for op in WEIGHTED.into_iter().chain([Op::Probabilities, Op::Readings]) {
        for offset in [len, len - 3, u32::MAX, u32::MAX - 3] {
            assert_parameters(op, |node| node.weights = offset);
        }
        for step in [1, 2, 3] {
            assert_parameters(op, |node| node.weights += step);
        }
    }
    for offset in [len - 4, u32::MAX - 3] {
        assert_parameters(Op::Readings, |node| node.table = offset);
    }
    assert_parameters(Op::Readings, |node| node.table += 1);
}

/// A stream that lacks its last word.
#[test]
fn streams_that_end_too_early_are_refused() {
    for op in WEIGHTED {
        let (mut builder, node) = (tiny::tiny(), first(op));
        let [input, output] = [builder.nodes[node].input, builder.nodes[node].output].map(usize::from);
        let (input, output) = (builder.tensors[input], builder.tensors[output]);
        let words = streams::unpack(&builder.nodes[node], &input, &output, &builder.parameters).1;
        let stream = &builder.parameters[builder.nodes[node].weights as usize..][..4 * words];
        let stream = stream.to_vec();
        builder.nodes[node].weights = builder.bytes(4, &stream);
        assert_eq!(load(&builder), Ok(()));
        builder.parameters.truncate(builder.parameters.len() - 4);
        let error = Blob::new_checked(builder.pack().bytes()).expect_err("a word is missing");
        assert_eq!(error, BlobError::Graph(GraphError::Parameters { node }), "{op:?}");
    }
}

#[test]
fn tables_of_codes_outside_are_refused() {
    let len = tiny::tiny().parameters.len() as u32;
    // Wide codes, as tiny's narrow layer makes them, are not looked up.
    let looked_up = WEIGHTED.into_iter().filter(|&op| op != Op::NarrowLinear);
    for op in looked_up.chain([Op::Lut]) {
        for offset in [len, len - 255, u32::MAX - 255, u32::MAX - 1] {
            assert_parameters(op, |node| node.table = offset);
        }
        let fits = |builder: &mut Builder| builder.nodes[first(op)].table = len - 256;
        let mut builder = tiny::tiny();
        fits(&mut builder);
        assert_eq!(load(&builder), Ok(()), "{op:?}");
    }
    assert_parameters(Op::Lut, |node| node.table = NO_TABLE);
}

/// What an operator does not name is not looked at.
#[test]
fn noise_in_unused_fields_does_no_harm() {
    let unweighted = [
        Op::Picture,
        Op::MaxPool2d,
        Op::Upsample2d,
        Op::Concat,
        Op::Lut,
        Op::Logits,
    ];
    for op in unweighted.into_iter().chain([Op::DepthwiseConv2d, Op::NarrowLinear]) {
        for noise in [1, 2, u32::MAX] {
            let mut builder = tiny::tiny();
            let node = &mut builder.nodes[first(op)];
            (node.p[0], node.p[2]) = (noise as i32, noise as i32);
            node.right_shift = noise as u8;
            if !op.is_weighted() {
                (node.weights, node.p[1]) = (noise, noise as i32);
                (node.lo, node.hi) = (7, -7);
                (node.stride, node.pad_top, node.pad_left) = (noise as u8, 200, 200);
            }
            if op != Op::Lut && !op.is_weighted() {
                node.table = noise;
            }
            let packed = builder.pack();
            let blob = Blob::new_checked(packed.bytes()).expect("they are not looked at");
            let mut arena = Aligned::zeroed(blob.graph().arena_len());
            let mut network = Network::load(blob, arena.bytes_mut()).expect("loads");
            assert_eq!(network.self_test(), Ok(()), "{op:?}, {noise:#x}");
        }
    }
}

#[test]
fn multipliers_that_are_not_positive_are_refused() {
    for op in WEIGHTED {
        for multiplier in [0, -1, i32::MIN] {
            for last in [false, true] {
                let node = first(op);
                let builder = layer_with(op, |layer| {
                    let channel = if last { layer.multipliers.len() - 1 } else { 0 };
                    layer.multipliers[channel] = multiplier;
                });
                assert_eq!(
                    load(&builder),
                    Err(LoadError::Graph(GraphError::Parameters { node })),
                    "{op:?}"
                );
            }
        }
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
    assert_parameters(Op::UpsampledAdd, |node| node.p = [1 << 23, 1 << 23, 0]);
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

/// Corrections of rows are not held against the weights: wrong ones make wrong codes, to the same bits everywhere, and no more.
#[test]
fn wrong_corrections_of_rows_do_no_harm_or_are_refused() {
    for op in [Op::Linear, Op::CompactConv2d] {
        let node = first(op);
        for word in [0, 2] {
            let with = |correction: i32| {
                let mut builder = tiny::tiny();
                let at = builder.nodes[node].weights as usize + 4 * word;
                builder.parameters[at..at + 4].copy_from_slice(&correction.to_le_bytes());
                builder
            };
            let builder = with(123_456_789);
            let packed = builder.pack();
            let blob = Blob::new_checked(packed.bytes()).expect("only the weights are wrong");
            let mut arena = Aligned::zeroed(blob.graph().arena_len());
            let mut network = Network::load(blob, arena.bytes_mut()).expect("there is room for the products");
            assert!(network.self_test().is_err(), "{op:?}");
            for correction in [i32::MIN, i32::MAX] {
                let error = load(&with(correction));
                assert_eq!(error, Err(LoadError::Graph(GraphError::Overflow { node })), "{op:?}");
            }
        }
    }
}

/// One channel's only weight is 127, and its bias as large as its layout's bound lets it be; then larger by one.
#[test]
fn the_bound_of_accumulators_is_exact_in_every_layout() {
    for op in WEIGHTED {
        let node = first(op);
        // The largest sum of products that the check counts with.
        let of_rows = |columns: i32| 128 * (columns + columns / 2); // by their number alone, and what neighbours make too much
        let products = 128
            * match op {
                Op::Linear => of_rows(3),
                Op::CompactConv2d => of_rows(8),
                Op::DepthwiseConv2d => 9 * 128,           // likewise
                Op::UpsampledDepthwiseConv3x3 => 2 * 127, // even and odd columns together
                Op::WinogradConv3x3 => 16 * 127,          // at all positions together
                _ => 127,
            };
        let with = |channel: usize, bias: i32| {
            load(&layer_with(op, |layer| {
                let columns = layer.weights.len() / layer.bias.len();
                layer.weights.fill(0);
                let first = if op.is_depthwise() { channel } else { channel * columns };
                layer.weights[first] = 127;
                layer.bias[channel] = bias;
            }))
        };
        for channel in 0..2 {
            let most = i32::MAX - products;
            assert_eq!((with(channel, most), with(channel, -most)), (Ok(()), Ok(())), "{op:?}");
            let overflow = Err(LoadError::Graph(GraphError::Overflow { node }));
            assert_eq!(
                (with(channel, most + 1), with(channel, -most - 1)),
                (overflow, overflow),
                "{op:?}"
            );
        }
    }
}

#[test]
fn biases_of_every_channel_are_looked_at() {
    for op in WEIGHTED {
        let channels = tiny::tiny().tensors[output_of(op)].shape.c;
        for channel in 0..usize::from(channels) {
            for bias in [i32::MAX, i32::MIN] {
                let node = first(op);
                let error = load(&layer_with(op, |layer| layer.bias[channel] = bias));
                assert_eq!(
                    error,
                    Err(LoadError::Graph(GraphError::Overflow { node })),
                    "{op:?} {channel}"
                );
            }
        }
    }
}

/// Four times a sum must fit 32 bits too, though the bias be small: 16 weights per position of 2^15 − 1 times transformed inputs of up to
/// 512, at eight positions just below 2^31.
#[test]
fn four_times_a_winograd_sum_stays_below_its_bound() {
    let with = |positions: usize| {
        let mut builder = Builder::default();
        let mut noise = Noise::new(3);
        let picture = builder.picture(4, 4);
        let node = |op, input, kernel| Node {
            input,
            lo: -128,
            hi: 127,
            kernel,
            stride: 1,
            ..Node::new(op, HeadSet::ALL)
        };
        let wide = Layer::random(&mut noise, 16, 3);
        let wide = builder.weighted(node(Op::CompactConv2d, picture, 1), &wide, Shape::new(4, 4, 16), 0);
        let layer = Layer::random(&mut noise, 4, 9 * 16);
        let input = builder.weighted(node(Op::WinogradConv3x3, wide, 3), &layer, Shape::new(2, 2, 4), 0);
        let weights = builder.nodes[2].weights as usize;
        let position = 4 * 16 * 2; // channels, inputs, bytes
        let bytes = &mut builder.parameters[weights..weights + 16 * position];
        bytes.fill(0);
        let halves = bytes[..positions * position].chunks_exact_mut(2);
        halves.for_each(|half| half.copy_from_slice(&i16::MAX.to_le_bytes()));
        let head = Node {
            input,
            ..Node::new(Op::Logits, Head::Segmentation.into())
        };
        builder.head(head, "ground", &["a", "b", "c", "d"]);
        builder.assign_heads();
        load(&builder)
    };
    assert_eq!(with(8), Ok(()));
    assert_eq!(with(9), Err(LoadError::Graph(GraphError::Overflow { node: 2 })));
}

/// The bound is exact: `128 · 128 + |bias|` of 2^31 − 1 is loaded and computes what it should, one more is refused.
#[test]
fn the_bound_of_accumulators_is_exact() {
    let with_bias = |bias: i32| {
        let mut builder = tiny::minimal();
        let node = first(Op::Readings) + 1;
        let sums = Layer::of_sums(&[64], &[bias]).stream(Op::Linear, 0, 0);
        builder.nodes[node].weights = builder.words(&sums);
        builder.pack()
    };
    let most = i32::MAX - 128 * 128; // minimal has one weight
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
                .run(Head::Regression.into(), &inputs)
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
