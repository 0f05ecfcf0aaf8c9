//! From trained weights and calibration rows to what can be lowered: weights and ranges.

use burn::tensor::Device;
use trident::spec::ModelSpec;

use super::QuantizeError;
use super::method::PostTraining;
use super::range::RangeRule;
use super::ranges::Ranges;
use super::{bias, equalize};
use crate::model::{FoldedModel, HostInputs, Model};

/// A model ready to be lowered.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    /// The weights.
    pub folded: FoldedModel,
    /// What int8 should give: the same weights before biases were corrected.
    pub float: FoldedModel,
    /// The ranges.
    pub ranges: Ranges,
}

/// A model and its values on calibration rows.
#[derive(Clone, Debug)]
pub struct Calibrated<'c> {
    folded: FoldedModel,
    values: Vec<Option<Vec<f32>>>,
    rows: &'c [HostInputs],
    /// Inputs whose codes their tables give.
    stretched: Vec<usize>,
    device: Device,
}

impl Prepared {
    /// Prepares a model by one method. Each entry of `rows` holds the slots that belong together, transformed.
    ///
    /// # Errors
    /// If a slot has no rows, or ranges cannot be shared where they must be.
    pub fn new(
        folded: &FoldedModel,
        rows: &[HostInputs],
        method: PostTraining,
        device: &Device,
    ) -> Result<Self, QuantizeError> {
        let calibrated = Calibrated::new(folded.clone(), rows, device)?;
        let calibrated = if method.equalize {
            calibrated.equalized()?
        } else {
            calibrated
        };
        calibrated.prepare(method.ranges, method.correct_bias)
    }

    /// The part that has this spec, value `i` of which is this model's value `values[i]`.
    pub(crate) fn part(&self, spec: &ModelSpec, values: &[usize]) -> Self {
        let layers = |whole: &FoldedModel| FoldedModel {
            spec: spec.clone(),
            layers: self
                .layers_of(values)
                .map(|layer| whole.layers[layer].clone())
                .collect(),
        };
        Self {
            folded: layers(&self.folded),
            float: layers(&self.float),
            ranges: self.ranges.part(spec, values),
        }
    }

    /// Takes over a part's weights and ranges.
    pub(crate) fn place(&mut self, part: &Self, values: &[usize]) {
        let layers: Vec<usize> = self.layers_of(values).collect();
        for (own, &layer) in layers.iter().enumerate() {
            self.folded.layers[layer].clone_from(&part.folded.layers[own]);
            self.float.layers[layer].clone_from(&part.float.layers[own]);
        }
        self.ranges.place(&part.ranges, values);
    }

    fn layers_of<'v>(&self, values: &'v [usize]) -> impl Iterator<Item = usize> + 'v {
        let inputs = self.folded.spec.inputs.len();
        values.iter().filter_map(move |value| value.checked_sub(inputs))
    }
}

impl<'c> Calibrated<'c> {
    /// Runs a model on calibration rows.
    ///
    /// # Errors
    /// If a slot has no rows.
    pub fn new(folded: FoldedModel, rows: &'c [HostInputs], device: &Device) -> Result<Self, QuantizeError> {
        let model = Model::from_folded(&folded, device);
        let mut values: Vec<Option<Vec<f32>>> = vec![None; model.shapes().len()];
        for rows in rows {
            for (all, values) in values.iter_mut().zip(model.values(rows)) {
                if let Some(values) = values {
                    all.get_or_insert_default().extend(values);
                }
            }
        }
        for (values, input) in values.iter().zip(&folded.spec.inputs) {
            if values.as_ref().is_none_or(Vec::is_empty) {
                return Err(QuantizeError::NoRows { slot: input.slot });
            }
        }
        Ok(Self {
            folded,
            values,
            rows,
            stretched: Vec::new(),
            device: device.clone(),
        })
    }

    /// The same model, of whose inputs some have the codes that their tables give: see [`readings`](super::readings).
    pub(crate) fn with_stretched(self, stretched: Vec<usize>) -> Self {
        Self { stretched, ..self }
    }

    /// The same model with its channels rescaled: see [`equalize`].
    ///
    /// # Errors
    /// As [`Calibrated::new`].
    pub fn equalized(&self) -> Result<Self, QuantizeError> {
        let mut folded = self.folded.clone();
        equalize::equalize(&mut folded, &self.values);
        Ok(Self::new(folded, self.rows, &self.device)?.with_stretched(self.stretched.clone()))
    }

    /// Chooses ranges and, if asked to, takes back each channel's mean error.
    ///
    /// # Errors
    /// If ranges cannot be shared where they must be, or a layer cannot be expressed in int8.
    pub fn prepare(&self, rule: RangeRule, correct_bias: bool) -> Result<Prepared, QuantizeError> {
        let mut prepared = Prepared {
            folded: self.folded.clone(),
            float: self.folded.clone(),
            ranges: Ranges::choose(&self.folded.spec, &self.values, &self.stretched, rule)?,
        };
        if correct_bias {
            bias::correct(&mut prepared, self.rows, &self.device)?;
        }
        Ok(prepared)
    }
}
