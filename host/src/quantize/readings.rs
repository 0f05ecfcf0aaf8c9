//! Codes of readings: every model input fills the 256 codes by itself.
//!
//! A row of model inputs is one tensor with one scale. Readings differ in reach, and a reading of narrow reach would be left with a
//! few codes. But a model input comes out of a table of its own, and the layer that reads it has a weight of its own for it: what
//! the table moves and stretches, weights and biases can take back. So every model input is stretched until the training rows fill
//! the codes, with some room at both ends, and at the place in that room where its training values lie nearest to codes: a reading
//! that takes a handful of values may hit a code with each. Float results stay what they are; the device does nothing more.

use serde::{Deserialize, Serialize};
use trident::spec::{InputSlot, Layer, ModelSpec};

use super::range::{Choice, Method, Quantization};
use crate::model::{FoldedModel, HostInputs};
use crate::run::Transforms;
use crate::transform::InputTransform;

/// What the codes of a stretched row stand for: −1 up to 127/128.
pub(crate) const CODES: Choice = Choice {
    quantization: Quantization {
        scale: 1.0 / 128.0,
        zero_point: 0,
    },
    method: Method::Fixed,
    mse: 0.0,
};

/// The most values that a model input's place is sought by.
const MOST_VALUES: usize = 4_096;
/// The training values take at most this share of the codes: a reading a little beyond them is not cut off.
const MOST_FILLED: f64 = 0.95;
/// By how much the reach is widened, step by step, in search of a place, and how many steps there are.
const STEPS: (f64, u32) = (0.005, 20);
/// Places that are tried between two codes.
const PHASES: u32 = 8;

/// How one model input is moved and stretched: `(x − middle) · factor`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stretch {
    middle: f32,
    factor: f32,
}

/// How the model inputs of each slot of readings are stretched; `None` where they are left as they are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ReadingCodes {
    classification: Option<Vec<Stretch>>,
    regression: Option<Vec<Stretch>>,
}

impl ReadingCodes {
    /// Suits the codes to training rows. A slot that anything but `Linear` layers reads is left as it is: only they have a weight for
    /// every model input, and no padding.
    pub fn fit(spec: &ModelSpec, rows: &[HostInputs]) -> Self {
        let fit = |slot| {
            let input = spec.inputs.iter().position(|input| input.slot == slot)?;
            let reads =
                |layer: &&trident::spec::LayerSpec| layer.inputs.iter().any(|&value| usize::from(value) == input);
            let mut readers = spec.layers.iter().filter(reads);
            let width = spec.inputs[input].shape.len();
            let values: Vec<&[f32]> = rows.iter().filter_map(|rows| readings(rows, slot)).collect();
            let seen = values.iter().any(|values| !values.is_empty());
            (seen && readers.all(|reader| matches!(reader.layer, Layer::Linear { .. }))).then(|| {
                let of_input = |i: usize| {
                    values
                        .iter()
                        .flat_map(move |values| values.iter().skip(i).step_by(width).copied())
                };
                (0..width)
                    .map(|i| Stretch::fit(&of_input(i).collect::<Vec<f32>>()))
                    .collect()
            })
        };
        Self {
            classification: fit(InputSlot::Classification),
            regression: fit(InputSlot::Regression),
        }
    }

    fn of(&self, slot: InputSlot) -> Option<&[Stretch]> {
        match slot {
            InputSlot::Classification => self.classification.as_deref(),
            InputSlot::Picture => None,
            InputSlot::Regression => self.regression.as_deref(),
        }
    }

    /// Values of the model that have these codes: inputs, by their number.
    pub fn values(&self, spec: &ModelSpec) -> Vec<usize> {
        let stretched = |(_, input): &(usize, &trident::spec::InputSpec)| self.of(input.slot).is_some();
        spec.inputs
            .iter()
            .enumerate()
            .filter(stretched)
            .map(|(value, _)| value)
            .collect()
    }

