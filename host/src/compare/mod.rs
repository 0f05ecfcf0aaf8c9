//! Does training heads together help? Each head alone against all together, over paired seeds.
//!
//! A pair shares its seed: the same split, the same first weights in every layer that both have, the same rows in every step,
//! the same changes of pictures. Alone, a head keeps all its layers and inputs; what goes is the other heads' influence on the
//! weights they share. Both are judged on the test rows, at the epoch that the validation rows chose.
//!
//! Heads that share no weights are not trained: together or alone, they get the same weights to the bit.
//!
//! Start with [`compare`]; [`Comparison`] is what `trident compare --json` prints.

pub mod figures;
pub mod interval;
pub mod plot;
mod summary;
mod trainings;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use trident::spec::Head;

use crate::config::{Balancing, Config};
use crate::data::Dataset;
use crate::run::{RunError, lock};
use crate::train::{Options, Plan, TrainError};
use figures::Better;
use interval::Mean;
use trainings::{Arm, RUNS, train_seed};

/// The result in a comparison's folder.
pub const REPORT: &str = "compare.json";
/// The drawing beside it.
pub const DRAWING: &str = "compare.svg";

/// How much to compare.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many seeds, from that of the configuration on.
    pub seeds: usize,
    /// Ways to balance the joint losses.
    pub balancing: Vec<Balancing>,
    /// Every so many steps the heads' gradients are compared.
    pub measure_every: u64,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The network.
    pub preset: String,
    /// Seeds of the pairs.
    pub seeds: Vec<u64>,
    /// Rows that figures are of.
    pub test_rows: usize,
    /// How intervals are made.
    pub interval: String,
    /// Heads that share weights with no other: together or alone is the same for them.
    pub independent: Vec<String>,
    /// Heads that share weights, group by group and way by way.
    pub joint: Vec<Joint>,
}

/// A group of heads, trained together in one way, against each of them alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Joint {
    /// How losses were balanced.
    pub balancing: String,
    /// Mean improvement over the heads' first figures, in percent.
    pub delta_p_percent: Option<Mean>,
    /// Head by head.
    pub heads: Vec<HeadComparison>,
    /// How far heads agreed, pair by pair.
    pub cosines: Vec<PairCosines>,
}

/// One head.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeadComparison {
    /// Its name.
    pub head: String,
    /// Trained numbers that it needs.
    pub parameters: usize,
    /// Its figures; Δp counts the first.
    pub figures: Vec<FigureComparison>,
    /// `ln σ²` of its loss at the end, where variances are learnt.
    pub log_variance: Option<Mean>,
}

/// One figure of one head.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FigureComparison {
    /// Its name.
    pub figure: String,
    /// What is better.
    pub better: Better,
    /// Trained alone.
    pub alone: Mean,
    /// Trained together.
    pub joint: Mean,
    /// Together minus alone, seed by seed.
    pub difference: Mean,
    /// By how many percent together is better, seed by seed.
    pub improvement_percent: Option<Mean>,
}

/// How far two heads' gradients agreed on the weights they share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairCosines {
    /// The heads.
    pub heads: [String; 2],
    /// Over all epochs.
    pub all: Mean,
    /// Epoch by epoch, the mean over seeds.
    pub epochs: Vec<EpochMean>,
}

/// One epoch's mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochMean {
    /// Counted from 1.
    pub epoch: u64,
    /// Over seeds.
    pub cosine: Mean,
}

/// Why a comparison ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompareError {
    /// A training.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The folder.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Nothing to judge by.
    #[error("there are no test rows to judge by; set `test` under [split] to more than 0")]
    NoTestRows,
    /// No pairs.
    #[error("at least 1 seed is needed, and 2 for an interval")]
    NoSeeds,
    /// The folder holds something else.
    #[error("{}: the folder is not empty and holds no comparison; name another with `-o`", folder.display())]
    Occupied {
        /// The folder.
        folder: PathBuf,
    },
    /// A training of other data or settings.
    #[error("{}: made with other data or settings; compare into another folder with `-o`, or remove this one", path.display())]
    OtherSettings {
        /// The file.
        path: PathBuf,
    },
    /// A file that was cut or edited.
    #[error("{}: {source}; remove it, and the training is done again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A file that cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The drawing.
    #[error("cannot draw: {0}")]
    Drawing(String),
    /// It was asked to stop.
    #[error("interrupted; the same command goes on: finished trainings stay in {}", folder.join(RUNS).display())]
    Interrupted {
        /// The folder.
        folder: PathBuf,
    },
}

