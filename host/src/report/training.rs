//! How training went, epoch by epoch.

use std::collections::BTreeMap;

use serde::Serialize;
use trident::Head;

use crate::run::{History, Metrics};
use crate::train::{EpochRecord, HeadMetrics, Recipe};

/// One head's training.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Training {
    /// What `validation` is: a figure's name.
    pub figure: &'static str,
    /// Whether more of it is better.
    pub more_is_better: bool,
    /// The epoch whose weights were kept, counted from 1: the one with the best validation figure, of those that may be
    /// chosen. None without validation rows.
    pub best_epoch: Option<u64>,
    /// All epochs.
    pub epochs: Vec<Epoch>,
}

/// One epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Epoch {
    /// Counted from 1.
    pub epoch: u64,
    /// Of its last step.
    pub learning_rate: f64,
    /// Mean loss over its rows, as they were seen in training.
    pub loss: f64,
    /// Share of rows or pixels that were right in training.
    pub accuracy: Option<f64>,
    /// The figure on the validation rows.
    pub validation: Option<f64>,
}

/// Training per head, by the head's name.
pub fn training(
    history: &History,
    metrics: &Metrics,
    recipes: &BTreeMap<String, Recipe>,
) -> BTreeMap<&'static str, Training> {
    let of_head = |head: Head| {
        let records = history.get(head.name())?;
        let judged = metrics.get("validation").and_then(|heads| heads.get(head.name()));
        Some((
            head.name(),
            Training::new(head, records, judged, recipes.get(head.name())),
        ))
    };
    Head::ALL.into_iter().filter_map(of_head).collect()
}

impl Training {
    fn new(head: Head, records: &[EpochRecord], judged: Option<&HeadMetrics>, recipe: Option<&Recipe>) -> Self {
        let (figure, more_is_better) = match (head, judged) {
            (Head::Classification, Some(HeadMetrics::Classification(metrics))) if metrics.auc.is_none() => {
                ("accuracy", true)
            }
            (Head::Classification, _) => ("AUC", true),
            (Head::Segmentation, _) => ("mean IoU", true),
            (Head::Regression, _) => ("RMSE", false),
        };
        // The record has the figure such that more is better.
        let sign = if more_is_better { 1.0 } else { -1.0 };
        let best = |best: Option<(u64, f64)>, record: &EpochRecord| match (best, record.validation) {
            (Some((_, most)), Some(found)) if found > most => Some((record.epoch, found)),
            (None, Some(found)) => Some((record.epoch, found)),
            _ => best,
        };
        let choosable = |record: &&EpochRecord| recipe.is_none_or(|recipe| recipe.may_choose(record.epoch));
        let epoch = |record: &EpochRecord| Epoch {
            epoch: record.epoch,
            learning_rate: record.learning_rate,
            loss: record.loss,
            accuracy: record.accuracy,
            validation: record.validation.map(|figure| sign * figure),
        };
        Self {
            figure,
            more_is_better,
            best_epoch: records
                .iter()
                .filter(choosable)
                .fold(None, best)
                .map(|(epoch, _)| epoch),
            epochs: records.iter().map(epoch).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_best_where_it_is_least() {
        let record = |epoch, validation| EpochRecord {
            epoch,
            learning_rate: 0.1,
            loss: 1.0,
            accuracy: None,
            validation,
            log_variance: None,
        };
        let records = [
            record(1, Some(-3.0)),
            record(2, Some(-2.0)),
            record(3, Some(-2.0)),
            record(4, None),
        ];
        let training = Training::new(Head::Regression, &records, None, None);
        assert_eq!((training.figure, training.best_epoch), ("RMSE", Some(2)));
        let drawn: Vec<Option<f64>> = training.epochs.iter().map(|epoch| epoch.validation).collect();
        assert_eq!(drawn, [Some(3.0), Some(2.0), Some(2.0), None]);
    }
}
