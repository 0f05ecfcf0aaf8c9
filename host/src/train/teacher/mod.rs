//! Teachers: what a head learns beside the labels (Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network", 2015).
//!
//! ```text
//! run folders ─┬─► soft labels of training rows ─► mean ─┐
//!              │                           ▲             ├─► Lesson ─► loss = (1 − distill)·labels + distill·soft
//! CSV files ───┼───────────────────────────┘             │
//!              └─► fresh points with soft labels ────────┘
//! ```
//!
//! A teacher is a larger run of ours or a CSV file of soft labels made elsewhere (`soft_table` says what it looks like);
//! several teach by their mean. Start with `Teachers::load`. Where there is none, a head of one number may learn from a Gaussian
//! process on its own training rows (`by_process`). A run that was trained on a row which this split holds out is
//! refused. Where a head of readings has runs for teachers, they also label points between the training rows (`fresh`); a CSV
//! file may bring points of its own.

pub(super) mod by_process;
mod error;
mod fresh;
mod held_out;
mod lesson;
mod process;
mod run;
mod soft_table;

use std::path::PathBuf;

use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use trident::spec::{Head, HeadSet};

use super::prepare::{HeadData, Targets};
use super::random::{Draw, generator};
use crate::config::Points;
use crate::data::{Dataset, SegmentationData};
use crate::transform::InputTransform;
pub use by_process::ProcessRecord;
pub use error::TeacherError;
pub(super) use lesson::{FreshPoints, Lesson};
pub use process::{Component, Kernel};
use run::RunTeacher;
use soft_table::SoftTable;

/// A teacher, as a run remembers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeacherRecord {
    /// SHA-256 of a run's model and transforms, or of a file, in hexadecimal.
    pub sha256: String,
    /// Names of the heads that it taught.
    pub heads: Vec<String>,
}

/// Everybody who teaches, checked.
#[derive(Debug, Default)]
pub(super) struct Teachers {
    runs: Vec<RunTeacher>,
    tables: Vec<SoftTable>,
}

impl Teachers {
    /// Opens run folders and CSV files to teach on `dataset`, of whose heads some `learn_from_validation` rows.
    ///
    /// # Errors
    /// The first that cannot teach, and why.
    pub fn load(
        paths: &[PathBuf],
        dataset: &Dataset,
        learn_from_validation: HeadSet,
        device: &Device,
    ) -> Result<Self, TeacherError> {
        let mut teachers = Self::default();
        if !paths.is_empty() && !dataset.inputs_as_targets.is_empty() {
            return Err(TeacherError::Demonstration);
        }
        for path in paths {
            if path.is_dir() {
                let run = RunTeacher::load(path, dataset, learn_from_validation, device)?;
                if run.heads.is_empty() {
                    return Err(TeacherError::NoHead {
                        path: path.clone(),
                        heads: heads(dataset).map(Head::name).collect(),
                    });
                }
                teachers.runs.push(run);
            } else if path.exists() {
                teachers
                    .tables
                    .push(SoftTable::load(path, dataset, learn_from_validation)?);
            } else {
                return Err(TeacherError::Absent { path: path.clone() });
            }
        }
        Ok(teachers)
    }

    /// Whether anybody teaches that head.
    pub fn teach(&self, head: Head) -> bool {
        self.runs.iter().any(|run| run.heads.contains(&head)) || self.tables.iter().any(|table| table.teaches(head))
    }

    /// Who they are, but for those whose every head is left out of `taught`.
    pub fn records(&self, taught: &[Head]) -> Vec<TeacherRecord> {
        let record = |sha256: &String, teaches: &dyn Fn(Head) -> bool| TeacherRecord {
            sha256: sha256.clone(),
            heads: taught
                .iter()
                .filter(|&&head| teaches(head))
                .map(|head| head.name().to_owned())
                .collect(),
        };
        let runs = self
            .runs
            .iter()
            .map(|run| record(&run.sha256, &|head| run.heads.contains(&head)));
        let tables = self
            .tables
            .iter()
            .map(|table| record(&table.sha256, &|head| table.teaches(head)));
        runs.chain(tables).filter(|record| !record.heads.is_empty()).collect()
    }

