//! The trainings that a comparison needs, each kept in a file of its own once it is done.
//!
//! `runs/seed-3-regression.json` holds the regression head trained alone, `runs/seed-3-joint-pcgrad.json` all heads of a group
//! together. A file that is there is not trained again; one of other data or settings is refused.

use std::path::Path;

use trident::spec::Head;

use super::CompareError;
use crate::config::{Balancing, Config};
use crate::data::Dataset;
use crate::run::sealed::write_whole;
use crate::train::groups::Group;
use crate::train::{Options, Plan, Rehearsal};

/// Folder of the files, inside a comparison's.
pub(super) const RUNS: &str = "runs";

/// Which training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arm {
    /// One head by itself.
    Alone(Head),
    /// All heads of a group.
    Joint(Balancing),
}

/// All trainings of one seed, in the order of `arms`.
pub(super) struct SeedRuns {
    pub arms: Vec<Arm>,
    pub runs: Vec<Rehearsal>,
}

impl SeedRuns {
    /// One training's figures.
    pub fn of(&self, arm: Arm) -> Option<&Rehearsal> {
        let index = self.arms.iter().position(|&own| own == arm)?;
        self.runs.get(index)
    }
}

/// Trains what is not in the folder yet, side by side, for one seed and the group of that number.
pub(super) fn train_seed(
    config: &Config,
    dataset: &Dataset,
    folder: &Path,
    (group, arms): (usize, &[Arm]),
    measure_every: u64,
    options: &Options,
) -> Result<SeedRuns, CompareError> {
    let results: Vec<Result<Rehearsal, CompareError>> = std::thread::scope(|scope| {
        let train = |arm: Arm| {
            let result = train_arm(config, dataset, folder, (group, arm), measure_every, options);
            if result.is_err() {
                options.fail();
            }
            result
        };
        let trainings: Vec<_> = arms.iter().map(|&arm| scope.spawn(move || train(arm))).collect();
        let join = |training: std::thread::ScopedJoinHandle<'_, _>| {
            training.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        trainings.into_iter().map(join).collect()
    });
    // What stopped the others tells more than that they were stopped.
    let (failed, rest): (Vec<_>, Vec<_>) = results
        .into_iter()
        .partition(|result| matches!(result, Err(error) if !matches!(error, CompareError::Interrupted { .. })));
    let runs = failed.into_iter().chain(rest).collect::<Result<_, _>>()?;
    Ok(SeedRuns {
        arms: arms.to_vec(),
        runs,
    })
}

fn train_arm(
    config: &Config,
    dataset: &Dataset,
    folder: &Path,
    (group, arm): (usize, Arm),
    measure_every: u64,
    options: &Options,
) -> Result<Rehearsal, CompareError> {
    let mut config = config.clone();
    if let Arm::Joint(balancing) = arm {
        config.train.balancing = balancing;
    }
    let plan = Plan::new(&config, dataset)?;
    let whole = &plan.groups()[group];
    let (group, measure_every): (Group, u64) = match arm {
        Arm::Alone(head) => (whole.alone(head), 0),
        Arm::Joint(_) => (whole.clone(), measure_every),
    };
    let name = match arm {
        Arm::Alone(head) => head.name().to_owned(),
        Arm::Joint(balancing) => format!("joint-{}", balancing.name()),
    };
    let label = format!("seed {} {}", config.train.seed, name.replace('-', " "));
    let path = folder
        .join(RUNS)
        .join(format!("seed-{}-{name}.json", config.train.seed));
    if let Some(done) = read(&path)? {
        if done.identity != plan.rehearsal_identity(&group, measure_every) {
            return Err(CompareError::OtherSettings { path });
        }
        options.progress.say(&format!("{label}: done before"));
        return Ok(done);
    }
    let rehearsal =
        plan.rehearse(&group, &label, measure_every, options)?
            .ok_or_else(|| CompareError::Interrupted {
                folder: folder.to_owned(),
            })?;
    write(&path, &rehearsal)?;
    Ok(rehearsal)
}

fn read(path: &Path) -> Result<Option<Rehearsal>, CompareError> {
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|source| CompareError::Damaged {
                path: path.to_owned(),
                source,
            }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(CompareError::File {
            path: path.to_owned(),
            source,
        }),
    }
}

pub(super) fn write(path: &Path, value: &impl serde::Serialize) -> Result<(), CompareError> {
    let mut text = serde_json::to_string_pretty(value).map_err(|source| CompareError::Damaged {
        path: path.to_owned(),
        source,
    })?;
    text.push('\n');
    write_whole(path, text.as_bytes()).map_err(|source| CompareError::File {
        path: path.to_owned(),
        source,
    })
}
