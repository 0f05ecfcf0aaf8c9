//! `[train]`: how to train, in general and per head.

use std::path::PathBuf;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use trident::spec::Head;

use super::DeviceChoice;

/// How to train.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainConfig {
    /// The network, and what is not said here.
    pub preset: Preset,
    /// Of weights, batches and augmentation. The split has its own.
    pub seed: u64,
    /// What computes.
    pub backend: Backend,
    /// What computes instead, if anything does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceChoice>,
    /// Whether float training is followed by one with the numbers that int8 rounds to; unless it says, only for a head that a Gaussian
    /// process teaches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qat: Option<bool>,
    /// What else balances heads that share layers.
    pub balancing: Balancing,
    /// Runs, or CSV files of soft labels, whose mean the heads also learn from: see [`teacher`](crate::train::teacher).
    #[serde(deserialize_with = "one_or_more", skip_serializing_if = "Vec::is_empty")]
    pub teacher: Vec<PathBuf>,
    /// How much each head's loss counts in the sum.
    pub loss_weights: LossWeights,
    /// Changes of training pictures.
    pub augmentation: Augmentation,
    /// Settings of the classification head.
    #[serde(skip_serializing_if = "HeadOverrides::is_empty")]
    pub classification: HeadOverrides,
    /// Settings of the segmentation head.
    #[serde(skip_serializing_if = "HeadOverrides::is_empty")]
    pub segmentation: HeadOverrides,
    /// Settings of the regression head.
    #[serde(skip_serializing_if = "HeadOverrides::is_empty")]
    pub regression: HeadOverrides,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            preset: Preset::default(),
            seed: 1,
            backend: Backend::default(),
            device: None,
            qat: None,
            balancing: Balancing::default(),
            teacher: Vec::new(),
            loss_weights: LossWeights::default(),
            augmentation: Augmentation::default(),
            classification: HeadOverrides::default(),
            segmentation: HeadOverrides::default(),
            regression: HeadOverrides::default(),
        }
    }
}

impl TrainConfig {
    /// Settings of one head.
    pub const fn head(&self, head: Head) -> &HeadOverrides {
        match head {
            Head::Classification => &self.classification,
            Head::Segmentation => &self.segmentation,
            Head::Regression => &self.regression,
        }
    }

    /// Trains every head, or none, with int8's rounding, whatever was said of it before.
    pub fn set_qat(&mut self, qat: bool) {
        self.qat = Some(qat);
        Head::ALL.into_iter().for_each(|head| self.head_mut(head).qat = None);
    }

    /// Settings of one head, to change them.
    pub const fn head_mut(&mut self, head: Head) -> &mut HeadOverrides {
        match head {
            Head::Classification => &mut self.classification,
            Head::Segmentation => &mut self.segmentation,
            Head::Regression => &mut self.regression,
        }
    }
}

/// A network with its training recipe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// Small towers and a depthwise-separable encoder-decoder: for microcontrollers.
    #[default]
    Edge,
    /// The original demo, layer for layer: 7,105,666 parameters.
    Seed,
    /// One trunk that all heads share, for rows that belong together.
    Fused,
}

impl Preset {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Edge, Self::Seed, Self::Fused];

    /// As it stands in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::Seed => "seed",
            Self::Fused => "fused",
        }
    }
}

/// How the losses of heads that share layers are brought together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Balancing {
    /// Their sum, each times its weight under `loss_weights`.
    #[default]
    Fixed,
    /// Each divided by a variance that is learnt (Kendall, Gal, Cipolla, 2018).
    Uncertainty,
    /// Their gradients in shared layers, each freed of what works against another (Yu et al., 2020).
    PcGrad,
}

impl Balancing {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Fixed, Self::Uncertainty, Self::PcGrad];

    /// As it stands in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Uncertainty => "uncertainty",
            Self::PcGrad => "pcgrad",
        }
    }
}

/// What computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// Burn's fast CPU backend.
    #[default]
    Flex,
    /// Burn's older CPU backend, seven times slower: the second opinion.
    Ndarray,
}

impl Backend {
    /// As it stands in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flex => "flex",
            Self::Ndarray => "ndarray",
        }
    }
}

/// The rule that turns gradients into steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Optimizer {
    /// Adam; weight decay joins the gradient.
    Adam,
    /// Adam with decoupled weight decay.
    AdamW,
}

/// How much each head's loss counts in the sum.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LossWeights {
    /// Of the classification loss; more than 0.
    #[serde(deserialize_with = "positive")]
    pub classification: f64,
    /// Of the segmentation loss; more than 0.
    #[serde(deserialize_with = "positive")]
    pub segmentation: f64,
    /// Of the regression loss; more than 0.
    #[serde(deserialize_with = "positive")]
    pub regression: f64,
}

impl Default for LossWeights {
    fn default() -> Self {
        Self {
            classification: 1.0,
            segmentation: 1.0,
            regression: 1.0,
        }
    }
}

