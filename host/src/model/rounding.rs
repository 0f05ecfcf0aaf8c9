//! What int8 makes of a model's numbers on their way through it, in float, and where gradients go then.
//!
//! Weights, biases and values are rounded by the quantiser's own scales and rules, so that a model that rounds gives what the
//! integer engine gives, but for the last bit of a code where a sum lies on the edge between two. Rounding is flat, so that
//! gradients pass straight through it (Bengio et al., 2013): with slope 1 inside a range, 0 outside. The scale of a range is
//! learnt along with the weights (Esser et al., 2020, "Learned step size quantization"); its zero point stays.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, TensorData};
use trident::spec::{Activation, InputSlot, Layer, ModelSpec};

use super::layer::{Parameters, numbers};
use super::{FoldedModel, LayerState, LayerWeights, Value};
use crate::quantize::lower::{is_head_sum, widen_ranges};
use crate::quantize::multipliers::{bias_code, channel_of, weight_codes, weight_scales};
use crate::quantize::range::Quantization;
use crate::quantize::ranges::Ranges;

/// The ranges of a model that rounds.
#[derive(Module, Debug)]
pub(super) struct Rounding {
    /// Per slot of the ranges, the natural logarithm of the factor that its scale has grown by.
    growth: Param<Tensor<1>>,
    #[module(skip)]
    ranges: Ranges,
}

/// What one forward pass rounds to.
pub(crate) struct Settled {
    spec: ModelSpec,
    ranges: Ranges,
    growth: Tensor<1>,
    /// Per layer, what rounding adds to its weights and biases, in the trainer's order.
    changes: Vec<Option<LayerState>>,
}

impl Rounding {
    /// Without `growth` the ranges are as given.
    pub fn new(ranges: &Ranges, growth: &[f32], parameters: &mut Parameters) -> Self {
        let zeros = vec![0.0; ranges.slots()];
        let growth = if growth.is_empty() { &zeros } else { growth };
        Self {
            growth: parameters.take(growth, [ranges.slots()]),
            ranges: ranges.clone(),
        }
    }

    /// The logarithms as they stand.
    pub fn growth(&self) -> Vec<f32> {
        numbers(self.growth.val())
    }

    /// Ranges and rounded weights as they stand.
    ///
    /// # Panics
    /// If the model cannot be expressed in int8: the quantiser has refused it before.
    pub fn settle(&self, model: &FoldedModel) -> Settled {
        let mut ranges = self.ranges.grown(&self.growth());
        widen_ranges(model, &mut ranges).expect("a model that the quantiser has taken");
        let changes = model.spec.layers.iter().zip(&model.layers).map(|(spec, weights)| {
            let input = ranges.of(spec.inputs[0].into()).quantization;
            Some(rounding_of(&spec.layer, weights.as_ref()?, input.scale))
        });
        let changes = FoldedModel {
            spec: model.spec.clone(),
            layers: changes.collect(),
        };
        Settled {
            spec: model.spec.clone(),
            ranges,
            growth: self.growth.val(),
            changes: changes.to_state().layers,
        }
    }
}

impl Settled {
    /// What rounding adds to a layer's weights and biases.
    pub fn change(&self, layer: usize) -> Option<&LayerState> {
        self.changes[layer].as_ref()
    }

    /// An input of the model, rounded; pixels are codes already.
    pub fn input(&self, number: usize, value: Value) -> Value {
        if self.spec.inputs[number].slot == InputSlot::Picture {
            return value;
        }
        self.round(self.ranges.slot_of(number), self.ranges.of(number).quantization, value)
    }

    /// A layer's sum, rounded if a table follows.
    pub fn sum(&self, layer: usize, sum: Value) -> Value {
        match self.spec.layers[layer].layer.activation() {
            Activation::Sigmoid => self.round(
                self.ranges.slot_of_sum(layer),
                self.ranges.of_sum(layer).quantization,
                sum,
            ),
            Activation::None | Activation::Relu => sum,
        }
    }

    /// What a layer makes, rounded, unless it keeps its sums or moves codes about.
    pub fn output(&self, layer: usize, value: Value) -> Value {
        let moves = matches!(
            self.spec.layers[layer].layer,
            Layer::MaxPool2d { .. } | Layer::Upsample2d { .. } | Layer::Concat
        );
        if moves || is_head_sum(&self.spec, layer) {
            return value;
        }
        let number = self.spec.inputs.len() + layer;
        self.round(self.ranges.slot_of(number), self.ranges.of(number).quantization, value)
    }

    fn round(&self, slot: usize, range: Quantization, value: Value) -> Value {
        let scale = if self.ranges.may_change(slot) {
            // One, with the slope of the logarithm: the scale itself is the quantiser's to the last bit.
            let growth = self.growth.clone().narrow(0, slot, 1);
            (growth.clone() - growth.detach()).exp().mul_scalar(range.scale)
        } else {
            Tensor::from_data(TensorData::new(vec![range.scale], [1]), &self.growth.device())
        };
        match value {
            Value::Row(rows) => Value::Row(round(rows, scale, range.zero_point)),
            Value::Map(map) => Value::Map(round(map, scale, range.zero_point)),
        }
    }
}

