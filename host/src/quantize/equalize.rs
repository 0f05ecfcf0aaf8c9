//! Cross-layer equalisation: channels of a value are rescaled so that none of them drowns in the range that they share.
//!
//! Where one layer alone reads what another makes, with nothing but ReLU, pooling or upsampling between them, channel `c` may be
//! divided by any `s > 0` if the reader's weights for it are multiplied by `s`: float results stay what they are (Nagel et al.,
//! 2019, "Data-free quantization through weight equalization and bias correction"). That paper balances the weights of both
//! layers. Here the writer's weights have a scale per output channel already and cannot gain; what shares one scale is the value
//! between the two, and, in a full or pointwise layer, the reader's weights of one output. So the value's channels are balanced
//! against the reader's columns: `s = √(reach of the value / reach of the column)`. A depthwise reader has a scale per channel
//! too; then every channel is given the whole range.

use trident::spec::{Activation, Layer, ModelSpec, Shape};

use crate::model::FoldedModel;
use crate::quantize::multipliers::channel_of;

/// A channel is rescaled by at most this factor, so that a value that calibration saw little of may still grow.
const MOST: f32 = 16.0;

/// Rescales the channels of every value that allows it. `values` are those of the model on calibration rows.
pub fn equalize(model: &mut FoldedModel, values: &[Option<Vec<f32>>]) {
    let inputs = model.spec.inputs.len();
    let shapes = model.spec.shapes().expect("a valid model").to_vec();
    for (writer, reader) in pairs(&model.spec, &shapes) {
        let channels = usize::from(shapes[inputs + writer].c);
        let Some(values) = &values[inputs + writer] else {
            continue;
        };
        let mut reach = vec![0f32; channels];
        for (index, value) in values.iter().enumerate() {
            reach[index % channels] = reach[index % channels].max(value.abs());
        }
        let factors = factors(&reach, &columns(model, reader, channels));
        if let Some(weights) = &mut model.layers[writer] {
            let layer = &model.spec.layers[writer].layer;
            let (len, out) = (weights.weights.len(), weights.bias.len());
            for (index, weight) in weights.weights.iter_mut().enumerate() {
                *weight /= factors[channel_of(layer, index, len, out)];
            }
            weights
                .bias
                .iter_mut()
                .zip(&factors)
                .for_each(|(bias, factor)| *bias /= factor);
        }
        if let Some(weights) = &mut model.layers[reader] {
            // Device order: a full layer's innermost index is the input's channel, a depthwise one's the channel.
            for (index, weight) in weights.weights.iter_mut().enumerate() {
                *weight *= factors[index % channels];
            }
        }
    }
}

/// Layers with weights of which the second alone reads what the first makes.
fn pairs(spec: &ModelSpec, shapes: &[Shape]) -> Vec<(usize, usize)> {
    let inputs = spec.inputs.len();
    let reader_of = |layer: usize| {
        let value = (inputs + layer) as u8;
        let reads = |of: &usize| spec.layers[*of].inputs.iter().filter(|&&input| input == value).count();
        let mut readers = (0..spec.layers.len()).filter(|of| reads(of) > 0);
        let reader = readers.next().filter(|of| reads(of) == 1)?;
        let shared = readers.next().is_some() || spec.heads.iter().any(|head| head.value == value);
        (!shared).then_some(reader)
    };
    let weighted = |layer: &Layer| {
        matches!(
            layer,
            Layer::Linear { .. } | Layer::Conv2d { .. } | Layer::DepthwiseConv2d { .. }
        )
    };
    let pair = |writer: usize| {
        let layer = &spec.layers[writer].layer;
        let shape = shapes[inputs + writer];
        // A Linear that makes a picture has a bias per pixel and channel.
        let per_channel = !matches!(layer, Layer::Linear { .. }) || shape.len() == usize::from(shape.c);
        if !weighted(layer) || !per_channel || layer.activation() == Activation::Sigmoid {
            return None;
        }
        let mut reader = reader_of(writer)?;
        while let Layer::MaxPool2d { .. } | Layer::Upsample2d { .. } = spec.layers[reader].layer {
            reader = reader_of(reader)?;
        }
        weighted(&spec.layers[reader].layer).then_some((writer, reader))
    };
    (0..spec.layers.len()).filter_map(pair).collect()
}

