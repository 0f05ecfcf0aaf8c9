//! What a quantisation-aware training gave, in figures.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::run::{History, Run, RunError};
use crate::train::HeadMetrics;

/// The record's file in a run folder.
pub(super) const FILE: &str = "qat.json";

/// Every group of heads that was trained.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AwareRecord {
    /// By the group's name.
    pub groups: BTreeMap<String, GroupRecord>,
}

impl AwareRecord {
    /// What a run remembers; empty if that is nothing.
    ///
    /// # Errors
    /// If the record is damaged.
    pub(super) fn of_run(run: &Run) -> Result<Self, RunError> {
        match run.path(FILE).exists() {
            true => run.read_json(FILE),
            false => Ok(Self::default()),
        }
    }
}

/// Heads that were trained together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupRecord {
    /// Whether the blob is made of what this training gave: no head is worse than by post-training quantisation, and one is better.
    pub kept: bool,
    /// The rows that told: `fresh` where a Gaussian process labels points that nobody learnt from, else `validation`, or `training`
    /// where there are none.
    pub rows: String,
    /// Highest learning rate.
    pub learning_rate: f64,
    /// By the head's name.
    pub heads: BTreeMap<String, HeadRecord>,
    /// Epochs per head; their validation figures are those of the model that rounds.
    pub history: History,
}

/// Three models on the same rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeadRecord {
    /// The float model.
    pub float: HeadMetrics,
    /// Its int8 model by post-training quantisation, in the integer engine.
    pub post_training: HeadMetrics,
    /// The int8 model by this training, in the integer engine.
    pub aware: HeadMetrics,
}

impl HeadRecord {
    /// How much better this training is than post-training quantisation, by the figure that chooses weights.
    pub fn gain(&self) -> f64 {
        self.aware.figure() - self.post_training.figure()
    }
}

/// Whether no head is worse by this training than by post-training quantisation, and one is better.
pub(super) fn is_better(heads: &BTreeMap<String, HeadRecord>) -> bool {
    heads.values().all(|head| head.gain() >= 0.0) && heads.values().any(|head| head.gain() > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::RegressionMetrics;

    fn head(post_training: f64, aware: f64) -> HeadRecord {
        let metrics = |rmse| {
            HeadMetrics::Regression(RegressionMetrics {
                rmse,
                mae: rmse,
                r2: None,
            })
        };
        HeadRecord {
            float: metrics(1.0),
            post_training: metrics(post_training),
            aware: metrics(aware),
        }
    }

    fn better(heads: &[HeadRecord]) -> bool {
        let named = heads
            .iter()
            .enumerate()
            .map(|(number, head)| (number.to_string(), head.clone()));
        is_better(&named.collect())
    }

    #[test]
    fn no_head_may_be_worse() {
        assert!(better(&[head(1.2, 1.1)]));
        assert!(better(&[head(1.2, 1.1), head(1.2, 1.2)]));
        assert!(!better(&[head(1.2, 1.1), head(1.2, 1.201)]));
        assert!(
            !better(&[head(1.2, 1.2)]),
            "what costs nothing is kept where nothing is won"
        );
        assert!(!better(&[head(1.2, f64::NAN)]));
        assert!(!better(&[]));
    }
}