/// Random changes of training pictures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Augmentation {
    /// Mirror half of the pictures.
    pub flips: bool,
    /// Turn by 0, 90, 180 or 270 degrees; pictures that are not square only by 0 or 180.
    pub quarter_turns: bool,
    /// Multiply a picture's pixels by a factor within `1 ± brightness`; 0 is off.
    #[serde(deserialize_with = "share")]
    pub brightness: f32,
    /// Multiply each colour channel by a factor within `1 ± colour`; 0 is off.
    #[serde(deserialize_with = "share")]
    pub colour: f32,
    /// Enlarge a random part of the picture whose side is at least `1 − zoom` of the whole; 0 is off.
    #[serde(deserialize_with = "share", skip_serializing_if = "is_off")]
    pub zoom: f32,
    /// Share of the pictures that give way to a crop that reaches into a neighbouring tile of the same photograph; 0 is off. It concerns
    /// pictures of which is known where they were cut out, and that have a training picture beside them.
    #[serde(deserialize_with = "share")]
    pub crop: f32,
}

impl Default for Augmentation {
    fn default() -> Self {
        Self {
            flips: true,
            quarter_turns: true,
            brightness: 0.0,
            colour: 0.0,
            zoom: 0.0,
            crop: 0.5,
        }
    }
}

/// What is added to the pixelwise loss of a segmentation head, so that rare classes count by area, not by pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RegionLoss {
    /// Nothing.
    None,
    /// One minus the mean Dice coefficient of the batch.
    Dice,
    /// The Lovász extension of one minus the mean IoU (Berman et al., 2018).
    Lovasz,
}

/// What a regression head makes small.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Distance {
    /// The squared error.
    Squared,
    /// The squared error up to one standard deviation of the target, linear beyond.
    Huber,
}

/// How points beside the training rows are made of pairs of them, for a teacher to label.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Points {
    /// Each reading is that of one of the two.
    Crossed,
    /// A share of the way from one to the other, and noise.
    #[default]
    Mixed,
}

/// What a head's training does otherwise than the preset says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HeadOverrides {
    /// Passes over the training rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<usize>,
    /// Rows per step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<usize>,
    /// Highest learning rate of the schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
    /// Pull of weights towards zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<f64>,
    /// The rule that turns gradients into steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optimizer: Option<Optimizer>,
    /// Share of the steps in which the learning rate rises, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup: Option<f64>,
    /// Whether the learning rate then falls along a cosine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cosine: Option<bool>,
    /// Decay of the averaged weights per step, below 1; 0 keeps no average.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ema: Option<f64>,
    /// Epochs without a better validation figure after which training stops.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patience: Option<usize>,
    /// Share of hidden values set to zero in training, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropout: Option<f64>,
    /// How far labels are moved towards uniform, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_smoothing: Option<f64>,
    /// Weight of each class in the loss, in class order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_weights: Option<Vec<f32>>,
    /// Whether validation rows are trained on too; then the last weights are kept, since no rows are left to choose by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_on_validation: Option<bool>,
    /// Exponent of the focal loss of the segmentation head's pixels, 1 to 5: how much less a pixel counts the surer the model is of its
    /// class; 0 counts all alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub focal: Option<f64>,
    /// What is added to the segmentation head's pixelwise loss.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<RegionLoss>,
    /// What the regression head makes small.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distance: Option<Distance>,
    /// Whether the head is trained on with int8's rounding, whatever `qat` under `[train]` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qat: Option<bool>,
    /// Epochs of quantisation-aware training.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qat_epochs: Option<usize>,
    /// Highest learning rate of quantisation-aware training.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qat_learning_rate: Option<f64>,
    /// Whether the regression head learns from a Gaussian process on its training rows, unless another teacher teaches it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<bool>,
    /// Share of the teacher in the loss, 0 to 1; the rest is the labels'.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distill: Option<f64>,
    /// Points labelled by the teacher that stand beside each training row of a step, 0 to 16.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fresh: Option<f64>,
    /// How those points are made, where the teacher is a run or a Gaussian process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub points: Option<Points>,
}

impl HeadOverrides {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A path, or a list of paths.
fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PathBuf>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a run folder or CSV file, or a list of them")]
    enum Paths {
        One(PathBuf),
        More(Vec<PathBuf>),
    }
    Ok(match Paths::deserialize(deserializer)? {
        Paths::One(path) => vec![path],
        Paths::More(paths) => paths,
    })
}

fn positive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    match f64::deserialize(deserializer)? {
        weight if weight > 0.0 && weight.is_finite() => Ok(weight),
        weight => Err(D::Error::custom(format!(
            "{weight} is not a positive number; a head that shall not be trained needs no section"
        ))),
    }
}

/// Whether a change of pictures is switched off: then it does not show in what names a training.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_off(share: &f32) -> bool {
    *share == 0.0
}

fn share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f32, D::Error> {
    match f32::deserialize(deserializer)? {
        share if (0.0..=1.0).contains(&share) => Ok(share),
        share => Err(D::Error::custom(format!("{share} is not between 0 and 1"))),
    }
}
