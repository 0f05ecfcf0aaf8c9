//! Everything that a training session needs to go on, bit for bit.

use serde::{Deserialize, Serialize};

use super::balance::BalanceState;
use crate::model::LayerState;

/// Numbers of every layer.
pub type Numbers = Vec<Option<LayerState>>;

/// Where training stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Epochs done.
    pub epoch: u64,
    /// Steps done in the epoch under way.
    pub step_in_epoch: u64,
    /// Steps done in all.
    pub step: u64,
}

/// Sums over the steps of the epoch under way, for one head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EpochSums {
    /// Loss times rows.
    pub loss: f64,
    /// Rows.
    pub rows: u64,
    /// Rows or pixels whose favoured class was the true one.
    pub hits: u64,
    /// Of how many.
    pub judged: u64,
}

/// The best weights so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// The epoch they were reached in, counted from 1.
    pub epoch: u64,
    /// Their validation figure; more is better.
    pub figure: f64,
    /// The weights.
    pub numbers: Numbers,
}

/// One epoch of one head.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Counted from 1.
    pub epoch: u64,
    /// Of the epoch's last step.
    pub learning_rate: f64,
    /// Mean loss over the epoch's rows, as they were seen in training.
    pub loss: f64,
    /// Share of rows or pixels that were right in training; `None` for a head without classes.
    pub accuracy: Option<f64>,
    /// The figure that chooses the best weights, on the validation rows; more is better.
    pub validation: Option<f64>,
    /// `ln σ²` of the head's loss at the end of the epoch, where variances are learnt.
    #[serde(default)]
    pub log_variance: Option<f64>,
}

/// Everything that a session needs to go on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// What is trained, and on what: a session only goes on with its own.
    pub identity: String,
    /// Where training stands.
    pub position: Position,
    /// The weights.
    pub numbers: Numbers,
    /// How far ranges have grown, in quantisation-aware training.
    pub growth: Vec<f32>,
    /// Burn's record of the optimiser.
    pub optimizer: Vec<u8>,
    /// How losses are balanced.
    pub balance: BalanceState,
    /// The averaged weights, if an average is kept.
    pub average: Option<Numbers>,
    /// The best weights, once an epoch was judged.
    pub best: Option<Best>,
    /// Sums of the epoch under way, per head.
    pub sums: Vec<EpochSums>,
    /// Epochs done, per head.
    pub history: Vec<Vec<EpochRecord>>,
    /// Whether training came to its end.
    pub finished: bool,
}
