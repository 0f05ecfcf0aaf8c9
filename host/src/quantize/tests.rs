//! Models that no preset makes.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use trident::spec::{Activation, Head, HeadSpec, InputSlot, InputSpec, Layer, LayerSpec, ModelSpec, PixelScale, Shape};

use super::pack::{Sample, Source, quantize};
use super::report::{LayerReport, layers};
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
    let layer = |(inputs, layer): &(&[u8], Layer)| LayerSpec {
        inputs: inputs.iter().copied().collect(),
        layer: *layer,
    };
    let spec = ModelSpec {
        inputs: [InputSpec {
            slot: InputSlot::Picture,
            shape: Shape::new(SIDE, SIDE, 3),
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

/// Quantises, packs, and reports every layer over the calibration pictures themselves.
fn report(model: &Model) -> Result<Vec<LayerReport>, QuantizeError> {
    let len = usize::from(SIDE) * usize::from(SIDE) * 3;
    let pictures: Vec<u8> = (0..ROWS * len).map(|i| (i * i * 31 % 251) as u8).collect();
    let samples: Vec<Sample> = pictures
        .chunks_exact(len)
        .map(|picture| Sample {
            picture: Some(picture.to_vec()),
            ..Sample::default()
        })
        .collect();
    let rows = HostInputs {
        rows: ROWS,
        picture: Some(pictures),
        ..HostInputs::default()
    };
    let description = Description {
        segmentation: Some(SegmentationDescription {
            size: [SIDE.into(); 2],
            classes: vec!["a".into(), "b".into()],
            generated: true,
        }),
        ..Description::default()
    };
    let source = Source {
        model,
        transforms: &Transforms::default(),
        description: &description,
        label: "",
        calibration: std::slice::from_ref(&rows),
        golden: &samples[..1],
        name: "test",
        data_sha256: [0; 32],
        sequence: 1,
        optimize: super::optimize::Optimize::default(),
    };
    let quantized = quantize(&source)?;
    let blob = quantized.pack(&source, &[])?;
    layers(&quantized, model, &blob, &samples, &rows)
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
    for layer in report(&model(&layers, |_| ())).unwrap() {
        assert!(layer.snr_db.unwrap() > 25.0, "{layer:?}");
    }
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
