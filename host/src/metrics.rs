//! What a head is worth on held-out rows, from plain slices.
//!
//! Every figure is a fraction or stands in the target's unit. A figure that the rows do not define (the AUC of one class, the
//! IoU of a class that neither mask nor prediction has) is `None`, and means skip it.

use serde::{Deserialize, Serialize};

/// How well rows are classified.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassificationMetrics {
    /// Rows whose likeliest class is the true one.
    pub accuracy: f64,
    /// Area under the receiver operating curve; with more than two classes the mean of one class against the rest.
    pub auc: Option<f64>,
    /// Harmonic mean of precision and recall of the positive class; with more than two classes the mean over classes.
    pub f1: Option<f64>,
}

/// How well pictures are segmented, over all their pixels together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SegmentationMetrics {
    /// Mean of `iou` over the classes that have one.
    pub miou: f64,
    /// Intersection over union per class.
    pub iou: Vec<Option<f64>>,
    /// Mean of the classes' Dice coefficients.
    pub dice: f64,
    /// Pixels whose class is the true one.
    pub accuracy: f64,
}

/// How well a number is predicted, in the target's unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegressionMetrics {
    /// Root of the mean squared error.
    pub rmse: f64,
    /// Mean absolute error.
    pub mae: f64,
    /// One minus the squared error relative to that of the mean; `None` if all targets are one number.
    pub r2: Option<f64>,
}

impl ClassificationMetrics {
    /// Judges `probabilities` by `labels`.
    ///
    /// # Shapes
    /// With two classes one probability per row, that of class 1; else `classes` per row.
    ///
    /// # Panics
    /// If the slices do not fit each other, or there are no rows.
    pub fn new(probabilities: &[f32], labels: &[u16], classes: usize) -> Self {
        assert!(!labels.is_empty(), "no rows to judge");
        let columns = if classes == 2 { 1 } else { classes };
        assert_eq!(
            probabilities.len(),
            labels.len() * columns,
            "one row of probabilities per label"
        );
        let predicted = favoured(probabilities, classes);
        let hits = predicted.iter().zip(labels).filter(|(a, b)| a == b).count();
        let judged = if classes == 2 { 1..2 } else { 0..classes };
        let of_class = |class: usize| {
            let scores =
                (0..labels.len()).map(|row| probabilities[row * columns + if classes == 2 { 0 } else { class }]);
            let truth: Vec<bool> = labels.iter().map(|&label| usize::from(label) == class).collect();
            area_under_curve(&scores.collect::<Vec<f32>>(), &truth)
        };
        Self {
            accuracy: hits as f64 / labels.len() as f64,
            auc: mean(judged.clone().filter_map(of_class)),
            f1: mean(judged.filter_map(|class| f1(&predicted, labels, class as u16))),
        }
    }
}

impl SegmentationMetrics {
    /// Judges `predicted` classes by the `truth`, pixel by pixel.
    ///
    /// # Panics
    /// If the slices differ in length, are empty, or hold a class beyond `classes`.
    pub fn new(predicted: &[u8], truth: &[u8], classes: usize) -> Self {
        assert!(!truth.is_empty(), "no pixels to judge");
        Self::of_confusion(&confusion(predicted, truth, classes), classes)
    }

    /// Of counts of pixels, `[true class][predicted class]`; there is at least one pixel.
    pub(crate) fn of_confusion(confusion: &[u64], classes: usize) -> Self {
        let at = |truth: usize, predicted: usize| confusion[truth * classes + predicted];
        let both: Vec<u64> = (0..classes).map(|class| at(class, class)).collect();
        let given: Vec<u64> = (0..classes)
            .map(|class| (0..classes).map(|truth| at(truth, class)).sum())
            .collect();
        let wanted: Vec<u64> = (0..classes)
            .map(|class| (0..classes).map(|p| at(class, p)).sum())
            .collect();
        let pixels: u64 = wanted.iter().sum();
        let ratio = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
        let iou: Vec<Option<f64>> = (0..classes)
            .map(|c| ratio(both[c], given[c] + wanted[c] - both[c]))
            .collect();
        let dice = (0..classes).filter_map(|c| ratio(2 * both[c], given[c] + wanted[c]));
        Self {
            miou: mean(iou.iter().flatten().copied()).unwrap_or(0.0),
            dice: mean(dice).unwrap_or(0.0),
            accuracy: both.iter().sum::<u64>() as f64 / pixels as f64,
            iou,
        }
    }
}