/// The real numbers that the nearest codes stand for: `scale · clamp(⌊x / scale + ½⌋, −128 − zero_point, 127 − zero_point)`.
///
/// # Shapes
/// `numbers` any, `scale` `[1]`.
pub(crate) fn round<const D: usize>(numbers: Tensor<D>, scale: Tensor<1>, zero_point: i8) -> Tensor<D> {
    let scale = scale.reshape([1; D]);
    let zero_point = f32::from(zero_point);
    let steps = (numbers / scale.clone()).clamp(-128.0 - zero_point, 127.0 - zero_point);
    let whole = steps.clone().detach().add_scalar(0.5).floor();
    let rounding = whole - steps.clone().detach();
    (steps + rounding) * scale
}

/// What rounding adds to a layer's weights and biases, in the device's order.
fn rounding_of(layer: &Layer, weights: &LayerWeights, input_scale: f32) -> LayerWeights {
    let scales = weight_scales(layer, weights, input_scale);
    let codes = weight_codes(layer, &weights.weights, &scales);
    let scale = |index: usize| scales[channel_of(layer, index, codes.len(), scales.len())];
    let change = |(index, (code, weight)): (usize, (&i8, &f32))| f32::from(*code) * scale(index) - weight;
    let bias_change = |(bias, scale): (&f32, &f32)| {
        let step = f64::from(input_scale) * f64::from(*scale);
        (bias_code(*bias, input_scale, *scale) as f64 * step - f64::from(*bias)) as f32
    };
    LayerWeights {
        weights: codes.iter().zip(&weights.weights).enumerate().map(change).collect(),
        bias: weights.bias.iter().zip(&scales).map(bias_change).collect(),
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    fn row(numbers: &[f32], device: &Device) -> Tensor<1> {
        Tensor::from_data(TensorData::new(numbers.to_vec(), [numbers.len()]), device)
    }

    #[test]
    fn numbers_round_to_codes_by_hand() {
        let device = Device::flex();
        // Scale 0.5, zero point −128 + 4 = −124: codes −128 … 127 stand for −2 … 125.5.
        let rounded = round(
            row(&[0.0, 0.2, 0.25, 0.74, -0.3, -1.9, -7.0, 125.4, 300.0], &device),
            row(&[0.5], &device),
            -124,
        );
        assert_eq!(numbers(rounded), [0.0, 0.0, 0.5, 0.5, -0.5, -2.0, -2.0, 125.5, 125.5]);
    }

    #[test]
    fn rounding_agrees_with_the_quantiser() {
        let device = Device::flex();
        for (low, high) in [(-1.0, 3.0), (0.0, 7.3), (-5.5, 0.0)] {
            let range = Quantization::of(low, high);
            let all: Vec<f32> = (-700..700).map(|i| i as f32 * 0.0131 + 0.00137).collect();
            let rounded = numbers(round(
                row(&all, &device),
                row(&[range.scale], &device),
                range.zero_point,
            ));
            for (number, rounded) in all.iter().zip(rounded) {
                let expected = range.real(range.code(*number));
                assert!(
                    (rounded - expected).abs() < 1e-5,
                    "{number} → {rounded}, not {expected}"
                );
            }
        }
    }

    #[test]
    fn gradients_pass_straight_through_inside_the_range() {
        let device = Device::flex().autodiff();
        // Codes stand for −128 … 127.
        let at = row(&[-200.0, -3.3, 0.0, 0.6, 126.9, 127.6, 4_000.0], &device).require_grad();
        let scale = row(&[1.0], &device).require_grad();
        let slopes = row(&[1.0, 1.0, 1.0, 2.0, 1.0, 1.0, 1.0], &device);
        let gradients = (round(at.clone(), scale.clone(), 0) * slopes).sum().backward();
        assert_eq!(
            numbers(at.grad(&gradients).unwrap()),
            [0.0, 1.0, 1.0, 2.0, 1.0, 0.0, 0.0]
        );
        // The scale's slope: the end of the range outside, how far rounding went inside.
        let by_hand = -128.0 + (-3.0 + 3.3) + 0.0 + 2.0 * (1.0 - 0.6) + (127.0 - 126.9) + 127.0 + 127.0;
        let slope = numbers(scale.grad(&gradients).unwrap())[0];
        assert!((slope - by_hand).abs() < 1e-4, "{slope} is not {by_hand}");
    }

    #[test]
    fn weights_round_to_codes_by_hand() {
        let weights = LayerWeights {
            // Scales 1.27 / 127 = 0.01 and 0.254 / 127 = 0.002.
            weights: vec![1.27, -0.104, 0.0, 0.254, 0.0011, -0.0009],
            bias: vec![0.126, -0.031],
        };
        let layer = Layer::Linear {
            out: trident::spec::Shape::row(2),
            activation: Activation::None,
        };
        // Biases count in steps of 0.5 · 0.01 and 0.5 · 0.002.
        let change = rounding_of(&layer, &weights, 0.5);
        let expected = [0.0, 0.004, 0.0, 0.0, 0.0009, 0.0009];
        for (change, expected) in change.weights.iter().zip(expected) {
            assert!((change - expected).abs() < 1e-6, "{change} is not {expected}");
        }
        for (change, expected) in change.bias.iter().zip([-0.001, 0.0]) {
            assert!((change - expected).abs() < 1e-6, "{change} is not {expected}");
        }
    }
}
