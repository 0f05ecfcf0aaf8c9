//! Models that no preset makes.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use trident::graph::Op;
use trident::spec::{Activation, Head, HeadSpec, InputSlot, InputSpec, Layer, LayerSpec, ModelSpec, PixelScale, Shape};
use trident::{Blob, Network};

use super::method::PostTraining;
use super::optimize::Optimize;
use super::pack::{Quantized, Sample, Source, quantize};
use super::prepare::Prepared;
use super::report::{LayerReport, layers, observe};
use super::writer::AlignedBytes;
use super::{LayerError, QuantizeError};
use crate::data::{Description, SegmentationDescription};
use crate::model::{HostInputs, Initializer, Model, ModelState};
use crate::run::Transforms;

const SIDE: u16 = 8;
const ROWS: usize = 6;

fn conv(filters: u16, activation: Activation) -> Layer {
    Layer::Conv2d {
        filters,
        kernel: 3,
        stride: 1,
        padding: trident::spec::Padding::Same,
        activation,
        norm: false,
    }
}

fn add(activation: Activation) -> Layer {
    Layer::Add { activation }
}

/// A model from a picture, value 0, to two classes per pixel; `layers` make the values from 1 on.
fn model(layers: &[(&[u8], Layer)], change: impl Fn(&mut ModelState)) -> Model {
    model_of(SIDE, layers, change)
}

/// As [`model`], of a picture with another side.
fn model_of(side: u16, layers: &[(&[u8], Layer)], change: impl Fn(&mut ModelState)) -> Model {
    let layer = |(inputs, layer): &(&[u8], Layer)| LayerSpec {
        inputs: inputs.iter().copied().collect(),
        layer: *layer,
    };
    let spec = ModelSpec {
        inputs: [InputSpec {
            slot: InputSlot::Picture,
            shape: Shape::new(side, side, 3),
            pixels: PixelScale::Centred,
        }]
        .into_iter()
        .collect(),
        layers: layers.iter().map(layer).collect(),
        heads: [HeadSpec {
            head: Head::Segmentation,
            value: layers.len() as u8,
        }]
        .into_iter()
        .collect(),
    };
    let draw = |layer: usize| ChaCha8Rng::seed_from_u64(layer as u64);
    let mut state = ModelState::random(&spec, Initializer::He, draw);
    change(&mut state);
    Model::new(&state, &burn::tensor::Device::flex())
}

/// Pictures of noise, of the extremes, and of slopes.
fn pictures(side: u16) -> Vec<u8> {
    let len = usize::from(side) * usize::from(side) * 3;
    let mut pictures: Vec<u8> = (0..(ROWS - 2) * len).map(|i| (i * i * 31 % 251) as u8).collect();
    pictures.extend(std::iter::repeat_n(0, len).chain(std::iter::repeat_n(255, len)));
    pictures
}

/// What every rewrite must leave as it is: the codes that the graph makes of each picture before any rewrite, after each set of them.
fn assert_rewrites_change_nothing(model: &Model, side: u16, expected: &[(Optimize, &[Op])]) {
    let rows = HostInputs {
        rows: ROWS,
        picture: Some(pictures(side)),
        ..HostInputs::default()
    };
    let samples = samples(side);
    let description = description(side);
    let prepared = prepared(model, &rows, PostTraining::default()).unwrap();
    let mut source = source(&prepared, &description, &samples[..1]);
    let codes = |quantized: &Quantized, source: &Source<'_>| -> Vec<Vec<i8>> {
        let bytes = quantized.pack(source, &[]).unwrap();
        let blob = Blob::new_exact(bytes.as_ref()).unwrap();
        let mut arena = AlignedBytes::zeroed(blob.graph().arena_len());
        let mut network = Network::load(blob, arena.as_mut()).unwrap();
        let run = |sample: &Sample| {
            let outputs = network.run(Head::Segmentation.into(), &sample.inputs()).unwrap();
            outputs.segmentation().unwrap().codes.to_vec()
        };
        samples.iter().map(run).collect()
    };
    let plain = quantize(&source).unwrap().unrewritten().unwrap();
    let unchanged = codes(&plain, &source);
    for &(optimize, operators) in expected {
        source.optimize = optimize;
        let quantized = quantize(&source).unwrap();
        for op in operators {
            let made = quantized.emitted.nodes.iter().any(|node| node.op == *op);
            assert!(made, "{optimize:?} makes no {op:?}");
        }
        assert_eq!(codes(&quantized, &source), unchanged, "{optimize:?}");
    }
}

fn depthwise(stride: u8) -> Layer {
    Layer::DepthwiseConv2d {
        kernel: 3,
        stride,
        padding: trident::spec::Padding::Same,
        activation: Activation::Relu,
        norm: false,
    }
}

fn pointwise(filters: u16, activation: Activation) -> Layer {
    Layer::Conv2d {
        filters,
        kernel: 1,
        stride: 1,
        padding: trident::spec::Padding::Same,
        activation,
        norm: false,
    }
}

