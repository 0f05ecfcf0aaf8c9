//! What a Gaussian process teaches a head: it is fitted when training begins, and the run folder remembers its kernel, so that a
//! training that goes on learns from the same one.

use std::sync::atomic::Ordering;

use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use trident::spec::Head;

use super::process::{FEWEST, Fit, Kernel, MOST, Observations, Process};
use super::{FreshPoints, Lesson, fresh, held_out};
use crate::data::{Dataset, Readings};
use crate::run::{Run, RunError};
use crate::train::batch::HeadTraining;
use crate::train::prepare::{HeadData, Targets};
use crate::train::random::{Draw, generator};
use crate::train::recipe::Recipe;
use crate::train::{Options, groups::Group};
use crate::transform::InputTransform;

/// The file that remembers it.
const FILE: &str = "process.json";

/// A Gaussian process that taught the regression head.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProcessRecord {
    /// Names everything that the training depended on.
    pub identity: String,
    /// How many rows it knows.
    pub rows: usize,
    /// The readings, as the kernel's length scales are ordered.
    pub readings: Vec<String>,
    /// The logarithm of the likelihood of the rows' targets, in standard deviations of the target.
    pub log_likelihood: f64,
    /// Its kernel: length scales in standard deviations of each reading's first model input.
    pub kernel: Kernel,
}

/// Why no Gaussian process can teach a head; `None` if one can.
pub(in crate::train) fn obstacle(data: &HeadData, recipe: &Recipe, groups: &[Group]) -> Option<String> {
    let Targets::Numbers { targets, .. } = data.targets else {
        return Some("only a head of one number can learn from it".to_owned());
    };
    let rows = &data.split.train;
    let shares = |group: &&Group| group.heads.contains(data.head) && group.heads.iter().count() > 1;
    match rows.len() {
        _ if recipe.fresh == 0.0 || recipe.distill == 0.0 => {
            Some("it labels points beside the rows; `fresh` and `distill` must be above 0".to_owned())
        }
        _ if groups.iter().any(|group| shares(&group)) => {
            Some("the head shares layers with others, which cannot see the points that it would label".to_owned())
        }
        few if few < FEWEST => Some(format!("{few} training rows are too few; it takes {FEWEST}")),
        many if many > MOST => Some(format!("{many} training rows are too many; it takes up to {MOST}")),
        _ if rows.iter().all(|&row| targets[row] == targets[rows[0]]) => {
            Some("the target is the same in every training row".to_owned())
        }
        _ => None,
    }
}

/// The lesson of one head and who gave it; `None` if the fit was interrupted. `identity` names the training, whose `run` may
/// remember the process from before.
///
/// # Errors
/// If the run folder cannot be read or written.
///
/// # Panics
/// If there is an [`obstacle`].
pub(in crate::train) fn lesson(
    training: &HeadTraining<'_>,
    dataset: &Dataset,
    transform: &InputTransform,
    identity: &str,
    run: Option<&Run>,
    options: &Options,
) -> Result<Option<Lesson>, RunError> {
    let (data, recipe) = (&training.data, &training.recipe);
    let readings = held_out::readings(dataset, data.head).expect("a head of readings");
    let rows = &data.split.train;
    let seen = observations(data, readings, transform, rows);
    let remembered = run.map(of_run).transpose()?.flatten();
    let remembered = remembered.filter(|record| record.identity == identity && record.kernel.is_sound(seen.axes()));
    let kernel = match &remembered {
        Some(record) => record.kernel.clone(),
        None => {
            let mut shuffled = rows.clone();
            shuffled.shuffle(&mut generator(training.seed, data.head, Draw::Process, 0, 0));
            match fitted(&observations(data, readings, transform, &shuffled), data.head, options) {
                None => return Ok(None),
                Some(kernel) => kernel,
            }
        }
    };
    let process = process(kernel, &seen);
    let record = ProcessRecord {
        identity: identity.to_owned(),
        rows: rows.len(),
        readings: readings.features.clone(),
        log_likelihood: process.likelihood,
        kernel: process.kernel.clone(),
    };
    if remembered.is_none() {
        options.progress.say(&format!("{}: {record}", data.head.name()));
        run.map(|run| run.write_json(FILE, &record)).transpose()?;
    }
    let mut rng = generator(training.seed, data.head, Draw::FreshPoints, 0, 0);
    let count = fresh::count(rows.len());
    let points = fresh::points(recipe.points, readings, rows, transform, count, &mut rng);
    let mut inputs = Vec::with_capacity(count * transform.len());
    let each = points.chunks_exact(readings.features.len());
    each.clone().for_each(|point| transform.apply(point, &mut inputs));
    let axes: Vec<f64> = each.flat_map(|point| axes(transform, point)).collect();
    let fresh = FreshPoints {
        soft: process.means(&axes).into_iter().map(|mean| mean as f32).collect(),
        inputs,
        count,
    };
    // Of its own rows the process says what their labels do.
    let soft = Vec::new();
    Ok(Some(Lesson::new(readings.rows(), rows, soft, Some(fresh))))
}

/// The process that taught a run's regression head, if one did.
///
/// # Errors
/// If its file is damaged.
pub(in crate::train) fn of_run(run: &Run) -> Result<Option<ProcessRecord>, RunError> {
    run.path(FILE).exists().then(|| run.read_json(FILE)).transpose()
}

/// The likeliest kernel; `None` if the search was interrupted.
fn fitted(observations: &Observations, head: Head, options: &Options) -> Option<Kernel> {
    let mut fit = Fit::new(observations);
    let all = fit.steps_left();
    let mut step = options.progress.step(&format!("{} teacher", head.name()), all as u64);
    loop {
        if options.interrupted.load(Ordering::Relaxed) {
            step.finish("interrupted");
            return None;
        }
        if let Some(kernel) = fit.step() {
            step.finish("Gaussian process fitted");
            return Some(kernel);
        }
        step.set((all - fit.steps_left()) as u64, "fitting a Gaussian process");
    }
}

/// With more noise than the fit found if there is no other way: a kernel that suits some rows may be too flat for all of them.
fn process(mut kernel: Kernel, seen: &Observations) -> Process {
    loop {
        if let Some(process) = Process::new(kernel.clone(), seen.clone()) {
            return process;
        }
        kernel.noise *= 10.0;
    }
}

fn observations(data: &HeadData, readings: &Readings, transform: &InputTransform, rows: &[usize]) -> Observations {
    let Targets::Numbers { targets, scale } = &data.targets else {
        unreachable!("no other head learns from a process")
    };
    Observations {
        points: rows
            .iter()
            .flat_map(|&row| axes(transform, readings.row(row)))
            .collect(),
        targets: rows.iter().map(|&row| f64::from(scale.apply(targets[row]))).collect(),
    }
}

/// Where a row of readings lies.
fn axes(transform: &InputTransform, row: &[f32]) -> impl Iterator<Item = f64> {
    row.iter()
        .enumerate()
        .map(|(feature, &reading)| f64::from(transform.axis(feature, reading)))
}

impl std::fmt::Display for ProcessRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "a Gaussian process on {} rows teaches: log likelihood {:.1}, noise {:.3} of the target's standard deviation",
            self.rows,
            self.log_likelihood,
            self.kernel.noise.sqrt()
        )?;
        for (name, component) in [("Matérn", &self.kernel.matern), ("smooth", &self.kernel.rbf)] {
            write!(f, "; {name} {:.3}, lengths", component.variance.sqrt())?;
            for (reading, length) in self.readings.iter().zip(&component.lengths) {
                write!(f, " {reading} {length:.3}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
