//! How rows were classified: receiver operating curves, confusion, calibration; in float and in int8.

use serde::Serialize;

use super::calibration::{Calibration, Sums};
use super::roc::{self, Point};
use crate::data::ClassificationData;
use crate::metrics::{area_under_curve, argmax, confusion, favoured};

/// What the classification head is worth on the test rows.
#[derive(Clone, Debug, Serialize)]
pub struct Classification {
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Test rows.
    pub rows: usize,
    /// The float model.
    pub float: View,
    /// The int8 model, if there is one.
    pub int8: Option<View>,
}

/// What one model said.
#[derive(Clone, Debug, Serialize)]
pub struct View {
    /// With two classes the curve of the second, else one of each class against the rest. Absent where a class has no test rows.
    pub roc: Vec<Roc>,
    /// Rows, `[true class][class that they were taken for]`.
    pub confusion: Vec<Vec<u64>>,
    /// With two classes the probability of the second, else that of the likeliest class.
    pub calibration: Option<Calibration>,
}

/// One class against the rest.
#[derive(Clone, Debug, Serialize)]
pub struct Roc {
    /// The class.
    pub class: usize,
    /// Area under the curve.
    pub auc: f64,
    /// Corners of the curve.
    pub points: Vec<Point>,
}

impl Classification {
    /// What those probabilities say about rows of the data.
    ///
    /// # Shapes
    /// Per row one probability with two classes, else one per class.
    pub fn new(data: &ClassificationData, rows: &[usize], float: &[f32], int8: Option<&[f32]>) -> Self {
        let labels: Vec<u16> = rows.iter().map(|&row| data.labels[row]).collect();
        let view = |probabilities: &[f32]| View::new(probabilities, &labels, data.classes.len());
        Self {
            classes: data.classes.clone(),
            rows: rows.len(),
            float: view(float),
            int8: int8.map(view),
        }
    }

    /// The model that ships: int8 if there is one.
    pub fn shipped(&self) -> &View {
        self.int8.as_ref().unwrap_or(&self.float)
    }
}

impl View {
    fn new(probabilities: &[f32], labels: &[u16], classes: usize) -> Self {
        let columns = if classes == 2 { 1 } else { classes };
        let judged = if classes == 2 { 1..2 } else { 0..classes };
        let roc = |class: usize| {
            let column = if classes == 2 { 0 } else { class };
            let scores: Vec<f32> = probabilities.iter().skip(column).step_by(columns).copied().collect();
            let truth: Vec<bool> = labels.iter().map(|&label| usize::from(label) == class).collect();
            Some(Roc {
                class,
                auc: area_under_curve(&scores, &truth)?,
                points: roc::curve(&scores, &truth)?,
            })
        };
        let counts = confusion(&favoured(probabilities, classes), labels, classes);
        let mut sums = Sums::default();
        for (row, &label) in probabilities.chunks_exact(columns).zip(labels) {
            match row {
                [second] => sums.add(*second, label == 1),
                _ => {
                    let likeliest = argmax(row);
                    sums.add(row[likeliest], likeliest == usize::from(label));
                }
            }
        }
        Self {
            roc: judged.filter_map(roc).collect(),
            confusion: counts.chunks_exact(classes).map(<[u64]>::to_vec).collect(),
            calibration: sums.calibration(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_classes_have_a_curve_each() {
        let probabilities = [0.75, 0.15, 0.1, 0.1, 0.85, 0.05, 0.2, 0.5, 0.3];
        let view = View::new(&probabilities, &[0, 1, 2], 3);
        assert_eq!(view.roc.iter().map(|roc| roc.class).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(view.confusion, [[1, 0, 0], [0, 1, 0], [0, 1, 0]]);
        let bins: Vec<_> = view
            .calibration
            .unwrap()
            .bins
            .iter()
            .map(|bin| (bin.low, bin.came_true))
            .collect();
        assert_eq!(bins, [(0.5, 0.0), (0.7, 1.0), (0.8, 1.0)]);
    }

    #[test]
    fn two_classes_have_the_curve_of_the_second() {
        let view = View::new(&[0.9, 0.4, 0.6], &[1, 0, 0], 2);
        assert_eq!((view.roc.len(), view.roc[0].class, view.roc[0].auc), (1, 1, 1.0));
        assert_eq!(view.confusion, [[1, 1], [0, 1]]);
    }
}