    /// What they say of the training rows of a head that they teach, and of `fresh` points, if any; `None` if that is nothing.
    /// `transform` is the head's, absent for pictures.
    pub fn lesson(
        &self,
        data: &HeadData,
        dataset: &Dataset,
        transform: Option<&InputTransform>,
        fresh: Option<Points>,
        seed: u64,
    ) -> Option<Lesson> {
        let rows = &data.split.train;
        let (Some(readings), Some(transform)) = (held_out::readings(dataset, data.head), transform) else {
            let pictures = dataset.segmentation.as_ref()?;
            return Some(Lesson::new(
                pictures.len(),
                rows,
                self.of_pictures(pictures, rows),
                None,
            ));
        };
        let mut answers = self.of_runs(
            data.head,
            &rows.iter().map(|&row| readings.row(row)).collect::<Vec<_>>(),
        );
        let files: Vec<&[f32]> = self
            .tables
            .iter()
            .filter_map(|table| table.of_rows(data.head))
            .collect();
        for file in &files {
            let width = file.len() / readings.rows();
            let of_rows = rows.iter().flat_map(|&row| &file[row * width..(row + 1) * width]);
            answers.push(of_rows.copied().collect());
        }
        let labelled = |points: &[f32], soft: Vec<f32>| {
            let points = points.chunks_exact(readings.features.len());
            let (count, mut inputs) = (points.len(), Vec::with_capacity(points.len() * transform.len()));
            points.for_each(|point| transform.apply(point, &mut inputs));
            let soft = scaled(data, soft);
            FreshPoints { inputs, soft, count }
        };
        let mut pools = Vec::new();
        // What a file says of the rows alone it cannot say of other points.
        if let Some(kind) = fresh
            && files.is_empty()
            && !answers.is_empty()
        {
            let mut rng = generator(seed, data.head, Draw::FreshPoints, 0, 0);
            let points = fresh::points(kind, readings, rows, transform, fresh::count(rows.len()), &mut rng);
            let each: Vec<&[f32]> = points.chunks_exact(readings.features.len()).collect();
            pools.push(labelled(&points, mean(self.of_runs(data.head, &each))));
        }
        if fresh.is_some() {
            let own = self.tables.iter().filter_map(|table| table.points(data.head));
            pools.extend(own.map(|(points, soft)| labelled(points, soft.to_vec())));
        }
        let pool = pools.into_iter().reduce(FreshPoints::and);
        let lesson = Lesson::new(readings.rows(), rows, scaled(data, mean(answers)), pool);
        (lesson.labels_rows() || lesson.fresh().is_some()).then_some(lesson)
    }

    /// What every run that has the head says of these points.
    fn of_runs(&self, head: Head, points: &[&[f32]]) -> Vec<Vec<f32>> {
        let runs = self.runs.iter().filter(|run| run.heads.contains(&head));
        runs.map(|run| run.of_readings(head, points.iter().copied())).collect()
    }

    /// Planes of probabilities, `rows × [classes, h, w]`.
    fn of_pictures(&self, pictures: &SegmentationData, rows: &[usize]) -> Vec<f32> {
        let classes = pictures.classes.len();
        let pixels: Vec<u8> = rows.iter().flat_map(|&row| pictures.picture(row)).copied().collect();
        let runs = self.runs.iter().filter(|run| run.heads.contains(&Head::Segmentation));
        let soft = mean(runs.map(|run| run.of_pictures(pixels.clone(), rows.len())).collect());
        let planes = |picture: &[f32]| {
            let plane = |class: usize| {
                picture
                    .iter()
                    .skip(class)
                    .step_by(classes)
                    .copied()
                    .collect::<Vec<f32>>()
            };
            (0..classes).flat_map(plane).collect::<Vec<f32>>()
        };
        soft.chunks_exact(pictures.height * pictures.width * classes)
            .flat_map(planes)
            .collect()
    }
}

/// Heads that the data are for.
fn heads(dataset: &Dataset) -> impl Iterator<Item = Head> {
    let there = [
        dataset.classification.is_some(),
        dataset.segmentation.is_some(),
        dataset.regression.is_some(),
    ];
    Head::ALL
        .into_iter()
        .zip(there)
        .filter_map(|(head, there)| there.then_some(head))
}

/// Soft labels as the head tells them: numbers in standard deviations of the target.
fn scaled(data: &HeadData, soft: Vec<f32>) -> Vec<f32> {
    match data.targets {
        Targets::Numbers { scale, .. } => soft.into_iter().map(|number| scale.apply(number)).collect(),
        _ => soft,
    }
}

/// The mean of all answers; nothing of none.
fn mean(answers: Vec<Vec<f32>>) -> Vec<f32> {
    let count = answers.len() as f32;
    let sum = answers.into_iter().reduce(|mut sum, answer| {
        sum.iter_mut().zip(answer).for_each(|(sum, number)| *sum += number);
        sum
    });
    sum.unwrap_or_default().into_iter().map(|sum| sum / count).collect()
}