    /// The model that gives for stretched rows what `model` gives for rows as they are.
    pub fn fold(&self, model: &FoldedModel) -> FoldedModel {
        let mut folded = model.clone();
        for (spec, weights) in model.spec.layers.iter().zip(&mut folded.layers) {
            let input = spec
                .inputs
                .first()
                .and_then(|&value| model.spec.inputs.get(usize::from(value)));
            let stretches = input.and_then(|input| self.of(input.slot));
            let (Some(stretches), Some(weights)) = (stretches, weights) else {
                continue;
            };
            for (row, bias) in weights.weights.chunks_exact_mut(stretches.len()).zip(&mut weights.bias) {
                let moved = row
                    .iter()
                    .zip(stretches)
                    .map(|(weight, stretch)| f64::from(*weight) * f64::from(stretch.middle));
                *bias = (f64::from(*bias) + moved.sum::<f64>()) as f32;
                row.iter_mut()
                    .zip(stretches)
                    .for_each(|(weight, stretch)| *weight /= stretch.factor);
            }
        }
        folded
    }

    /// Tables whose model inputs are stretched.
    pub fn transforms(&self, transforms: &Transforms) -> Transforms {
        let stretched = |transform: &Option<InputTransform>, slot| {
            let mut transform = transform.clone()?;
            let stretches = self.of(slot).unwrap_or_default();
            for (input, stretch) in transform.inputs.iter_mut().zip(stretches) {
                for segment in &mut input.segments {
                    segment.base = stretch.apply(segment.base);
                    segment.slope *= stretch.factor;
                }
            }
            Some(transform)
        };
        Transforms {
            classification: stretched(&transforms.classification, InputSlot::Classification),
            regression: stretched(&transforms.regression, InputSlot::Regression),
            ..transforms.clone()
        }
    }

    /// Stretches rows.
    pub fn stretch(&self, rows: &mut HostInputs) {
        for slot in [InputSlot::Classification, InputSlot::Regression] {
            let values = match slot {
                InputSlot::Classification => &mut rows.classification,
                _ => &mut rows.regression,
            };
            values.iter_mut().for_each(|values| self.stretch_values(slot, values));
        }
    }

    /// Stretches the model inputs of a slot, `rows × inputs`.
    pub fn stretch_values(&self, slot: InputSlot, values: &mut [f32]) {
        let Some(stretches) = self.of(slot).filter(|stretches| !stretches.is_empty()) else {
            return;
        };
        for row in values.chunks_exact_mut(stretches.len()) {
            row.iter_mut()
                .zip(stretches)
                .for_each(|(value, stretch)| *value = stretch.apply(*value));
        }
    }
}

impl Stretch {
    fn apply(self, value: f32) -> f32 {
        (value - self.middle) * self.factor
    }

    /// The place in the room at the ends of the codes where `values` lie nearest to codes.
    fn fit(values: &[f32]) -> Self {
        let ends = values
            .iter()
            .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &x| {
                (low.min(x), high.max(x))
            });
        let (low, high) = (f64::from(ends.0), f64::from(ends.1));
        let least = (high - low) / (255.0 * MOST_FILLED);
        let mut best = (f64::INFINITY, (low + high) / 2.0, 1.0);
        if !least.is_normal() {
            // One value alone: its code is that of zero.
            return Self::new(low, CODES.quantization.scale.into());
        }
        let some = values.len().div_ceil(MOST_VALUES).max(1);
        for widened in 0..=STEPS.1 {
            let step = least * (1.0 + STEPS.0 * f64::from(widened));
            for phase in 0..PHASES {
                let middle = (low + high) / 2.0 + step * (f64::from(phase) / f64::from(PHASES) - 0.5);
                let error = |&value: &f32| {
                    let steps = (f64::from(value) - middle) / step;
                    ((steps - steps.round()) * step).powi(2)
                };
                let error: f64 = values.iter().step_by(some).map(error).sum();
                if error < best.0 {
                    best = (error, middle, step);
                }
            }
        }
        Self::new(best.1, best.2)
    }

    /// Codes count in `step`s from `middle`.
    fn new(middle: f64, step: f64) -> Self {
        Self {
            middle: middle as f32,
            factor: (f64::from(CODES.quantization.scale) / step) as f32,
        }
    }
}

