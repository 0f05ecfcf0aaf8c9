//! What a Gaussian process teaches a head: it is fitted when training begins, and the run folder remembers its kernel, so that a
//! training that goes on learns from the same one.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use trident::spec::Head;

use super::process::{FEWEST, Fit, Kernel, MOST, Observations, Process};
use super::{FreshPoints, Lesson, fresh, held_out};
use crate::data::{Dataset, Readings, RegressionData, Split};
use crate::run::{Run, RunError};
use crate::train::batch::HeadTraining;
use crate::train::prepare::{HeadData, Targets};
use crate::train::random::{Draw, generator};
use crate::train::recipe::Recipe;
use crate::train::{Options, groups::Group};
use crate::transform::InputTransform;

/// The file that remembers it.
const FILE: &str = "process.json";

/// How many points judge, the fewest that tell anything, and how many are drawn in search of them.
const EXAM_POINTS: usize = 4_096;
const FEWEST_EXAM_POINTS: usize = 100;
const EXAM_DRAWS: usize = 8 * EXAM_POINTS;

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

/// A head that a Gaussian process teaches.
pub(in crate::train) struct Pupil<'p> {
    /// The head; for it there is no [`obstacle`].
    pub training: &'p HeadTraining<'p>,
    /// Its data.
    pub dataset: &'p Dataset,
    /// How its readings become model inputs.
    pub transform: &'p InputTransform,
    /// Names the training, whose run may remember the process from before.
    pub identity: String,
}

impl Pupil<'_> {
    /// What the process teaches: points beside the training rows; `None` if the fit was interrupted.
    ///
    /// # Errors
    /// If the run folder cannot be read or written, or remembers what no fit gave.
    pub fn lesson(&self, run: Option<&Run>, options: &Options) -> Result<Option<Lesson>, RunError> {
        let Some(process) = self.process(run, options)? else {
            return Ok(None);
        };
        let (readings, rows) = (self.readings(), &self.training.data.split.train);
        let points = self.taught_points();
        let count = points.len() / readings.features.len();
        let mut inputs = Vec::with_capacity(count * self.transform.len());
        let each = points.chunks_exact(readings.features.len());
        each.for_each(|point| self.transform.apply(point, &mut inputs));
        let fresh = FreshPoints {
            soft: self.labels(&process, &points),
            inputs,
            count,
        };
        // Of its own rows the process says what their labels do.
        let soft = Vec::new();
        Ok(Some(Lesson::new(readings.rows(), rows, soft, Some(fresh))))
    }

    /// Points that are neither training rows nor of the [`lesson`](Self::lesson), with what the process says of them for targets: data
    /// of which every row is one of validation, without rows where there are too few such points to judge by. Crossed readings that
    /// take a handful of values leave few, and a reading that is alone leaves none. `None` if the fit was interrupted.
    ///
    /// # Errors
    /// As [`Pupil::lesson`].
    pub fn exam(&self, run: &Run, options: &Options) -> Result<Option<Dataset>, RunError> {
        let Some(process) = self.process(Some(run), options)? else {
            return Ok(None);
        };
        let (readings, data) = (self.readings(), &self.training.data);
        let features = readings.features.len();
        let bits = |row: &[f32]| row.iter().map(|reading| reading.to_bits()).collect::<Vec<u32>>();
        let taught = self.taught_points();
        let rows = data.split.train.iter().map(|&row| readings.row(row));
        let learnt: HashSet<Vec<u32>> = rows.chain(taught.chunks_exact(features)).map(bits).collect();
        let drawn = self.points(Draw::Exam, EXAM_DRAWS);
        let new = drawn
            .chunks_exact(features)
            .filter(|point| !learnt.contains(&bits(point)));
        let mut judges: Vec<&[f32]> = new.take(EXAM_POINTS).collect();
        if judges.len() < FEWEST_EXAM_POINTS {
            judges.clear();
        }
        let values = judges.concat();
        let soft = self.labels(&process, &values).into_iter();
        let targets: Vec<f32> = soft.map(|soft| data.target().restore(soft)).collect();
        Ok(Some(Dataset {
            regression: Some(RegressionData {
                readings: Readings {
                    features: readings.features.clone(),
                    values,
                },
                split: Split {
                    validation: (0..targets.len()).collect(),
                    ..Split::default()
                },
                target: String::new(),
                targets,
            }),
            ..Dataset::default()
        }))
    }

    /// The process on the training rows, remembered or fitted; `None` if the fit was interrupted.
    fn process(&self, run: Option<&Run>, options: &Options) -> Result<Option<Process>, RunError> {
        let (data, rows) = (&self.training.data, &self.training.data.split.train);
        let seen = self.observations(rows);
        let remembered = run.map(of_run).transpose()?.flatten();
        let remembered = remembered.filter(|record| record.identity == self.identity);
        let kernel = match &remembered {
            Some(record) => record.kernel.clone(),
            None => {
                let mut shuffled = rows.clone();
                shuffled.shuffle(&mut generator(self.training.seed, data.head, Draw::Process, 0, 0));
                match fitted(&self.observations(&shuffled), data.head, options) {
                    None => return Ok(None),
                    Some(kernel) => kernel,
                }
            }
        };
        let process = Process::noisier(kernel, &seen).ok_or_else(|| RunError::NoKernel {
            path: run.map(|run| run.path(FILE)).unwrap_or_default(),
            folder: run.map(|run| run.folder().to_owned()).unwrap_or_default(),
        })?;
        if remembered.is_none() {
            let record = ProcessRecord {
                identity: self.identity.clone(),
                rows: rows.len(),
                readings: self.readings().features.clone(),
                log_likelihood: process.likelihood,
                kernel: process.kernel.clone(),
            };
            options.progress.say(&format!("{}: {record}", data.head.name()));
            run.map(|run| run.write_json(FILE, &record)).transpose()?;
        }
        Ok(Some(process))
    }

    fn readings(&self) -> &Readings {
        held_out::readings(self.dataset, self.training.data.head).expect("a head of readings")
    }

    /// The points of the lesson.
    fn taught_points(&self) -> Vec<f32> {
        self.points(Draw::FreshPoints, fresh::count(self.training.data.split.train.len()))
    }

    /// Rows of readings beside the training rows.
    fn points(&self, draw: Draw, count: usize) -> Vec<f32> {
        let HeadTraining { data, recipe, seed, .. } = self.training;
        let mut rng = generator(*seed, data.head, draw, 0, 0);
        let rows = &data.split.train;
        fresh::points(recipe.points, self.readings(), rows, self.transform, count, &mut rng)
    }

    /// What the process says of points, in standard deviations of the target.
    fn labels(&self, process: &Process, points: &[f32]) -> Vec<f32> {
        let each = points.chunks_exact(self.readings().features.len());
        let axes: Vec<f64> = each.flat_map(|point| axes(self.transform, point)).collect();
        process.means(&axes).into_iter().map(|mean| mean as f32).collect()
    }

    fn observations(&self, rows: &[usize]) -> Observations {
        let Targets::Numbers { targets, scale } = &self.training.data.targets else {
            unreachable!("no other head learns from a process")
        };
        let readings = self.readings();
        let points = rows.iter().flat_map(|&row| axes(self.transform, readings.row(row)));
        Observations {
            points: points.collect(),
            targets: rows.iter().map(|&row| f64::from(scale.apply(targets[row]))).collect(),
        }
    }
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
            step.interrupted();
            return None;
        }
        if let Some(kernel) = fit.step() {
            step.finish("Gaussian process fitted");
            return Some(kernel);
        }
        step.set((all - fit.steps_left()) as u64, "fitting a Gaussian process");
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