#[test]
fn doubled_pixels_pooling_and_winograd_change_no_code() {
    let layers: [(&[u8], Layer); 8] = [
        (&[0], conv(16, Activation::Relu)),
        (&[1], conv(20, Activation::Relu)), // Winograd, on 17 × 17 of which the pooling keeps 16
        (&[2], Layer::MaxPool2d { size: 2 }),
        (&[3], Layer::Upsample2d { factor: 2 }),
        (&[4], depthwise(1)),
        (&[5], pointwise(8, Activation::Relu)),
        (&[6], Layer::Upsample2d { factor: 2 }),
        (&[7], conv(2, Activation::Sigmoid)),
    ];
    let fused = [Op::UpsampledConv3x3, Op::UpsampledDepthwiseConv3x3];
    let speed = [Op::WinogradConv3x3, fused[0], fused[1]];
    let size = [Op::CompactConv2d, Op::DepthwiseConv3x3, Op::Upsample2d];
    let expected: [(Optimize, &[Op]); 3] = [
        (Optimize::Balanced, &fused),
        (Optimize::Speed, &speed),
        (Optimize::Size, &size),
    ];
    assert_rewrites_change_nothing(&model_of(17, &layers, |_| ()), 17, &expected);
}

#[test]
fn streams_skips_doubled_terms_and_pictures_read_again_change_no_code() {
    let layers: [(&[u8], Layer); 9] = [
        (&[0], conv(8, Activation::Relu)),
        (&[1], depthwise(2)),
        (&[2], pointwise(12, Activation::None)),
        (&[3], depthwise(1)),
        (&[4, 3], add(Activation::Relu)),
        (&[5], Layer::Upsample2d { factor: 2 }),
        (&[0], pointwise(12, Activation::None)), // the picture once more
        (&[6, 7], add(Activation::Relu)),
        (&[8], pointwise(2, Activation::None)),
    ];
    let ops = [Op::DepthwiseConv3x3, Op::Add, Op::UpsampledAdd, Op::Picture];
    let expected = [Optimize::Balanced, Optimize::Speed, Optimize::Size].map(|optimize| (optimize, &ops[..]));
    assert_rewrites_change_nothing(&model_of(16, &layers, |_| ()), 16, &expected);
}

fn samples(side: u16) -> Vec<Sample> {
    let len = usize::from(side) * usize::from(side) * 3;
    let sample = |picture: &[u8]| Sample {
        picture: Some(picture.to_vec()),
        ..Sample::default()
    };
    pictures(side).chunks_exact(len).map(sample).collect()
}

fn description(side: u16) -> Description {
    Description {
        segmentation: Some(SegmentationDescription {
            size: [side.into(); 2],
            classes: vec!["a".into(), "b".into()],
            generated: true,
        }),
        ..Description::default()
    }
}

fn prepared(model: &Model, rows: &HostInputs, method: PostTraining) -> Result<Prepared, QuantizeError> {
    Prepared::new(
        &model.folded(),
        std::slice::from_ref(rows),
        method,
        &burn::tensor::Device::flex(),
    )
}

fn source<'a>(prepared: &'a Prepared, description: &'a Description, golden: &'a [Sample]) -> Source<'a> {
    static NONE: Transforms = Transforms {
        classification: None,
        regression: None,
        target: None,
    };
    Source {
        prepared,
        transforms: &NONE,
        description,
        label: "",
        golden,
        statistics: &[],
        name: "test",
        methods: "",
        data_sha256: [0; 32],
        sequence: 1,
        optimize: Optimize::default(),
    }
}

/// Quantises, packs, and reports every layer over the calibration pictures themselves.
fn report(model: &Model) -> Result<Vec<LayerReport>, QuantizeError> {
    let samples = samples(SIDE);
    let rows = HostInputs {
        rows: ROWS,
        picture: Some(pictures(SIDE)),
        ..HostInputs::default()
    };
    let description = description(SIDE);
    let prepared = prepared(model, &rows, PostTraining::default())?;
    let source = source(&prepared, &description, &samples[..1]);
    layers(&quantize(&source)?, &source, &samples, &rows)
}

#[test]
fn the_worst_layer_is_reported_first() {
    let layers: [(&[u8], Layer); 3] = [
        (&[0], conv(4, Activation::Relu)),
        (&[1], conv(4, Activation::Relu)),
        (&[2], conv(2, Activation::None)),
    ];
    let report = report(&model(&layers, |_| ())).unwrap();
    assert!(report.windows(2).all(|pair| pair[0].rms_error >= pair[1].rms_error));
    for layer in report {
        let (error, db) = (layer.rms_error.unwrap(), layer.snr_db.unwrap());
        assert!((20.0 * error.log10() + db).abs() < 1e-9, "{error} is {db} dB");
        assert!(error > 0.0 && error < 0.1, "{error}");
    }
}

