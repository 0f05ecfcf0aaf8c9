//! Two small blobs built by hand: one with every operator and all three heads, and the least there is.

use trident::blob::{Blob, CRC, Golden, ReadingStatistics, Span};
use trident::graph::{Node, Op};
use trident::input::Segment;
use trident::spec::{Head, HeadSet, InputSlot, Shape};
use trident::{Inputs, Network};

use crate::aligned::Aligned;
use crate::builder::Builder;
use crate::layer::Layer;
use crate::noise::Noise;

/// Readings that [`tiny`] classifies.
pub const CLASSIFICATION: [f32; 2] = [0.75, -2.5];
/// Readings that [`tiny`] regresses on.
pub const REGRESSION: [f32; 2] = [12.0, 0.125];

/// A picture for [`tiny`], 4 × 4.
pub fn picture() -> [u8; 48] {
    core::array::from_fn(|i| (i * 37 % 256) as u8)
}

/// Inputs for [`tiny`].
pub fn inputs(picture: &[u8]) -> Inputs<'_> {
    Inputs {
        classification: Some(&CLASSIFICATION),
        picture: Some(picture),
        regression: Some(&REGRESSION),
    }
}

/// Every operator, all three heads, one golden vector.
///
/// ```text
/// readings ► Linear ► NarrowLinear ► Linear ► Linear ► probabilities
/// picture ► Conv2d ┬► DepthwiseConv2d ► Add ┬► Upsample2d ──► Concat ► CompactConv2d ► WinogradConv3x3 ► …
///                  ├► MaxPool2d ────────┘   │                 │  └─────────── a band ─────────────┘
///                  └───────────────────────►UpsampledAdd ────►┘
/// … ► DepthwiseConv3x3 ► UpsampledDepthwiseConv3x3 ► Conv2d, with a table ► UpsampledConv3x3 ► Lut ► logits
///                        └─────────────── a band ─────────┘
/// readings ► Linear ► Linear ► value
/// ```
pub fn tiny() -> Builder {
    let mut builder = without_golden();
    let blob = builder.pack();
    let blob = Blob::new_checked(blob.bytes()).expect("tiny is a blob");
    let mut arena = Aligned::zeroed(blob.graph().arena_len());
    let mut network = Network::load(blob, arena.bytes_mut()).expect("tiny loads");
    let picture = picture();
    let outputs = network.run(HeadSet::ALL, &inputs(&picture)).expect("tiny runs");
    let probabilities = outputs.classification().expect("asked for").to_vec();
    let logits = outputs.segmentation().expect("asked for");
    let logits_crc = CRC.checksum(bytemuck::cast_slice(logits.codes));
    let value_bits = outputs.regression().expect("asked for").to_bits();
    let golden = Golden {
        inputs: [
            builder.span(&CLASSIFICATION),
            builder.span(&picture),
            builder.span(&REGRESSION),
        ],
        probabilities: builder.span(&probabilities),
        logits_crc: Some(logits_crc),
        value_bits: Some(value_bits),
    };
    builder.golden.push(golden);
    builder.calibrate(InputSlot::Classification, &[calibrated(-4.0, 4.0); 2]);
    builder.calibrate(InputSlot::Picture, &[calibrated(0.0, 255.0); 3]);
    builder.calibrate(InputSlot::Regression, &[calibrated(0.0, 20.0), calibrated(-1.0, 1.0)]);
    builder
}

fn without_golden() -> Builder {
    let mut builder = Builder {
        sequence: 7,
        metrics: vec![("accuracy", 0.875)],
        ..Builder::default()
    };
    let mut noise = Noise::new(1);
    classify(&mut builder, &mut noise);
    segment(&mut builder, &mut noise);
    regress(&mut builder, &mut noise);
    builder.assign_heads();
    builder.place();
    builder
}