impl RegressionMetrics {
    /// Judges `predicted` numbers by the `truth`.
    ///
    /// # Panics
    /// If the slices differ in length or are empty.
    pub fn new(predicted: &[f32], truth: &[f32]) -> Self {
        assert_eq!(predicted.len(), truth.len(), "one number per row");
        assert!(!truth.is_empty(), "no rows to judge");
        let n = truth.len() as f64;
        let errors = || predicted.iter().zip(truth).map(|(&p, &t)| f64::from(p) - f64::from(t));
        let centre = truth.iter().map(|&t| f64::from(t)).sum::<f64>() / n;
        let spread: f64 = truth.iter().map(|&t| (f64::from(t) - centre).powi(2)).sum();
        let squared: f64 = errors().map(|e| e * e).sum();
        Self {
            rmse: (squared / n).sqrt(),
            mae: errors().map(f64::abs).sum::<f64>() / n,
            r2: (spread > 0.0).then(|| 1.0 - squared / spread),
        }
    }
}

/// The class that each row is taken for: with two classes the second from one half on, else the likeliest.
///
/// # Shapes
/// As [`ClassificationMetrics::new`].
pub fn favoured(probabilities: &[f32], classes: usize) -> Vec<u16> {
    match classes {
        2 => probabilities.iter().map(|&p| u16::from(p >= 0.5)).collect(),
        _ => probabilities
            .chunks_exact(classes)
            .map(|row| argmax(row) as u16)
            .collect(),
    }
}

/// How often each class is taken for each, `[true class][predicted class]`.
///
/// # Panics
/// If the slices differ in length, or hold a class beyond `classes`.
pub fn confusion<T: Copy + Into<usize>>(predicted: &[T], truth: &[T], classes: usize) -> Vec<u64> {
    assert_eq!(predicted.len(), truth.len(), "one class per case");
    let mut counts = vec![0u64; classes * classes];
    for (&p, &t) in predicted.iter().zip(truth) {
        counts[t.into() * classes + p.into()] += 1;
    }
    counts
}

/// The index of the largest value; ties go to the lowest index.
///
/// # Panics
/// If `values` is empty.
pub fn argmax<T: PartialOrd + Copy>(values: &[T]) -> usize {
    let mut best = 0;
    for (index, value) in values.iter().enumerate().skip(1) {
        if *value > values[best] {
            best = index;
        }
    }
    best
}

/// The chance that a true row scores above a false one; equal scores count half. `None` if there are none of either.
pub fn area_under_curve(scores: &[f32], truth: &[bool]) -> Option<f64> {
    let positives = truth.iter().filter(|&&t| t).count();
    let negatives = truth.len() - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    // Rank sum of the true rows; rows of one score share their mean rank.
    let mut rank_sum = 0.0;
    let mut start = 0;
    while start < order.len() {
        let mut end = start + 1;
        while end < order.len() && scores[order[end]] == scores[order[start]] {
            end += 1;
        }
        let shared_rank = (start + 1 + end) as f64 / 2.0;
        rank_sum += shared_rank * order[start..end].iter().filter(|&&row| truth[row]).count() as f64;
        start = end;
    }
    let (p, n) = (positives as f64, negatives as f64);
    Some((rank_sum - p * (p + 1.0) / 2.0) / (p * n))
}

