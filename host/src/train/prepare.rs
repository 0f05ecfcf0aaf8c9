//! What a head learns from, ready for batches: model inputs and targets of every row.

use trident::spec::{Head, InputSlot, ModelSpec, Shape};

use crate::data::{Dataset, Readings, SegmentationData, Split};
use crate::quantize::readings::ReadingCodes;
use crate::run::Transforms;
use crate::transform::{InputTransform, Standard};

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
    /// What the other heads read, where rows of one number belong together.
    pub beside: Vec<(InputSlot, Inputs<'d>)>,
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
        scale: Standard,
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
                let targets = if own {
                    Targets::OwnPixels(data)
                } else {
                    Targets::Masks(data)
                };
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
                        scale: Standard::fit(data.split.train.iter().map(|&row| data.targets[row])),
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
            beside: Vec::new(),
        })
    }

    /// Rows of `head` in `dataset` as a trained model reads them; `None` if there are none, or the model has no such head.
    pub fn with_transforms(dataset: &'d Dataset, head: Head, transforms: &Transforms) -> Option<Self> {
        let mut data = Self::transformed(dataset, head, transforms)?;
        if dataset.aligned {
            let others = Head::ALL.into_iter().filter(|&other| other != head);
            let others = others.filter_map(|other| Self::transformed(dataset, other, transforms));
            data.beside = others.map(|other| (other.slot(), other.inputs)).collect();
        }
        if let (Targets::Numbers { scale, .. }, Some(target)) = (&mut data.targets, transforms.target) {
            *scale = target;
        }
        Some(data)
    }

    fn transformed(dataset: &'d Dataset, head: Head, transforms: &Transforms) -> Option<Self> {
        let apply = |readings: &Readings, transform: &InputTransform| {
            let mut values = Vec::with_capacity(readings.rows() * transform.len());
            (0..readings.rows()).for_each(|row| transform.apply(readings.row(row), &mut values));
            values
        };
        let values = match head {
            Head::Classification => Some(apply(
                &dataset.classification.as_ref()?.readings,
                transforms.classification.as_ref()?,
            )),
            Head::Segmentation => None,
            Head::Regression => Some(apply(
                &dataset.regression.as_ref()?.readings,
                transforms.regression.as_ref()?,
            )),
        };
        Self::new(dataset, head, values)
    }

    /// The model input that it reads through.
    pub fn slot(&self) -> InputSlot {
        match self.head {
            Head::Classification => InputSlot::Classification,
            Head::Segmentation => InputSlot::Picture,
            Head::Regression => InputSlot::Regression,
        }
    }

    /// The slots that its head in a model reads: its own, and in a model with a trunk others.
    pub fn slots(&self, spec: &ModelSpec) -> Vec<InputSlot> {
        let need = spec.heads_of_values();
        let read = spec
            .inputs
            .iter()
            .zip(&need)
            .filter(|(_, heads)| heads.contains(self.head));
        read.map(|(input, _)| input.slot).collect()
    }

    /// The shape of one row's model inputs.
    pub fn shape(&self) -> Shape {
        match &self.inputs {
            Inputs::Rows { width, .. } => Shape::row(*width as u16),
            Inputs::Pictures(data) => Shape::new(data.height as u16, data.width as u16, 3),
        }
    }

    /// How the head's number relates to the target's unit; as it stands for a head without a number.
    pub fn target(&self) -> Standard {
        match self.targets {
            Targets::Numbers { scale, .. } => scale,
            _ => Standard { mean: 0.0, sd: 1.0 },
        }
    }

    /// Stretches the model inputs of its readings.
    pub(super) fn stretch(&mut self, codes: &ReadingCodes) {
        let own = (self.slot(), &mut self.inputs);
        let beside = self.beside.iter_mut().map(|(slot, inputs)| (*slot, inputs));
        for (slot, inputs) in std::iter::once(own).chain(beside) {
            if let Inputs::Rows { values, .. } = inputs {
                codes.stretch_values(slot, values);
            }
        }
    }

    /// Makes every row a training row, so that none is left to judge by.
    pub(super) fn train_on_all(&mut self) {
        let mut rows = [&self.split.train[..], &self.split.validation, &self.split.test].concat();
        rows.sort_unstable();
        self.split = Split {
            train: rows,
            ..Split::default()
        };
    }

    /// Makes the validation rows training rows.
    pub(super) fn train_on_validation(&mut self) {
        self.split.train.append(&mut self.split.validation);
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