fn classify(builder: &mut Builder, noise: &mut Noise) {
    let bent = [piece(-3.0, -1.0, 0.5), piece(1.0, 1.0, 0.125)];
    let tables: [(u16, &[Segment]); 3] = [(0, &bent), (0, &[piece(0.0, 0.0, 1.0)]), (1, &[piece(-1.0, 0.5, 0.25)])];
    let row = builder.readings((InputSlot::Classification, &["width", "alpha"]), &tables, 50.0, -3);
    let hidden = linear(builder, noise, Op::Linear, row, 4);
    let hidden = linear(builder, noise, Op::NarrowLinear, hidden, 16);
    let hidden = linear(builder, noise, Op::Linear, hidden, 4);
    let weights = noise.weights(4);
    let sums = builder.sums(hidden, &weights, &[-900]);
    let scales = builder.words(&[0.000_5f32]);
    let node = Node {
        input: sums,
        weights: scales,
        ..Node::new(Op::Probabilities, Head::Classification.into())
    };
    builder.head(node, "particle", &["hadron", "gamma"]);
}

fn segment(builder: &mut Builder, noise: &mut Noise) {
    let (full, half) = (Shape::new(4, 4, 4), Shape::new(2, 2, 4));
    let picture = builder.picture(4, 4);
    let conv = convolution(builder, noise, windows(Op::Conv2d, picture, (3, 1, 1)), full, -20);
    let depthwise = convolution(builder, noise, windows(Op::DepthwiseConv2d, conv, (3, 2, 0)), half, 6);
    let sum = pooled_sum(builder, conv, depthwise);
    let up = Node {
        input: sum,
        kernel: 2,
        ..Node::new(Op::Upsample2d, HeadSet::ALL)
    };
    let up = builder.codes(up, full, -20);
    let summed = Node {
        input: conv,
        second: sum,
        right_shift: 20,
        lo: -128,
        hi: 127,
        p: [1 << 18, 5 << 17, 1 << 19],
        ..Node::new(Op::UpsampledAdd, HeadSet::ALL)
    };
    let summed = builder.codes(summed, full, -20);
    let both = Node {
        input: up,
        second: summed,
        ..Node::new(Op::Concat, HeadSet::ALL)
    };
    let both = builder.codes(both, Shape::new(4, 4, 8), -20);
    let compact = convolution(builder, noise, windows(Op::CompactConv2d, both, (1, 1, 0)), full, 3);
    let winograd = convolution(
        builder,
        noise,
        windows(Op::WinogradConv3x3, compact, (3, 1, 1)),
        full,
        -5,
    );
    let halved = convolution(
        builder,
        noise,
        windows(Op::DepthwiseConv3x3, winograd, (3, 2, 1)),
        half,
        0,
    );
    let doubled = windows(Op::UpsampledDepthwiseConv3x3, halved, (3, 1, 1));
    let doubled = convolution(builder, noise, doubled, full, 11);
    let table: Vec<i8> = (-128..=127).map(|code: i16| (code / 3 * 2) as i8).collect();
    let halved = Node {
        table: builder.table(&table),
        p: [0, 40, 0],
        ..windows(Op::Conv2d, doubled, (1, 2, 0))
    };
    let halved = convolution(builder, noise, halved, half, -1);
    let classes = Shape::new(4, 4, 2);
    let logits = convolution(
        builder,
        noise,
        windows(Op::UpsampledConv3x3, halved, (3, 1, 1)),
        classes,
        0,
    );
    let table: Vec<i8> = (-128..=127).map(|code: i16| (code / 2) as i8).collect();
    let table = Node {
        input: logits,
        table: builder.table(&table),
        ..Node::new(Op::Lut, HeadSet::ALL)
    };
    let table = builder.codes(table, classes, 0);
    let node = Node {
        input: table,
        ..Node::new(Op::Logits, Head::Segmentation.into())
    };
    builder.head(node, "ground", &["soil", "plant"]);
    for (tensor, kept) in [(both, 1), (compact, 3), (doubled, 2)] {
        builder.tensors[usize::from(tensor)].kept = kept;
    }
}

/// The sum of `conv`, pooled, and of a map of half its sides.
fn pooled_sum(builder: &mut Builder, conv: u8, other: u8) -> u8 {
    let half = Shape::new(2, 2, 4);
    let pooled = Node {
        input: conv,
        kernel: 2,
        ..Node::new(Op::MaxPool2d, HeadSet::ALL)
    };
    let pooled = builder.codes(pooled, half, -20);
    let (qa, qb, right_shift) = (1 << 19, 3 << 18, 20);
    let sum = Node {
        input: other,
        second: pooled,
        right_shift,
        lo: -20,
        hi: 127,
        p: [qa, qb, (1 << (right_shift - 1)) - 6 * qa + 20 * qb],
        ..Node::new(Op::Add, HeadSet::ALL)
    };
    builder.codes(sum, half, -20)
}