/// `None` if the class neither stands in the labels nor is predicted.
fn f1(predicted: &[u16], labels: &[u16], class: u16) -> Option<f64> {
    let given = predicted.iter().filter(|&&p| p == class).count();
    let wanted = labels.iter().filter(|&&l| l == class).count();
    let both = predicted
        .iter()
        .zip(labels)
        .filter(|&(&p, &l)| p == class && l == class)
        .count();
    (given + wanted > 0).then(|| 2.0 * both as f64 / (given + wanted) as f64)
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0usize);
    for value in values {
        sum += value;
        count += 1;
    }
    (count > 0).then(|| sum / count as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn binary_figures_worked_by_hand() {
        // Pairs (true, false): 0.8 beats 0.6, 0.3, 0.1; 0.6 ties 0.6 and beats 0.3, 0.1: 5.5 of 6.
        let metrics = ClassificationMetrics::new(&[0.8, 0.6, 0.6, 0.3, 0.1], &[1, 1, 0, 0, 0], 2);
        assert!(near(metrics.auc.unwrap(), 5.5 / 6.0));
        assert!(near(metrics.accuracy, 0.8));
        // Precision 2/3, recall 1.
        assert!(near(metrics.f1.unwrap(), 0.8));
    }

    #[test]
    fn one_class_has_no_auc() {
        let metrics = ClassificationMetrics::new(&[0.2, 0.9], &[0, 0], 2);
        assert_eq!(metrics.auc, None);
        assert!(near(metrics.accuracy, 0.5));
        assert_eq!(metrics.f1, Some(0.0));
    }

    #[test]
    fn three_labels_worked_by_hand() {
        let probabilities = [0.7, 0.2, 0.1, 0.1, 0.8, 0.1, 0.2, 0.5, 0.3, 0.1, 0.1, 0.8];
        let metrics = ClassificationMetrics::new(&probabilities, &[0, 1, 2, 2], 3);
        assert!(near(metrics.accuracy, 0.75));
        // F1 per label: 1, 2/3, 2/3. AUC per label: 1; 1; 0.3 and 0.8 against 0.1, 0.1: 1.
        assert!(near(metrics.f1.unwrap(), (1.0 + 2.0 / 3.0 + 2.0 / 3.0) / 3.0));
        assert!(near(metrics.auc.unwrap(), 1.0));
    }

    #[test]
    fn iou_worked_by_hand() {
        let metrics = SegmentationMetrics::new(&[0, 0, 1, 1, 1, 0], &[0, 0, 0, 1, 1, 1], 3);
        assert!(near(metrics.iou[0].unwrap(), 0.5) && near(metrics.iou[1].unwrap(), 0.5));
        assert_eq!(metrics.iou[2], None, "a class that neither has");
        assert!(near(metrics.miou, 0.5));
        assert!(near(metrics.dice, 2.0 / 3.0));
        assert!(near(metrics.accuracy, 4.0 / 6.0));
    }

    #[test]
    fn regression_worked_by_hand() {
        let metrics = RegressionMetrics::new(&[1.0, 2.0, 5.0], &[1.0, 3.0, 5.0]);
        assert!(near(metrics.mae, 1.0 / 3.0));
        assert!(near(metrics.rmse, (1.0f64 / 3.0).sqrt()));
        assert!(near(metrics.r2.unwrap(), 1.0 - 1.0 / 8.0));
        assert_eq!(RegressionMetrics::new(&[1.0, 2.0], &[3.0, 3.0]).r2, None);
    }

    #[test]
    fn iou_is_intersection_over_union() {
        // Class 0: 3 right, 1 taken for class 1; class 1: 1 right, 1 taken for class 0; class 2: nowhere.
        let metrics = SegmentationMetrics::of_confusion(&[3, 1, 0, 1, 1, 0, 0, 0, 0], 3);
        assert_eq!(metrics.iou, [Some(0.6), Some(1.0 / 3.0), None]);
        assert!((metrics.miou - (0.6 + 1.0 / 3.0) / 2.0).abs() < 1e-12);
    }
}
