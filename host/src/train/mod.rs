//! Training: from a configuration and data to the best weights in a run folder.
//!
//! [`Plan::new`] checks everything that can be wrong before a folder is made; [`Plan::train`] does the work; [`train`] is both.
//! Heads that share no layer are trained side by side, each with its own epochs and batches. A step is a function of the seed and
//! its own number alone (see [`random`]), so a run that was interrupted goes on to the same bits.

mod adam;
mod augment;
pub mod aware;
pub mod balance;
mod batch;
mod checkpoint;
mod crop;
mod device;
pub mod evaluate;
pub mod groups;
mod loss;
mod plan;
mod prepare;
pub mod random;
mod recipe;
mod session;
mod shared;
mod soft_loss;
mod surgery;
pub mod teacher;
mod teaching;
mod uncertainty;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::data::Dataset;
use crate::export::ExportError;
use crate::model::presets::PresetError;
use crate::progress::Progress;
use crate::run::{Metrics, Run, RunError};
use crate::transform::TransformError;

pub use aware::AwareRecord;
pub use balance::EpochCosine;
pub use checkpoint::EpochRecord;
pub use device::{DeviceError, device, training_device};
pub use evaluate::HeadMetrics;
pub use plan::{Plan, Rehearsal, widths};
pub use prepare::{HeadData, Inputs, Targets};
pub use recipe::Recipe;
pub use teacher::{ProcessRecord, TeacherError, TeacherRecord};

/// What else training is told.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    /// Go on from the run folder's checkpoints, if there are any.
    pub resume: bool,
    /// Set from outside to stop after the step under way; the checkpoint is kept.
    pub interrupted: &'a AtomicBool,
    /// Where progress is shown.
    pub progress: Progress,
}

impl Options<'_> {
    /// Something has failed: what goes on beside it stops at its next step, keeps what it did, and says nothing of that.
    pub(crate) fn fail(&self) {
        self.progress.fail();
        self.interrupted.store(true, Ordering::SeqCst);
    }
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrainSummary {
    /// The run folder.
    pub folder: PathBuf,
    /// Figures of the float model per split and head.
    pub metrics: Metrics,
    /// Epochs done per head.
    pub epochs: BTreeMap<String, u64>,
    /// Trained numbers in the model, batch normalisation folded.
    pub parameters: usize,
    /// Whether the inputs were their own targets and the labels random, so that no figure means anything.
    pub demonstration: bool,
    /// The Gaussian process that the regression head learnt from, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<ProcessRecord>,
    /// The head that no Gaussian process teaches although one would by default, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_process: Option<String>,
    /// How many training pictures have a neighbour that crops reach into, if any has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub neighbours: Option<usize>,
    /// What training with int8's rounding gave, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qat: Option<AwareRecord>,
}

