//! From calibration values to one range per value of the model.
//!
//! Pooling, upsampling and concatenation move codes about without changing them, so that all values they join share one
//! range: a group. What goes into a layer's sigmoid has a range of its own. Groups and these make up the *slots* of a model:
//! slot `v` for the group whose lowest member is value `v`, slot `values + l` for what goes into the sigmoid of layer `l`.

use trident::spec::{Activation, InputSlot, Layer, ModelSpec};

use super::range::{Choice, Method, Quantization, RangeRule, choose};
use super::{LayerError, QuantizeError, readings};

/// Ranges of a model's values.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranges {
    inputs: usize,
    group_of: Vec<usize>,
    /// Per slot.
    choices: Vec<Option<Choice>>,
}

/// A sigmoid's codes: `k / 256` for `k` in 0..=255.
const PROBABILITIES: Quantization = Quantization {
    scale: 1.0 / 256.0,
    zero_point: -128,
};

impl Ranges {
    /// Chooses a range per group from calibration values, one entry per value of the model. Inputs in `stretched` have the codes of
    /// `readings`, and no other value shares them.
    ///
    /// # Errors
    /// If one group holds a value whose range is given, and another one that has its own: a picture's pixels next to
    /// probabilities, or next to sums.
    pub fn choose(
        spec: &ModelSpec,
        values: &[Option<Vec<f32>>],
        stretched: &[usize],
        rule: RangeRule,
    ) -> Result<Self, QuantizeError> {
        let group_of = groups(spec);
        let inputs = spec.inputs.len();
        let mut choices = vec![None; values.len() + spec.layers.len()];
        let given = || fixed(spec).chain(stretched.iter().map(|&value| (value, readings::CODES)));
        for (value, choice) in given() {
            let slot = &mut choices[group_of[value]];
            if slot.is_some_and(|other: Choice| other.quantization != choice.quantization) {
                return Err(LayerError::FixedRanges.at(value.saturating_sub(inputs)));
            }
            *slot = Some(choice);
        }
        let given: Vec<usize> = given().map(|(value, _)| value).collect();
        for value in (0..values.len()).filter(|value| !given.contains(value) && !moves_codes(spec, *value)) {
            if choices[group_of[value]].is_some() {
                return Err(LayerError::FixedRanges.at(value.saturating_sub(inputs)));
            }
        }
        for (group, choice) in choices.iter_mut().enumerate() {
            let members = (0..values.len()).filter(|&value| group_of[value] == group);
            let samples: Vec<&[f32]> = members.filter_map(|value| values[value].as_deref()).collect();
            if choice.is_none() && !samples.is_empty() {
                *choice = Some(choose(rule, &samples));
            }
        }
        for (layer, spec) in spec.layers.iter().enumerate() {
            if let (Activation::Sigmoid, Some(values)) = (spec.layer.activation(), &values[inputs + layer]) {
                let sums: Vec<f32> = values.iter().copied().map(logit).collect();
                choices[group_of.len() + layer] = Some(choose(rule, &[&sums]));
            }
        }
        Ok(Self {
            inputs,
            group_of,
            choices,
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
    pub fn of_sum(&self, layer: usize) -> Choice {
        self.choices[self.slot_of_sum(layer)].expect("every value was calibrated")
    }

    /// The slot of a value.
    pub(crate) fn slot_of(&self, value: usize) -> usize {
        self.group_of[value]
    }

    /// The slot of what a layer's sum is requantised to.
    pub(crate) fn slot_of_sum(&self, layer: usize) -> usize {
        let before_sigmoid = self.group_of.len() + layer;
        match self.choices[before_sigmoid] {
            Some(_) => before_sigmoid,
            None => self.group_of[self.inputs + layer],
        }
    }

    /// How many slots there are, taken or not.
    pub(crate) fn slots(&self) -> usize {
        self.choices.len()
    }

    /// Whether training may change a slot's range: it is not given, and no input of the model has it, which several heads may read.
    pub(crate) fn may_change(&self, slot: usize) -> bool {
        slot >= self.inputs && self.choices[slot].is_some_and(|choice| choice.method != Method::Fixed)
    }

    /// The same with every range that may change wider by `e` to the power of its slot's number.
    pub(crate) fn grown(&self, growth: &[f32]) -> Self {
        let mut ranges = self.clone();
        for (slot, growth) in growth.iter().enumerate().filter(|(slot, _)| self.may_change(*slot)) {
            if let Some(choice) = &mut ranges.choices[slot] {
                choice.quantization.scale *= growth.exp();
                choice.method = Method::Learned;
            }
        }
        ranges
    }

    /// The ranges of a part of the model, whose value `i` is this model's value `values[i]`.
    pub(crate) fn part(&self, part: &ModelSpec, values: &[usize]) -> Self {
        let mut ranges = Self {
            inputs: part.inputs.len(),
            group_of: groups(part),
            choices: vec![None; values.len() + part.layers.len()],
        };
        for (slot, own) in self.shared_slots(&ranges, values) {
            ranges.choices[own] = self.choices[slot];
        }
        ranges
    }

    /// Takes over what a part's ranges have become, but for those of inputs.
    pub(crate) fn place(&mut self, part: &Self, values: &[usize]) {
        for (slot, own) in self.shared_slots(part, values) {
            if slot >= self.inputs {
                self.choices[slot] = part.choices[own];
            }
        }
    }

    /// Pairs of a slot of this model and the slot of a part that stands for it.
    fn shared_slots(&self, part: &Self, values: &[usize]) -> Vec<(usize, usize)> {
        let groups = values
            .iter()
            .enumerate()
            .map(|(own, &value)| (self.group_of[value], part.group_of[own]));
        let sums = values.iter().enumerate().skip(part.inputs).map(|(own, &value)| {
            let layers = [value - self.inputs, own - part.inputs];
            (self.group_of.len() + layers[0], part.group_of.len() + layers[1])
        });
        groups.chain(sums).collect()
    }

    /// Per slot, its range: what is stored of learnt ranges.
    pub(crate) fn choices(&self) -> &[Option<Choice>] {
        &self.choices
    }

    /// The same model's ranges as they were stored; `None` if they are not of this model.
    pub(crate) fn with_choices(&self, choices: Vec<Option<Choice>>) -> Option<Self> {
        let usable = |choice: &Choice| choice.quantization.scale.is_normal() && choice.quantization.scale > 0.0;
        let alike = self.choices.len() == choices.len()
            && (self.choices.iter().zip(&choices)).all(|(own, new)| own.is_some() == new.is_some())
            && choices.iter().flatten().all(usable);
        alike.then(|| Self {
            choices,
            ..self.clone()
        })
    }

    /// Widens the range a layer's sum is requantised to until its scale is at least `scale`. Says whether it had to.
    pub fn widen(&mut self, layer: usize, scale: f32) -> bool {
        let slot = self.slot_of_sum(layer);
        let slot = self.choices[slot].as_mut().expect("every value was calibrated");
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
