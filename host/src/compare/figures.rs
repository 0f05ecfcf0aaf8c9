//! Which figures of a head are compared, and what counts as better.

use serde::{Deserialize, Serialize};

use crate::train::HeadMetrics;

/// What is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    /// More.
    Higher,
    /// Less.
    Lower,
}

/// One figure of one head.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// Its name.
    pub name: &'static str,
    /// What is better.
    pub better: Better,
    /// Its value; `None` where the rows do not define it.
    pub value: Option<f64>,
}

/// A head's figures; the first is the one that Δp counts: AUC (accuracy where there is none), mean IoU, RMSE.
///
/// RMSE, not R²: a relative change needs a figure with a natural zero.
pub fn figures(metrics: &HeadMetrics) -> Vec<Figure> {
    let figure = |name, better, value| Figure { name, better, value };
    let higher = |name, value| figure(name, Better::Higher, value);
    let lower = |name, value| figure(name, Better::Lower, value);
    match metrics {
        HeadMetrics::Classification(metrics) => {
            let accuracy = higher("accuracy", Some(metrics.accuracy));
            match metrics.auc {
                Some(_) => vec![higher("AUC", metrics.auc), accuracy, higher("F1", metrics.f1)],
                None => vec![accuracy, higher("F1", metrics.f1)],
            }
        }
        HeadMetrics::Segmentation(metrics) => vec![
            higher("mean IoU", Some(metrics.miou)),
            higher("pixel accuracy", Some(metrics.accuracy)),
            higher("Dice", Some(metrics.dice)),
        ],
        HeadMetrics::Regression(metrics) => vec![
            lower("RMSE", Some(metrics.rmse)),
            lower("MAE", Some(metrics.mae)),
            higher("R²", metrics.r2),
        ],
    }
}

/// By how many percent of `alone` the figure `joint` is better; negative if it is worse. `None` without a figure to relate to.
pub fn improvement_percent(better: Better, alone: f64, joint: f64) -> Option<f64> {
    let change = 100.0 * (joint - alone) / alone;
    let sign = if better == Better::Lower { -1.0 } else { 1.0 };
    (alone > 0.0 && change.is_finite()).then_some(sign * change)
}

/// Δp of one seed: the mean of all heads' improvements in their first figures (Maninis, Radosavovic, Kokkinos: Attentive
/// Single-Tasking of Multiple Tasks, 2019; LibMTL reports the same). `None` if a head has none.
pub fn delta_p_percent(improvements: &[Option<f64>]) -> Option<f64> {
    let all: Option<Vec<f64>> = improvements.iter().copied().collect();
    all.filter(|all| !all.is_empty())
        .map(|all| all.iter().sum::<f64>() / all.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{ClassificationMetrics, RegressionMetrics};

    #[test]
    fn improvements_follow_the_direction() {
        let near = |found: Option<f64>, expected: f64| assert!((found.unwrap() - expected).abs() < 1e-9, "{found:?}");
        near(improvement_percent(Better::Higher, 0.8, 0.84), 5.0);
        near(improvement_percent(Better::Lower, 2.0, 1.5), 25.0);
        near(improvement_percent(Better::Lower, 2.0, 2.2), -10.0);
        assert_eq!(improvement_percent(Better::Lower, 0.0, 1.0), None);
        near(delta_p_percent(&[Some(5.0), Some(25.0), Some(-12.0)]), 6.0);
        assert_eq!(delta_p_percent(&[Some(5.0), None]), None);
        assert_eq!(delta_p_percent(&[]), None);
    }

    #[test]
    fn the_first_figure_is_the_leading_one() {
        let lead = |metrics| figures(&metrics)[0];
        let regression = RegressionMetrics {
            rmse: 2.0,
            mae: 1.0,
            r2: None,
        };
        let first = lead(HeadMetrics::Regression(regression));
        assert_eq!(
            (first.name, first.better, first.value),
            ("RMSE", Better::Lower, Some(2.0))
        );
        let mut classes = ClassificationMetrics {
            accuracy: 0.7,
            auc: Some(0.9),
            f1: None,
        };
        assert_eq!(lead(HeadMetrics::Classification(classes)).name, "AUC");
        classes.auc = None;
        assert_eq!(lead(HeadMetrics::Classification(classes)).name, "accuracy");
    }
}
