//! Which rows judge the pupil, so that no teacher may have learnt from them.

use std::collections::HashMap;

use trident::spec::Head;

use crate::data::{Dataset, Readings, Split};

/// The pupil's validation and test rows of one head, by what is in them.
#[derive(Debug)]
pub(super) struct HeldOut<'d> {
    head: Head,
    /// Names of the readings, in the pupil's order.
    features: &'d [String],
    parts: HashMap<Vec<u8>, Part>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Validation,
    Test,
}

impl<'d> HeldOut<'d> {
    /// Of `pupil`'s data for `head`. Validation rows judge nobody who `learns_from_validation`.
    pub fn new(pupil: &'d Dataset, head: Head, learns_from_validation: bool) -> Self {
        let features = readings(pupil, head).map_or(&[][..], |readings| &readings.features);
        let mut held = Self {
            head,
            features,
            parts: HashMap::new(),
        };
        if let Some(split) = split(pupil, head) {
            let parts = [(&split.test, Part::Test), (&split.validation, Part::Validation)];
            let judging = &parts[..if learns_from_validation { 1 } else { 2 }];
            // Test rows last: readings that stand in both parts are those of a test row.
            for (rows, part) in judging.iter().rev() {
                let keys: Vec<_> = rows.iter().map(|&row| (held.key(pupil, row), *part)).collect();
                held.parts.extend(keys);
            }
        }
        held
    }

    /// How many rows a teacher with these data has learnt from that judge the pupil: rows of its training part among the pupil's
    /// validation and test rows, and rows that chose its weights among the pupil's test rows. Validation rows were training rows to
    /// a teacher that `learnt_from_validation`.
    pub fn known_to(&self, teacher: &Dataset, learnt_from_validation: bool) -> usize {
        let Some(known) = split(teacher, self.head) else {
            return 0;
        };
        let count = |rows: &[usize], learnt: bool| {
            let parts = rows.iter().filter_map(|&row| self.parts.get(&self.key(teacher, row)));
            parts.filter(|&&part| learnt || part == Part::Test).count()
        };
        count(&known.train, true) + count(&known.validation, learnt_from_validation)
    }

    /// Whether a row of these readings, in the pupil's order, judges the pupil.
    pub fn holds(&self, row: &[f32]) -> bool {
        self.parts.contains_key(&bytes(row.iter().copied()))
    }

    /// What makes a row the same row: its readings in the pupil's order, or its pixels.
    fn key(&self, dataset: &Dataset, row: usize) -> Vec<u8> {
        match (readings(dataset, self.head), &dataset.segmentation) {
            (Some(own), _) => {
                let columns = order(self.features, &own.features);
                bytes(columns.into_iter().map(|column| own.row(row)[column]))
            }
            (None, Some(pictures)) => pictures.picture(row).to_vec(),
            (None, None) => Vec::new(),
        }
    }
}

fn bytes(numbers: impl Iterator<Item = f32>) -> Vec<u8> {
    numbers.flat_map(f32::to_le_bytes).collect()
}

/// The readings that a head reads; `None` for pictures.
pub(super) fn readings(dataset: &Dataset, head: Head) -> Option<&Readings> {
    match head {
        Head::Classification => dataset.classification.as_ref().map(|data| &data.readings),
        Head::Segmentation => None,
        Head::Regression => dataset.regression.as_ref().map(|data| &data.readings),
    }
}

fn split(dataset: &Dataset, head: Head) -> Option<&Split> {
    match head {
        Head::Classification => dataset.classification.as_ref().map(|data| &data.split),
        Head::Segmentation => dataset.segmentation.as_ref().map(|data| &data.split),
        Head::Regression => dataset.regression.as_ref().map(|data| &data.split),
    }
}

/// For every name, where it stands among `others`, which hold the same names.
pub(super) fn order(names: &[String], others: &[String]) -> Vec<usize> {
    let place = |name| others.iter().position(|other| other == name);
    names
        .iter()
        .map(|name| place(name).expect("the names were checked"))
        .collect()
}