/// Per input channel of a layer, its largest weight as a share of the largest of the same output; `None` if each channel has
/// a scale of its own.
fn columns(model: &FoldedModel, reader: usize, channels: usize) -> Option<Vec<f32>> {
    let layer = &model.spec.layers[reader].layer;
    if let Layer::DepthwiseConv2d { .. } = layer {
        return None;
    }
    let weights = model.layers[reader].as_ref()?;
    let row = weights.weights.len() / weights.bias.len();
    let mut columns = vec![0f32; channels];
    for row in weights.weights.chunks_exact(row) {
        let largest = row
            .iter()
            .fold(f32::MIN_POSITIVE, |largest, weight| largest.max(weight.abs()));
        for (index, weight) in row.iter().enumerate() {
            columns[index % channels] = columns[index % channels].max(weight.abs() / largest);
        }
    }
    Some(columns)
}

/// What each channel of a value is divided by. A channel that is always zero, or that nobody weighs, stays.
fn factors(reach: &[f32], columns: &Option<Vec<f32>>) -> Vec<f32> {
    let most = reach.iter().copied().fold(0.0, f32::max);
    let factor = |(channel, reach): (usize, &f32)| {
        let column = columns.as_ref().map_or(1.0, |columns| columns[channel]);
        if *reach <= 0.0 || column <= 0.0 {
            return 1.0;
        }
        let factor = match columns {
            None => reach / most,
            Some(_) => (reach / most / column).sqrt(),
        };
        factor.clamp(1.0 / MOST, MOST)
    };
    reach.iter().enumerate().map(factor).collect()
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use trident::spec::{Head, HeadSpec, InputSlot, InputSpec, LayerSpec, Padding, PixelScale};

    use super::*;
    use crate::model::{HostInputs, Initializer, Model, ModelState};

    const SIDE: u16 = 8;

    fn conv(filters: u16, kernel: u8, activation: Activation) -> Layer {
        Layer::Conv2d {
            filters,
            kernel,
            stride: 1,
            padding: Padding::Same,
            activation,
            norm: true,
        }
    }

    /// Every kind of pair, and values that must stay: one that is added later, one before a sigmoid, the head's.
    fn spec() -> ModelSpec {
        let depthwise = Layer::DepthwiseConv2d {
            kernel: 3,
            stride: 1,
            padding: Padding::Same,
            activation: Activation::Relu,
            norm: true,
        };
        let linear = |out: Shape, activation| Layer::Linear { out, activation };
        let layers: [(&[u8], Layer); 11] = [
            (&[0], conv(8, 3, Activation::Relu)), // 1: to a depthwise layer
            (&[1], depthwise),                    // 2: to a pointwise one
            (&[2], conv(8, 1, Activation::None)), // 3: added
            (&[3], conv(8, 1, Activation::Relu)), // 4: added
            (
                &[3, 4],
                Layer::Add {
                    activation: Activation::Relu,
                },
            ), // 5
            (&[5], conv(6, 3, Activation::None)), // 6: through a pooling
            (&[6], Layer::MaxPool2d { size: 2 }), // 7
            (&[7], conv(4, 1, Activation::Sigmoid)), // 8
            (&[8], linear(Shape::row(9), Activation::Relu)), // 9: linear to linear
            (&[9], linear(Shape::row(5), Activation::Relu)), // 10
            (&[10], linear(Shape::new(SIDE, SIDE, 2), Activation::None)), // 11: the head's
        ];
        ModelSpec {
            inputs: [InputSpec {
                slot: InputSlot::Picture,
                shape: Shape::new(SIDE, SIDE, 3),
                pixels: PixelScale::Centred,
            }]
            .into_iter()
            .collect(),
            layers: layers
                .iter()
                .map(|(inputs, layer)| LayerSpec {
                    inputs: inputs.iter().copied().collect(),
                    layer: *layer,
                })
                .collect(),
            heads: [HeadSpec {
                head: Head::Segmentation,
                value: 11,
            }]
            .into_iter()
            .collect(),
        }
    }

    /// Weights whose channels differ in size by powers of ten.
    fn model(seed: u64) -> FoldedModel {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let draw = |layer: usize| ChaCha8Rng::seed_from_u64(seed * 100 + layer as u64);
        let mut folded = FoldedModel::from(&ModelState::random(&spec(), Initializer::He, draw));
        for (spec, layer) in folded.spec.layers.iter().zip(&mut folded.layers) {
            let Some(layer) = layer else { continue };
            let sizes: Vec<f32> = layer
                .bias
                .iter()
                .map(|_| 10f32.powf(rng.random_range(-1.0..1.0)))
                .collect();
            let (len, out) = (layer.weights.len(), layer.bias.len());
            for (index, weight) in layer.weights.iter_mut().enumerate() {
                *weight *= sizes[channel_of(&spec.layer, index, len, out)];
            }
            layer
                .bias
                .iter_mut()
                .for_each(|bias| *bias = rng.random_range(-0.2..0.2));
        }
        folded
    }

    fn rows(seed: u64) -> HostInputs {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let len = 4 * usize::from(SIDE) * usize::from(SIDE) * 3;
        HostInputs {
            rows: 4,
            picture: Some((0..len).map(|_| rng.random()).collect()),
            ..HostInputs::default()
        }
    }

    #[test]
    fn pairs_are_those_that_nobody_else_reads() {
        let spec = spec();
        let shapes = spec.shapes().unwrap().to_vec();
        assert_eq!(pairs(&spec, &shapes), [(0, 1), (1, 2), (5, 7), (8, 9), (9, 10)]);
    }

    #[test]
    fn float_outputs_stay_what_they_are() {
        let device = burn::tensor::Device::flex();
        for seed in 0..8 {
            let folded = model(seed);
            let (seen, fresh) = (rows(seed), rows(seed + 1000));
            let mut equalized = folded.clone();
            equalize(&mut equalized, &Model::from_folded(&folded, &device).values(&seen));
            assert_ne!(folded, equalized);
            let [before, after] =
                [&folded, &equalized].map(|model| Model::from_folded(model, &device).value(11, &fresh));
            let largest = before.iter().fold(0f32, |largest, x| largest.max(x.abs()));
            for (before, after) in before.iter().zip(&after) {
                assert!((before - after).abs() < 1e-5 * largest, "{before} became {after}");
            }
        }
    }

    #[test]
    fn a_depthwise_reader_is_given_channels_of_one_reach() {
        let device = burn::tensor::Device::flex();
        let (folded, rows) = (model(1), rows(1));
        let reaches = |folded: &FoldedModel| {
            let values = Model::from_folded(folded, &device).value(1, &rows);
            let mut reach = [0f32; 8];
            values
                .iter()
                .enumerate()
                .for_each(|(i, value)| reach[i % 8] = reach[i % 8].max(value.abs()));
            reach
        };
        let before = reaches(&folded);
        let mut equalized = folded.clone();
        equalize(&mut equalized, &Model::from_folded(&folded, &device).values(&rows));
        let most = before.iter().copied().fold(0.0, f32::max);
        for (before, after) in before.into_iter().zip(reaches(&equalized)) {
            let expected = if before > 0.0 { (before * MOST).min(most) } else { 0.0 };
            assert!(
                (after - expected).abs() < 1e-4 * most,
                "{before} became {after}, not {expected}"
            );
        }
    }
}