/// Why training did not come to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// No model can be made for the data.
    #[error(transparent)]
    Preset(#[from] PresetError),
    /// The run folder.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Readings that no transform fits.
    #[error("[{head}] {source}")]
    Transform {
        /// The head.
        head: &'static str,
        /// What is wrong.
        source: TransformError,
    },
    /// A teacher cannot teach.
    #[error(transparent)]
    Teacher(Box<TeacherError>),
    /// A setting makes no sense.
    #[error("[train.{head}] {setting}: {problem}")]
    Setting {
        /// The head.
        head: &'static str,
        /// The key in the configuration.
        setting: &'static str,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// Residual blocks for a preset that has none to count.
    #[error(
        "[model] segmentation_blocks: preset `{preset}` has a fixed depth; leave the key out, or choose preset `edge`"
    )]
    NoBlocks {
        /// The preset.
        preset: &'static str,
    },
    /// A list of widths or depths has the wrong length.
    #[error("[model] {key}: {found} numbers given; the tower takes {expected}")]
    Widths {
        /// The key in the configuration.
        key: &'static str,
        /// How many there should be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A model of the user's own does not fit the data.
    #[error("[model.spec]: {0}")]
    OwnSpec(String),
    /// The device is not there.
    #[error("[train] device: {0}")]
    Device(#[from] DeviceError),
    /// No rows to train on.
    #[error("{head}: no rows to train on; make `validation` and `test` under [split] smaller")]
    NoRows {
        /// The head.
        head: &'static str,
    },
    /// Heads that share layers have different rows.
    #[error("{heads} share layers, so each needs the same number of training rows; they have {rows:?}")]
    RowsDiffer {
        /// Their names.
        heads: String,
        /// Training rows of each.
        rows: Vec<usize>,
    },
    /// Heads read each other's rows, but nothing says that these belong together.
    #[error(
        "{heads} read each other's inputs, so row i of every table must be of one moment; if that is so, write `aligned = true` \
         under [split], else choose preset `edge`"
    )]
    NotAligned {
        /// Their names.
        heads: String,
    },
    /// Losses are to be balanced that do not meet anywhere.
    #[error(
        "[train] balancing = \"{balancing}\" means nothing here: the heads share no weights, so each is trained as if it were \
         alone; choose preset `fused`, or balancing = \"fixed\""
    )]
    NothingToBalance {
        /// What was asked for.
        balancing: &'static str,
    },
    /// A trunk's widths for a network without one.
    #[error("[model] trunk: preset `{preset}` has no trunk; choose preset `fused`, or leave it out")]
    NoTrunk {
        /// The preset.
        preset: &'static str,
    },
    /// Heads that share layers are to be trained differently.
    #[error("{heads} share layers, so their epochs, batch, optimiser and schedule under [train] must be the same")]
    RecipesDiffer {
        /// Their names.
        heads: String,
    },
    /// The loss or the weights are not finite any more.
    #[error(transparent)]
    Diverged(#[from] Divergence),
    /// The same of training with int8's rounding, whose float weights are there.
    #[error(
        "with int8's rounding the {head} loss became infinite in epoch {epoch}; lower `qat_learning_rate` under [train.{head}] of {} and go \
         on with `trident train -o {} --resume`; `trident quantize {}` takes the float weights",
        config.display(), folder.display(), folder.display()
    )]
    RoundingDiverged {
        /// The head.
        head: String,
        /// Counted from 1.
        epoch: u64,
        /// The run's configuration.
        config: PathBuf,
        /// The run folder.
        folder: PathBuf,
    },
    /// A checkpoint of other data, settings or teachers.
    #[error(
        "the checkpoint of {group} was made with other data, settings or teachers; train into another folder with `-o`"
    )]
    OtherSession {
        /// The heads.
        group: String,
    },
    /// The optimiser's state cannot be stored or restored.
    #[error("cannot store or restore the optimiser's state: {0}")]
    Optimizer(String),
    /// Labels are coin flips: no figure tells what to keep.
    #[error("`qat` needs real targets: with random labels no figure tells whether it helped; leave it out")]
    NothingToKeep,
    /// What it trains for int8 cannot be quantised or judged.
    #[error(transparent)]
    Export(#[from] Box<ExportError>),
    /// It was asked to stop.
    #[error("interrupted, resume with `trident train -o {} --resume`", folder.display())]
    Interrupted {
        /// The run folder.
        folder: PathBuf,
    },
}

/// A loss or weights that are not finite any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error(
    "the {head} loss became infinite in epoch {epoch}; lower `learning_rate` under [train.{head}] and train into another folder with `-o`: this one would only fail again"
)]
pub struct Divergence {
    /// The head.
    pub head: String,
    /// Counted from 1.
    pub epoch: u64,
}

impl From<TeacherError> for TrainError {
    fn from(error: TeacherError) -> Self {
        Self::Teacher(Box::new(error))
    }
}

/// Trains what the configuration says on `dataset`, into `run`.
///
/// # Errors
/// What cannot be trained, or the interruption; then the run folder's checkpoints are kept.
pub fn train(config: &Config, dataset: &Dataset, run: &Run, options: &Options) -> Result<TrainSummary, TrainError> {
    Plan::new(config, dataset)?.train(run, options)
}

#[cfg(test)]
mod tests;