fn regress(builder: &mut Builder, noise: &mut Noise) {
    let tables: [(u16, &[Segment]); 2] = [(0, &[piece(0.0, -1.0, 0.1)]), (1, &[piece(0.0, 0.0, 2.0)])];
    let row = builder.readings((InputSlot::Regression, &["speed", "angle"]), &tables, 60.0, 4);
    let hidden = linear(builder, noise, Op::Linear, row, 3);
    let weights = noise.weights(3);
    let sums = builder.sums(hidden, &weights, &[250]);
    value(builder, sums, 0.01, 120.0);
}

fn value(builder: &mut Builder, sums: u8, scale: f32, offset: f32) {
    let node = Node {
        input: sums,
        p: [scale.to_bits() as i32, offset.to_bits() as i32, 0],
        ..Node::new(Op::Value, Head::Regression.into())
    };
    builder.head(node, "level", &[]);
}

fn linear(builder: &mut Builder, noise: &mut Noise, op: Op, input: u8, units: u16) -> u8 {
    let columns = builder.tensors[usize::from(input)].shape.len();
    let node = windows(op, input, (0, 0, 0));
    let layer = layer(noise, units.into(), columns);
    builder.weighted(node, &layer, Shape::row(units), -9)
}

/// A node with weights: kernel, stride, padding above and to the left.
fn windows(op: Op, input: u8, (kernel, stride, pad): (u8, u8, u8)) -> Node {
    Node {
        input,
        lo: -128,
        hi: 127,
        kernel,
        stride,
        pad_top: pad,
        pad_left: pad,
        ..Node::new(op, HeadSet::ALL)
    }
}

fn convolution(builder: &mut Builder, noise: &mut Noise, node: Node, shape: Shape, zero_point: i8) -> u8 {
    let read = if node.op.is_depthwise() {
        1
    } else {
        builder.tensors[usize::from(node.input)].shape.c
    };
    let columns = usize::from(node.kernel).pow(2) * usize::from(read);
    let layer = layer(noise, shape.c.into(), columns);
    builder.weighted(node, &layer, shape, zero_point)
}

/// Weights of every kind, and multipliers that make codes of most of the range of them.
fn layer(noise: &mut Noise, channels: usize, columns: usize) -> Layer {
    Layer {
        weights: (0..channels * columns).map(|_| noise.int(-127..=127) as i8).collect(),
        bias: (0..channels).map(|_| noise.int(-2000..=2000) as i32).collect(),
        multipliers: (0..channels).map(|_| noise.int(1 << 23..=1 << 25) as i32).collect(),
    }
}

/// The least blob: one reading, one weight, one value; of a reading `x` between −2 and 1.98 it makes `2x + 1`, to a 32nd.
pub fn minimal() -> Builder {
    let mut builder = Builder {
        sequence: 3,
        ..Builder::default()
    };
    let table: [(u16, &[Segment]); 1] = [(0, &[piece(0.0, 0.0, 1.0)])];
    let row = builder.readings((InputSlot::Regression, &["x"]), &table, 64.0, 0);
    let sums = builder.sums(row, &[64], &[0]);
    value(&mut builder, sums, 1.0 / 2048.0, 1.0);
    builder.assign_heads();
    builder.golden.push(Golden {
        inputs: [Span::default(), Span::default(), Span::default()],
        probabilities: Span::default(),
        logits_crc: None,
        value_bits: Some(2.0f32.to_bits()),
    });
    builder.golden[0].inputs[InputSlot::Regression as usize] = builder.span(&[0.5f32]);
    builder.calibrate(InputSlot::Regression, &[calibrated(-1.0, 1.0)]);
    builder
}

/// Readings spread evenly between two values, or nearly so: the deviation is a quarter of the way.
fn calibrated(least: f32, largest: f32) -> ReadingStatistics {
    ReadingStatistics {
        least,
        largest,
        mean: (least + largest) / 2.0,
        inverse_deviation: 4.0 / (largest - least),
    }
}

fn piece(start: f32, base: f32, slope: f32) -> Segment {
    Segment { start, base, slope }
}
