//! What a head learns from, ready for batches: model inputs and targets of every row.

use serde::{Deserialize, Serialize};
use trident::spec::{Head, InputSlot, Shape};

use crate::data::{Dataset, Readings, SegmentationData, Split};

/// How a target becomes the number that a regression head gives: `(target − mean) / deviation`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standardisation {
    /// Mean of the training rows, in the target's unit.
    pub mean: f32,
    /// Standard deviation of the training rows, in the target's unit; never zero.
    pub deviation: f32,
}

impl Standardisation {
    /// Leaves numbers as they are.
    pub const NONE: Self = Self {
        mean: 0.0,
        deviation: 1.0,
    };

    /// Of some rows of `targets`.
    pub fn fit(targets: &[f32], rows: &[usize]) -> Self {
        let n = rows.len().max(1) as f64;
        let mean = rows.iter().map(|&row| f64::from(targets[row])).sum::<f64>() / n;
        let variance = rows.iter().map(|&row| (f64::from(targets[row]) - mean).powi(2)).sum::<f64>() / n;
        let deviation = variance.sqrt() as f32;
        Self {
            mean: mean as f32,
            deviation: if deviation > 0.0 { deviation } else { 1.0 },
        }
    }

    /// From the target's unit.
    pub fn apply(&self, target: f32) -> f32 {
        (target - self.mean) / self.deviation
    }

    /// Back to the target's unit.
    pub fn invert(&self, number: f32) -> f32 {
        number * self.deviation + self.mean
    }
}

/// One head's rows.
#[derive(Clone, Debug)]
pub struct HeadData<'d> {
    /// The head.
    pub head: Head,
    /// What it reads.
    pub inputs: Inputs<'d>,
    /// What it should give.
    pub targets: Targets<'d>,
    /// Rows by what they are for.
    pub split: Split,
}

/// What a head reads.
#[derive(Clone, Debug)]
pub enum Inputs<'d> {
    /// `rows × width` model inputs.
    Rows {
        /// The numbers.
        values: Vec<f32>,
        /// Model inputs per row.
        width: usize,
    },
    /// Pictures.
    Pictures(&'d SegmentationData),
}

/// What a head should give.
#[derive(Clone, Debug)]
pub enum Targets<'d> {
    /// A class per row.
    Labels {
        /// Class indices.
        labels: &'d [u16],
        /// How many classes there are.
        classes: usize,
    },
    /// A class per pixel.
    Masks(&'d SegmentationData),
    /// The picture itself, as the original demo has it; masks stand in where a class is asked for.
    OwnPixels(&'d SegmentationData),
    /// A number per row.
    Numbers {
        /// In the target's unit.
        targets: &'d [f32],
        /// How they are scaled in training.
        scale: Standardisation,
    },
    /// Every reading of the row, as the original demo has it; `targets` stand in where one number is asked for.
    OwnReadings {
        /// The readings.
        readings: &'d Readings,
        /// Their mean per row.
        targets: &'d [f32],
    },
}

impl<'d> HeadData<'d> {
    /// Rows of `head` in `dataset`, with the model inputs of its readings; `None` if the data set has none.
    pub fn new(dataset: &'d Dataset, head: Head, values: Option<Vec<f32>>) -> Option<Self> {
        let own = dataset.inputs_as_targets.contains(head);
        let rows = |readings: &Readings| {
            let values = values.clone().unwrap_or_default();
            let width = values.len() / readings.rows().max(1);
            Inputs::Rows { values, width }
        };
        let (inputs, targets, split) = match head {
            Head::Classification => {
                let data = dataset.classification.as_ref()?;
                let targets = Targets::Labels {
                    labels: &data.labels,
                    classes: data.classes.len(),
                };
                (rows(&data.readings), targets, &data.split)
            }
            Head::Segmentation => {
                let data = dataset.segmentation.as_ref()?;
                let targets = if own { Targets::OwnPixels(data) } else { Targets::Masks(data) };
                (Inputs::Pictures(data), targets, &data.split)
            }
            Head::Regression => {
                let data = dataset.regression.as_ref()?;
                let targets = if own {
                    Targets::OwnReadings {
                        readings: &data.readings,
                        targets: &data.targets,
                    }
                } else {
                    Targets::Numbers {
                        targets: &data.targets,
                        scale: Standardisation::fit(&data.targets, &data.split.train),
                    }
                };
                (rows(&data.readings), targets, &data.split)
            }
        };
        Some(Self {
            head,
            inputs,
            targets,
            split: split.clone(),
        })
    }

    /// The model input that it reads through.
    pub fn slot(&self) -> InputSlot {
        match self.head {
            Head::Classification => InputSlot::Classification,
            Head::Segmentation => InputSlot::Picture,
            Head::Regression => InputSlot::Regression,
        }
    }

    /// The shape of one row's model inputs.
    pub fn shape(&self) -> Shape {
        match &self.inputs {
            Inputs::Rows { width, .. } => Shape::row(*width as u16),
            Inputs::Pictures(data) => Shape::new(data.height as u16, data.width as u16, 3),
        }
    }

    /// How often each class occurs in the training rows: in rows, or in pixels. Empty for a head without classes.
    pub fn class_counts(&self) -> Vec<usize> {
        let count = |classes: usize, labels: &mut dyn Iterator<Item = usize>| {
            let mut counts = vec![0; classes];
            labels.for_each(|class| counts[class] += 1);
            counts
        };
        match &self.targets {
            Targets::Labels { labels, classes } => {
                count(*classes, &mut self.split.train.iter().map(|&row| labels[row].into()))
            }
            Targets::Masks(data) | Targets::OwnPixels(data) => {
                let pixels = self.split.train.iter().flat_map(|&row| data.mask(row));
                count(data.classes.len(), &mut pixels.map(|&class| class.into()))
            }
            Targets::Numbers { .. } | Targets::OwnReadings { .. } => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standardisation_is_fitted_to_its_rows_only() {
        let scale = Standardisation::fit(&[1.0, 1000.0, 3.0], &[0, 2]);
        assert_eq!((scale.mean, scale.deviation), (2.0, 1.0));
        assert_eq!(scale.invert(scale.apply(7.5)), 7.5);
        assert_eq!(Standardisation::fit(&[4.0, 4.0], &[0, 1]).deviation, 1.0);
    }
}
