//! Weights, tables and scales that break one rule each, found when the blob is opened or when the network is loaded.

use trident::blob::BlobError;
use trident::check::GraphError;
use trident::graph::{Node, Op};
use trident::input::Segment;
use trident::spec::{Head, InputSlot};
use trident::{Blob, LoadError, Network};
use trident_tests::aligned::Aligned;
use trident_tests::builder::Builder;
use trident_tests::hostile::{first, node_with, tiny_with};
use trident_tests::tiny;

fn assert_parameters(op: Op, change: impl FnOnce(&mut Node)) {
    let (error, node) = node_with(op, change);
    assert_eq!(error, BlobError::Graph(GraphError::Parameters { node }), "{op:?}");
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
