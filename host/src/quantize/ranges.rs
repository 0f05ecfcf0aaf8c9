//! From calibration values to one range per value of the model.
//!
//! Pooling, upsampling and concatenation move codes about without changing them, so that all values they join share one
//! range: a group.

use trident::spec::{Activation, InputSlot, Layer, ModelSpec};

use super::range::{Choice, Method, Quantization, choose};
use super::{LayerError, QuantizeError};

/// Ranges of a model's values.
#[derive(Clone, Debug)]
pub struct Ranges {
    group_of: Vec<usize>,
    choices: Vec<Option<Choice>>,
    /// Per layer that ends in a sigmoid, the range of what goes into it.
    before_sigmoid: Vec<Option<Choice>>,
}

/// A sigmoid's codes: `k / 256` for `k` in 0..=255.
const PROBABILITIES: Quantization = Quantization {
    scale: 1.0 / 256.0,
    zero_point: -128,
};

impl Ranges {
    /// Chooses a range per group from calibration values, one entry per value of the model.
    ///
    /// # Errors
    /// If one group holds a value whose range is given, and another one that has its own: a picture's pixels next to
    /// probabilities, or next to sums.
    pub fn choose(spec: &ModelSpec, values: &[Option<Vec<f32>>]) -> Result<Self, QuantizeError> {
        let group_of = groups(spec);
        let inputs = spec.inputs.len();
        let mut choices = vec![None; values.len()];
        for (value, choice) in fixed(spec) {
            let slot = &mut choices[group_of[value]];
            if slot.is_some_and(|other: Choice| other.quantization != choice.quantization) {
                return Err(LayerError::FixedRanges.at(value.saturating_sub(inputs)));
            }
            *slot = Some(choice);
        }
        let given: Vec<usize> = fixed(spec).map(|(value, _)| value).collect();
        for value in (0..values.len()).filter(|value| !given.contains(value) && !moves_codes(spec, *value)) {
            if choices[group_of[value]].is_some() {
                return Err(LayerError::FixedRanges.at(value.saturating_sub(inputs)));
            }
        }
        for (group, choice) in choices.iter_mut().enumerate() {
            let members = (0..values.len()).filter(|&value| group_of[value] == group);
            let samples: Vec<&[f32]> = members.filter_map(|value| values[value].as_deref()).collect();
            if choice.is_none() && !samples.is_empty() {
                *choice = Some(choose(&samples));
            }
        }
        let before_sigmoid = spec.layers.iter().enumerate().map(|(layer, spec)| {
            let values = values[inputs + layer]
                .as_deref()
                .filter(|_| spec.layer.activation() == Activation::Sigmoid)?;
            Some(choose(&[&values.iter().copied().map(logit).collect::<Vec<f32>>()]))
        });
        Ok(Self {
            group_of,
            choices,
            before_sigmoid: before_sigmoid.collect(),
        })
    }

    /// The range of a value.
    ///
    /// # Panics
    /// If it had no calibration values.
    pub fn of(&self, value: usize) -> Choice {
        self.choices[self.group_of[value]].expect("every value was calibrated")
    }

    /// The range a layer's sum is requantised to: that of its value, or of what goes into its sigmoid.
    ///
    /// # Panics
    /// As [`Ranges::of`].
    pub fn of_sum(&self, spec: &ModelSpec, layer: usize) -> Choice {
        self.before_sigmoid[layer].unwrap_or_else(|| self.of(spec.inputs.len() + layer))
    }

    /// Widens the range a layer's sum is requantised to until its scale is at least `scale`. Says whether it had to.
    pub fn widen(&mut self, spec: &ModelSpec, layer: usize, scale: f32) -> bool {
        let group = self.group_of[spec.inputs.len() + layer];
        let slot = match &mut self.before_sigmoid[layer] {
            Some(choice) => choice,
            None => self.choices[group].as_mut().expect("every value was calibrated"),
        };
        let widen = slot.quantization.scale < scale && slot.method != Method::Fixed;
        if widen {
            let factor = scale / slot.quantization.scale * 1.001;
            let range = slot.quantization;
            slot.quantization = Quantization::of(range.real(-128) * factor, range.real(127) * factor);
        }
        widen
    }
}

/// Values whose codes are given by the format.
fn fixed(spec: &ModelSpec) -> impl Iterator<Item = (usize, Choice)> {
    let given = |quantization| Choice {
        quantization,
        method: Method::Fixed,
        mse: 0.0,
    };
    let pictures = spec
        .inputs
        .iter()
        .enumerate()
        .filter(|(_, input)| input.slot == InputSlot::Picture);
    let pictures = pictures.map(move |(value, input)| {
        let (scale, zero_point) = input.pixels.quantization();
        (value, given(Quantization { scale, zero_point }))
    });
    let sigmoids = spec
        .layers
        .iter()
        .enumerate()
        .filter(|(_, spec)| spec.layer.activation() == Activation::Sigmoid);
    pictures.chain(sigmoids.map(move |(layer, _)| (spec.inputs.len() + layer, given(PROBABILITIES))))
}

/// Whether a value's codes are those of the values it is made of, at other places.
fn moves_codes(spec: &ModelSpec, value: usize) -> bool {
    let layer = value
        .checked_sub(spec.inputs.len())
        .map(|layer| &spec.layers[layer].layer);
    matches!(
        layer,
        Some(Layer::MaxPool2d { .. } | Layer::Upsample2d { .. } | Layer::Concat)
    )
}

/// A group number per value: that of its lowest member.
fn groups(spec: &ModelSpec) -> Vec<usize> {
    let mut group: Vec<usize> = (0..spec.inputs.len() + spec.layers.len()).collect();
    for (layer, spec_layer) in spec.layers.iter().enumerate() {
        if moves_codes(spec, spec.inputs.len() + layer) {
            for &input in &spec_layer.inputs {
                let (a, b) = (group[usize::from(input)], group[spec.inputs.len() + layer]);
                let joined = a.min(b);
                group
                    .iter_mut()
                    .filter(|g| **g == a || **g == b)
                    .for_each(|g| *g = joined);
            }
        }
    }
    group
}

/// What a sigmoid made `p` of, cut at ±16.
fn logit(p: f32) -> f32 {
    (f64::from(p) / (1.0 - f64::from(p))).ln().clamp(-16.0, 16.0) as f32
}
