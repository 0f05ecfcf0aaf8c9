//! A CSV file as teacher: soft labels made elsewhere.
//!
//! A header row, and then in every row: for the classification head one column per class, named as the class, with its
//! probability; for the regression head one column, named as the target, in the target's unit.
//!
//! - Without columns of readings: one row for every row of the data, in their order. Only training rows are taught from; the
//!   others must be there, and are not looked at again.
//! - With a column for each reading, named as in the data: any number of points, wherever the teacher likes; each is a fresh point.
//!   None may be a row that the split holds out.
//!
//! Other columns are passed over.

use std::path::Path;

use trident::spec::{Head, HeadSet};

use super::TeacherError;
use super::held_out::{HeldOut, readings};
use crate::data::Dataset;
use crate::data::tabular::Table;

/// How far the probabilities of a row may add up to something else than 1.
const SUM_TOLERANCE: f64 = 1e-3;

/// Soft labels of one file.
#[derive(Debug)]
pub(super) struct SoftTable {
    /// Names the file's bytes.
    pub sha256: String,
    parts: Vec<Part>,
}

/// Soft labels for one head.
#[derive(Debug)]
struct Part {
    head: Head,
    /// Per row a probability per class, or one number.
    soft: Vec<f32>,
    /// The readings of every row, in the data's order, if the rows are points of their own.
    points: Option<Vec<f32>>,
}

impl SoftTable {
    /// Reads and checks a file of soft labels for `dataset`, of whose heads some `learn_from_validation` rows.
    pub fn load(path: &Path, dataset: &Dataset, learn_from_validation: HeadSet) -> Result<Self, TeacherError> {
        let table = Table::read(path)?;
        let has = |column: &String| table.columns().contains(column);
        let mut parts = Vec::new();
        if let Some(data) = &dataset.classification
            && data.classes.iter().any(has)
        {
            let soft = distributions(&table, &data.classes)?;
            parts.push(Part::new(
                &table,
                dataset,
                Head::Classification,
                learn_from_validation,
                soft,
            )?);
        }
        if let Some(data) = &dataset.regression
            && has(&data.target)
        {
            let soft = table.numbers(&data.target)?;
            parts.push(Part::new(
                &table,
                dataset,
                Head::Regression,
                learn_from_validation,
                soft,
            )?);
        }
        if parts.is_empty() {
            return Err(TeacherError::Columns {
                path: path.to_owned(),
                found: table.columns().to_vec(),
                needed: needed(dataset),
            });
        }
        Ok(Self {
            sha256: table.sha256().to_owned(),
            parts,
        })
    }

    /// Whether it has labels for that head.
    pub fn teaches(&self, head: Head) -> bool {
        self.parts.iter().any(|part| part.head == head)
    }

    /// Soft labels of every row of the data.
    pub fn of_rows(&self, head: Head) -> Option<&[f32]> {
        let part = self
            .parts
            .iter()
            .find(|part| part.head == head && part.points.is_none());
        part.map(|part| &part.soft[..])
    }

    /// Readings of points of its own, in the data's order, and their soft labels.
    pub fn points(&self, head: Head) -> Option<(&[f32], &[f32])> {
        let part = self.parts.iter().find(|part| part.head == head)?;
        Some((part.points.as_deref()?, &part.soft))
    }
}

impl Part {
    fn new(
        table: &Table,
        dataset: &Dataset,
        head: Head,
        learn_from_validation: HeadSet,
        soft: Vec<f32>,
    ) -> Result<Self, TeacherError> {
        let data = readings(dataset, head).expect("a head of readings");
        if !data.features.iter().all(|feature| table.columns().contains(feature)) {
            check_rows(table, head, data.rows())?;
            let points = None;
            return Ok(Self { head, soft, points });
        }
        let points = table.readings(data.features.clone())?;
        let held_out = HeldOut::new(dataset, head, learn_from_validation.contains(head));
        if let Some(row) = (0..points.rows()).find(|&row| held_out.holds(points.row(row))) {
            return Err(TeacherError::HeldOutPoint {
                path: table.path().to_owned(),
                line: table.line(row),
                head: head.name(),
            });
        }
        let points = Some(points.values);
        Ok(Self { head, soft, points })
    }
}

fn check_rows(table: &Table, head: Head, expected: usize) -> Result<(), TeacherError> {
    if table.len() == expected {
        return Ok(());
    }
    Err(TeacherError::Rows {
        path: table.path().to_owned(),
        head: head.name(),
        expected,
        found: table.len(),
    })
}

/// Probabilities that add up to 1, row by row.
fn distributions(table: &Table, classes: &[String]) -> Result<Vec<f32>, TeacherError> {
    let mut values = table.readings(classes.to_vec())?.values;
    for (row, shares) in values.chunks_exact_mut(classes.len()).enumerate() {
        if let Some(index) = shares.iter().position(|share| !(0.0..=1.0).contains(share)) {
            return Err(TeacherError::Probability {
                path: table.path().to_owned(),
                line: table.line(row),
                column: classes[index].clone(),
                value: shares[index],
            });
        }
        let sum: f64 = shares.iter().map(|&share| f64::from(share)).sum();
        if (sum - 1.0).abs() > SUM_TOLERANCE {
            return Err(TeacherError::Sum {
                path: table.path().to_owned(),
                line: table.line(row),
                columns: classes.to_vec(),
                sum,
            });
        }
        shares
            .iter_mut()
            .for_each(|share| *share = (f64::from(*share) / sum) as f32);
    }
    Ok(values)
}

/// What columns would teach each head.
fn needed(dataset: &Dataset) -> Vec<String> {
    let classes = dataset.classification.as_ref().map(|data| {
        format!(
            "a probability in each of `{}` for the classification head",
            data.classes.join("`, `")
        )
    });
    let target = dataset
        .regression
        .as_ref()
        .map(|data| format!("a number in `{}` for the regression head", data.target));
    let pictures = dataset
        .segmentation
        .as_ref()
        .map(|_| "a run folder for the segmentation head".to_owned());
    [classes, pictures, target].into_iter().flatten().collect()
}