/// What training rounds to is what the integer engine computes: every value of every layer, over pictures of noise and extremes.
#[test]
fn a_model_that_rounds_gives_the_codes_of_the_engine() {
    let layers: [(&[u8], Layer); 12] = [
        (&[0], conv(8, Activation::Relu)),
        (&[1], depthwise(1)),
        (&[2], pointwise(8, Activation::None)),
        (&[1, 3], add(Activation::Relu)),
        (&[4], Layer::MaxPool2d { size: 2 }),
        (&[5], pointwise(8, Activation::Relu)),
        (&[6], Layer::Upsample2d { factor: 2 }),
        (&[7, 4], Layer::Concat),
        (&[8], conv(4, Activation::Sigmoid)),
        (&[9], conv(4, Activation::None)),
        (&[10], depthwise(1)),
        (&[11], conv(2, Activation::None)),
    ];
    let model = model(&layers, |state| {
        for (layer, numbers) in state.layers.iter_mut().enumerate() {
            let biases = numbers.iter_mut().flat_map(|numbers| numbers.bias.iter_mut());
            biases
                .enumerate()
                .for_each(|(i, bias)| *bias = 0.1 * ((layer + i) % 5) as f32 - 0.2);
        }
    });
    let samples = samples(SIDE);
    let rows = HostInputs {
        rows: ROWS,
        picture: Some(pictures(SIDE)),
        ..HostInputs::default()
    };
    let description = description(SIDE);
    for method in PostTraining::all() {
        let prepared = prepared(&model, &rows, method).unwrap();
        let source = source(&prepared, &description, &samples[..1]);
        let quantized = quantize(&source).unwrap();
        let device = burn::tensor::Device::flex();
        let rounded = Model::rounded(&prepared.folded, &quantized.ranges, &[], &device).values(&rows);
        let shapes = prepared.folded.spec.shapes().unwrap();
        let (mut compared, mut differing) = (0, 0);
        observe(&quantized, &source, &samples, |row, value, start, numbers| {
            let scale = f64::from(quantized.ranges.of(value).quantization.scale);
            let start = row * shapes[value].len() + start;
            let expected = &rounded[value].as_ref().unwrap()[start..];
            for (number, expected) in numbers.iter().zip(expected) {
                let codes = ((number - f64::from(*expected)) / scale).abs();
                assert!(codes < 1.01, "{method}: value {value} differs by {codes} codes");
                compared += 1;
                differing += u32::from(codes > 0.01);
            }
        })
        .unwrap();
        assert!(compared > 8_000, "{compared} values were compared");
        assert!(differing * 500 < compared, "{method}: {differing} of {compared} differ");
    }
}

#[test]
fn sums_may_share_their_terms() {
    // Values 1 and 2 are read again after the first sums; 3 takes no place that is still needed, 4 and 5 do so one after the other.
    let layers: [(&[u8], Layer); 8] = [
        (&[0], conv(4, Activation::Relu)),
        (&[0], conv(4, Activation::None)),
        (&[1, 2], add(Activation::None)),
        (&[3, 1], add(Activation::Relu)),
        (&[2, 4], add(Activation::None)),
        (&[5, 5], add(Activation::None)),
        (&[6, 4], Layer::Concat),
        (&[7], conv(2, Activation::None)),
    ];
    for layer in report(&model(&layers, |_| ())).unwrap() {
        assert!(layer.snr_db.unwrap() > 25.0, "{layer:?}");
    }
}

#[test]
fn a_sigmoid_need_not_be_the_last() {
    let layers: [(&[u8], Layer); 4] = [
        (&[0], conv(4, Activation::Sigmoid)),
        (&[1], Layer::MaxPool2d { size: 2 }),
        (&[2], Layer::Upsample2d { factor: 2 }),
        (&[3], conv(2, Activation::Sigmoid)),
    ];
    let report = report(&model(&layers, |_| ())).unwrap();
    let known: Vec<f64> = report.iter().filter_map(|layer| layer.snr_db).collect();
    assert_eq!(known.len(), layers.len());
    assert!(known.iter().all(|db| *db > 25.0), "{report:?}");
}

#[test]
fn a_sum_that_is_always_zero_is_quantised() {
    let layers: [(&[u8], Layer); 4] = [
        (&[0], conv(4, Activation::None)),
        (&[0], conv(4, Activation::None)),
        (&[1, 2], add(Activation::Relu)),
        (&[3], conv(2, Activation::None)),
    ];
    let dead = model(&layers, |state| {
        for numbers in state.layers[..2].iter_mut().flatten() {
            numbers.bias.fill(-100.0);
        }
    });
    assert_eq!(report(&dead).unwrap().len(), 4);
}

#[test]
fn sums_next_to_pixels_are_refused() {
    let layers: [(&[u8], Layer); 3] = [
        (&[0], conv(4, Activation::Relu)),
        (&[0, 1], Layer::Concat),
        (&[2], conv(2, Activation::None)),
    ];
    let refused = report(&model(&layers, |_| ())).unwrap_err();
    let (layer, error) = (0, LayerError::FixedRanges);
    assert!(
        matches!(refused, QuantizeError::Layer { layer: l, error: e } if (l, e) == (layer, error)),
        "{refused}"
    );
}
