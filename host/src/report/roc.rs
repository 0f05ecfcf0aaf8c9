//! The receiver operating curve: which share of true cases is found at the price of which share of false alarms.

use serde::Serialize;

/// One corner of the curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Point {
    /// Share of the other cases that are taken for true ones.
    pub false_positive_rate: f64,
    /// Share of the true cases that are found.
    pub true_positive_rate: f64,
    /// Cases that score as much or more are taken for true ones; `None` where none is.
    pub threshold: Option<f32>,
}

/// The curve's corners from (0, 0) to (1, 1); between two of them it is straight. `None` if there are no true cases or no others.
///
/// Cases of one score pass together, so that the area below the curve is exactly
/// [`area_under_curve`](crate::metrics::area_under_curve).
///
/// # Panics
/// If the slices differ in length.
pub fn curve(scores: &[f32], truth: &[bool]) -> Option<Vec<Point>> {
    assert_eq!(scores.len(), truth.len(), "one score per case");
    let positives = truth.iter().filter(|&&t| t).count();
    let negatives = truth.len() - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    // False and true cases that pass, and the score at which they do.
    let mut corners: Vec<([u64; 2], Option<f32>)> = vec![([0, 0], None)];
    let mut passed = [0u64; 2];
    for (place, &row) in order.iter().enumerate() {
        passed[usize::from(truth[row])] += 1;
        let next = order.get(place + 1).map(|&next| scores[next]);
        if next != Some(scores[row]) {
            if let [.., (before, _), (last, _)] = corners[..]
                && straight(before, last, passed)
            {
                corners.pop();
            }
            corners.push((passed, Some(scores[row])));
        }
    }
    let point = |([f, t], threshold): ([u64; 2], Option<f32>)| Point {
        false_positive_rate: f as f64 / negatives as f64,
        true_positive_rate: t as f64 / positives as f64,
        threshold,
    };
    Some(corners.into_iter().map(point).collect())
}

/// Whether the middle one of three points lies on the line between the others.
fn straight(a: [u64; 2], b: [u64; 2], c: [u64; 2]) -> bool {
    (b[0] - a[0]) * (c[1] - b[1]) == (c[0] - b[0]) * (b[1] - a[1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::area_under_curve;

    fn corners(scores: &[f32], truth: &[bool]) -> Vec<(f64, f64)> {
        let points = curve(scores, truth).expect("both kinds are there");
        let place = |point: &Point| (point.false_positive_rate, point.true_positive_rate);
        points.iter().map(place).collect()
    }

    fn area(corners: &[(f64, f64)]) -> f64 {
        let strip = |pair: &[(f64, f64)]| (pair[1].0 - pair[0].0) * (pair[0].1 + pair[1].1) / 2.0;
        corners.windows(2).map(strip).sum()
    }

    #[test]
    fn corners_worked_by_hand() {
        // 0.9 true; 0.8 false; 0.7 true and true; 0.2 false: up, right, up, right.
        let scores = [0.2, 0.9, 0.7, 0.8, 0.7];
        let truth = [false, true, true, false, true];
        let third = 1.0 / 3.0;
        let expected = [(0.0, 0.0), (0.0, third), (0.5, third), (0.5, 1.0), (1.0, 1.0)];
        assert_eq!(corners(&scores, &truth), expected);
        let points = curve(&scores, &truth).unwrap();
        let thresholds: Vec<Option<f32>> = points.iter().map(|point| point.threshold).collect();
        assert_eq!(thresholds, [None, Some(0.9), Some(0.8), Some(0.7), Some(0.2)]);
        assert!((area(&expected) - 2.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn cases_of_one_score_pass_together_and_straight_runs_have_no_corner() {
        // One step up and right at 0.5, then two false cases one after the other.
        let corners = corners(&[0.5, 0.5, 0.2, 0.1], &[true, false, false, false]);
        assert_eq!(corners, [(0.0, 0.0), (1.0 / 3.0, 1.0), (1.0, 1.0)]);
        let scores: Vec<f32> = (0..100).map(|n| ((n * 37) % 23) as f32 / 23.0).collect();
        let truth: Vec<bool> = (0..100).map(|n| (n * 29) % 7 < 3).collect();
        let drawn = area(&super::tests::corners(&scores, &truth));
        assert!((drawn - area_under_curve(&scores, &truth).unwrap()).abs() < 1e-12);
    }

    #[test]
    fn one_kind_of_case_has_no_curve() {
        assert_eq!(curve(&[0.1, 0.2], &[true, true]), None);
        assert_eq!(curve(&[0.1, 0.2], &[false, false]), None);
    }
}
