//! From readings in the user's units to model inputs.
//!
//! [`fit`] looks at training rows only and gives an [`InputTransform`]: one to three model inputs per reading, each a
//! piecewise-linear table whose output has mean 0 and standard deviation 1 on those rows. Trainer and device evaluate the same
//! table with the same function, [`piecewise_linear`], so there is nothing to agree on but the table.
//!
//! Left to itself (`auto`), a reading is standardised, or its logarithm is where it is skewed or has long tails; for
//! classification the normal quantile of its rank stands beside it, which helps small networks much on skewed readings; for
//! regression the reading itself stands beside its logarithm.

mod choose;
mod inverse;
mod quantile;
mod table;

use serde::{Deserialize, Serialize};
use trident::input::{Segment, piecewise_linear};
use trident::spec::Head;

use crate::config::{TransformChoice, TransformKind};
use crate::data::Readings;

/// The function that a table approximates, before standardising.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureTransform {
    /// `x`.
    Standardise,
    /// `sign(x) · ln(1 + |x| / unit)`.
    SignedLog {
        /// Where it turns from linear to logarithmic, in the reading's unit.
        unit: f64,
    },
    /// `ln(x + offset)`.
    Log {
        /// In the reading's unit.
        offset: f64,
    },
    /// The normal quantile of the reading's rank among the training rows.
    Quantile {
        /// At how many values it is exact.
        knots: usize,
    },
}

/// One model input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelInput {
    /// Index of the reading in its row.
    pub feature: usize,
    /// What the table approximates.
    pub transform: FeatureTransform,
    /// The table, in ascending order of starts.
    #[serde(with = "table::as_triples")]
    pub segments: Vec<Segment>,
}

/// The input step of one head.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputTransform {
    /// Readings per row.
    pub readings: usize,
    /// Model inputs, in order.
    pub inputs: Vec<ModelInput>,
}

impl InputTransform {
    /// How many model inputs a row gives.
    pub fn len(&self) -> usize {
        self.inputs.len()
    }

    /// Whether it gives none.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// Appends the model inputs of a row to `out`.
    ///
    /// # Panics
    /// If the row is shorter than [`InputTransform::readings`].
    pub fn apply(&self, row: &[f32], out: &mut Vec<f32>) {
        out.extend(
            self.inputs
                .iter()
                .map(|input| piecewise_linear(&input.segments, row[input.feature])),
        );
    }
}

/// Mean and standard deviation of a target, in its unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standard {
    /// Mean.
    pub mean: f32,
    /// Standard deviation, above zero.
    pub sd: f32,
}

impl Default for Standard {
    /// Changes nothing.
    fn default() -> Self {
        Self { mean: 0.0, sd: 1.0 }
    }
}

impl Standard {
    /// Of these values; a standard deviation of zero becomes one.
    pub fn fit(values: impl IntoIterator<Item = f32>) -> Self {
        let values: Vec<f64> = values.into_iter().map(f64::from).collect();
        let moments = choose::Moments::of(&values);
        let sd = moments.sd as f32;
        Self {
            mean: moments.mean as f32,
            sd: if sd.is_normal() { sd } else { 1.0 },
        }
    }

    /// Into standard deviations from the mean.
    pub fn apply(self, value: f32) -> f32 {
        (value - self.mean) / self.sd
    }

    /// Back into the target's unit.
    pub fn restore(self, value: f32) -> f32 {
        value * self.sd + self.mean
    }
}

/// Why no transform can be fitted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TransformError {
    /// A reading never changes on the training rows.
    #[error(
        "the reading `{feature}` has the same value in every training row; name it in `drop`, or bring more rows in which it differs"
    )]
    Constant {
        /// Its name.
        feature: String,
    },
    /// A logarithm is asked for a reading that is not positive.
    #[error("`transforms` asks for the log of `{feature}`, but a training row holds {least}; use signed_log")]
    Negative {
        /// Its name.
        feature: String,
        /// Its least value.
        least: f32,
    },
    /// The configuration names a column that is no reading.
    #[error("`transforms` names `{feature}`, which is no reading; there are: {}", features.join(", "))]
    UnknownFeature {
        /// The name.
        feature: String,
        /// The readings there are.
        features: Vec<String>,
    },
    /// The values are too large or too close together for 32-bit arithmetic.
    #[error("the reading `{feature}` cannot be scaled in 32 bits: from {least:?} to {most:?}; give it in another unit")]
    Scale {
        /// Its name.
        feature: String,
        /// Its least value.
        least: f32,
        /// Its greatest value.
        most: f32,
    },
}

/// Fits the input step of `head` to these rows, the training rows.
///
/// # Errors
/// A reading that never changes on these rows, or a choice that does not fit the data.
///
/// # Panics
/// If `rows` is empty.
pub fn fit(
    readings: &Readings,
    rows: &[usize],
    choice: &TransformChoice,
    head: Head,
) -> Result<InputTransform, TransformError> {
    if let TransformChoice::PerFeature(named) = choice
        && let Some(unknown) = named.keys().find(|name| !readings.features.contains(name))
    {
        return Err(TransformError::UnknownFeature {
            feature: unknown.clone(),
            features: readings.features.clone(),
        });
    }
    let mut inputs = Vec::new();
    for (feature, name) in readings.features.iter().enumerate() {
        let mut sorted: Vec<f32> = rows.iter().map(|&row| readings.row(row)[feature]).collect();
        sorted.sort_by(f32::total_cmp);
        let (least, most) = (sorted[0], sorted[sorted.len() - 1]);
        if least == most {
            return Err(TransformError::Constant { feature: name.clone() });
        }
        let kinds = match choice.kinds(name) {
            Some(kinds) => kinds.to_vec(),
            None => choose::kinds(&sorted, head),
        };
        for kind in kinds {
            if kind == TransformKind::Log && least < 0.0 {
                let feature = name.clone();
                return Err(TransformError::Negative { feature, least });
            }
            let transform = choose::parameters(kind, &sorted);
            let segments = table::build(transform, &sorted).ok_or_else(|| TransformError::Scale {
                feature: name.clone(),
                least,
                most,
            })?;
            inputs.push(ModelInput {
                feature,
                transform,
                segments,
            });
        }
    }
    Ok(InputTransform {
        readings: readings.features.len(),
        inputs,
    })
}

#[cfg(test)]
mod tests;