/// Checks a folder before data are read, and makes nothing.
///
/// # Errors
/// If it holds anything but a comparison.
pub fn refuse_occupied(folder: &Path) -> Result<(), CompareError> {
    let occupied = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    let ours = folder.join(RUNS).is_dir() || folder.join(REPORT).is_file();
    if folder.is_file() || (occupied && !ours) {
        return Err(CompareError::Occupied {
            folder: folder.to_owned(),
        });
    }
    Ok(())
}

/// Trains what is not there yet, and writes [`REPORT`] and, if anything was trained, [`DRAWING`] into `folder`.
///
/// # Errors
/// What cannot be trained or written, or the interruption; trainings that are done stay.
pub fn compare(
    config: &Config,
    dataset: &Dataset,
    folder: &Path,
    settings: &Settings,
    options: &Options,
) -> Result<Comparison, CompareError> {
    if settings.seeds == 0 {
        return Err(CompareError::NoSeeds);
    }
    let mut config = config.clone();
    config.train.balancing = Balancing::Fixed;
    let plan = Plan::new(&config, dataset)?;
    let seeds: Vec<u64> = (0..settings.seeds as u64)
        .map(|index| config.train.seed + index)
        .collect();
    let test_rows = plan
        .groups()
        .iter()
        .map(|group| plan.test_rows(group))
        .min()
        .unwrap_or(0);
    let sharing: Vec<usize> = (0..plan.groups().len())
        .filter(|&group| plan.groups()[group].shares_weights())
        .collect();
    if !sharing.is_empty() && test_rows == 0 {
        return Err(CompareError::NoTestRows);
    }
    let file = |path: &Path, source| CompareError::File {
        path: path.to_owned(),
        source,
    };
    let made = if sharing.is_empty() {
        folder.to_owned()
    } else {
        folder.join(RUNS)
    };
    std::fs::create_dir_all(&made).map_err(|source| file(&made, source))?;
    let _lock = lock(folder)?;
    let independent = plan.groups().iter().filter(|group| !group.shares_weights());
    let independent = independent.flat_map(|group| group.heads.iter());
    let mut comparison = Comparison {
        preset: config.train.preset.name().to_owned(),
        seeds: seeds.clone(),
        test_rows,
        interval: "paired t over seeds, 95 %".to_owned(),
        independent: independent.map(|head| head.name().to_owned()).collect(),
        joint: Vec::new(),
    };
    for group in sharing {
        let heads: Vec<Head> = plan.groups()[group].heads.iter().collect();
        let mut arms: Vec<Arm> = heads.iter().map(|&head| Arm::Alone(head)).collect();
        arms.extend(settings.balancing.iter().map(|&balancing| Arm::Joint(balancing)));
        let mut pairs = Vec::new();
        for &seed in &seeds {
            config.train.seed = seed;
            pairs.push(train_seed(
                &config,
                dataset,
                folder,
                (group, &arms),
                settings.measure_every,
                options,
            )?);
        }
        let ways = settings.balancing.iter();
        comparison
            .joint
            .extend(ways.map(|&balancing| summary::joint(&pairs, &heads, balancing)));
    }
    trainings::write(&folder.join(REPORT), &comparison)?;
    if !comparison.joint.is_empty() {
        let path = folder.join(DRAWING);
        let svg = plot::drawing(&comparison).map_err(CompareError::Drawing)?;
        crate::run::sealed::write_whole(&path, svg.as_bytes()).map_err(|source| file(&path, source))?;
    }
    Ok(comparison)
}