fn readings(rows: &HostInputs, slot: InputSlot) -> Option<&[f32]> {
    match slot {
        InputSlot::Classification => rows.classification.as_deref(),
        InputSlot::Picture => None,
        InputSlot::Regression => rows.regression.as_deref(),
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use trident::spec::{Activation, Head, HeadSpec, InputSpec, LayerSpec, PixelScale, Shape};

    use super::*;
    use crate::model::{Initializer, Model, ModelState};

    const WIDTH: usize = 3;

    fn spec(first: &[Layer]) -> ModelSpec {
        let out = Layer::Linear {
            out: Shape::row(1),
            activation: Activation::None,
        };
        let layers = first.iter().chain([&out]).enumerate();
        ModelSpec {
            inputs: [InputSpec {
                slot: InputSlot::Regression,
                shape: Shape::row(WIDTH as u16),
                pixels: PixelScale::Centred,
            }]
            .into_iter()
            .collect(),
            layers: layers
                .map(|(number, layer)| LayerSpec {
                    inputs: std::iter::once(number as u8).collect(),
                    layer: *layer,
                })
                .collect(),
            heads: std::iter::once(HeadSpec {
                head: Head::Regression,
                value: first.len() as u8 + 1,
            })
            .collect(),
        }
    }

    fn hidden() -> Layer {
        Layer::Linear {
            out: Shape::row(8),
            activation: Activation::Relu,
        }
    }

    /// Readings whose reaches are 0.01, 1 and 100, far from zero; the second takes six values.
    fn rows(seed: u64) -> HostInputs {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let six = [0.0, 0.083, 0.31, 0.44, 0.77, 1.0];
        let row = |_| {
            [
                7.0 + 0.01 * rng.random::<f32>(),
                six[rng.random_range(0..6)],
                50.0 - 100.0 * rng.random::<f32>(),
            ]
        };
        HostInputs {
            rows: 500,
            regression: Some((0..500).flat_map(row).collect()),
            ..HostInputs::default()
        }
    }

    #[test]
    fn float_results_stay_what_they_are() {
        let device = Device::flex();
        let draw = |layer: usize| ChaCha8Rng::seed_from_u64(layer as u64);
        let model = FoldedModel::from(&ModelState::random(&spec(&[hidden()]), Initializer::He, draw));
        let codes = ReadingCodes::fit(&model.spec, &[rows(1)]);
        let (seen, mut stretched) = (rows(2), rows(2));
        codes.stretch(&mut stretched);
        let before = Model::from_folded(&model, &device).value(2, &seen);
        let after = Model::from_folded(&codes.fold(&model), &device).value(2, &stretched);
        let largest = before.iter().fold(0f32, |largest, x| largest.max(x.abs()));
        for (before, after) in before.iter().zip(&after) {
            assert!((before - after).abs() < 1e-5 * largest, "{before} became {after}");
        }
    }

    #[test]
    fn training_values_fill_the_codes_but_for_some_room() {
        let codes = ReadingCodes::fit(&spec(&[hidden()]), &[rows(1)]);
        let mut stretched = rows(1);
        codes.stretch(&mut stretched);
        let stretched = stretched.regression.unwrap();
        for input in 0..WIDTH {
            let values = || stretched.iter().skip(input).step_by(WIDTH).copied();
            let (low, high) = (values().fold(f32::MAX, f32::min), values().fold(f32::MIN, f32::max));
            let filled = (high - low) * 128.0 / 255.0;
            assert!((0.85..0.96).contains(&filled), "input {input} fills {filled}");
            assert!(low > -1.0 && high < 127.0 / 128.0, "input {input}: {low} to {high}");
        }
        // Six values are near to codes where 500 cannot all be.
        let off = |input: usize| {
            let off = stretched
                .iter()
                .skip(input)
                .step_by(WIDTH)
                .map(|x| (x * 128.0 - (x * 128.0).round()).powi(2));
            (off.sum::<f32>() / 500.0).sqrt()
        };
        assert!(
            off(1) < 0.15 && off(0) > 0.2 && off(2) > 0.2,
            "{} {} {}",
            off(0),
            off(1),
            off(2)
        );
    }

    #[test]
    fn what_other_layers_read_is_left_as_it_is() {
        let pooled = spec(&[Layer::MaxPool2d { size: 1 }]);
        let codes = ReadingCodes::fit(&pooled, &[rows(1)]);
        assert_eq!(codes, ReadingCodes::default());
        assert!(codes.values(&pooled).is_empty());
        let mut same = rows(1);
        codes.stretch(&mut same);
        assert_eq!(same.regression, rows(1).regression);
    }

    #[test]
    fn a_reading_that_never_changes_has_the_code_of_zero() {
        let stretch = Stretch::fit(&[3.0, 3.0]);
        assert_eq!((stretch.apply(3.0), stretch.apply(3.5)), (0.0, 0.5));
    }
}
