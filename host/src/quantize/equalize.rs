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
