//! What a sweep found: the contents of `sweep.json`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::cost::{Budgets, Cost};
use super::space::Candidate;

/// A whole sweep. Figures are AUC, mean IoU and R²: fractions, larger is better.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The version that swept.
    pub tool: String,
    /// The most that a model may cost.
    pub budgets: Budgets,
    /// The share of a recipe's epochs that candidates were trained for before the finalists were chosen.
    pub epochs_share: f64,
    /// The board whose instructions were measured under QEMU; without one, multiplications stand for work.
    pub board: Option<&'static str>,
    /// Candidates, head by head.
    pub heads: Vec<HeadReport>,
    /// Models that fit every budget, made of the candidates on their heads' fronts, by descending score.
    pub models: Vec<ModelReport>,
    /// The configuration that trains the best finalist, in the sweep's folder.
    pub best: Option<&'static str>,
}

/// One head's candidates.
#[derive(Clone, Debug, Serialize)]
pub struct HeadReport {
    /// The head.
    pub head: &'static str,
    /// What its figure is called.
    pub figure: &'static str,
    /// Everything that was considered.
    pub candidates: Vec<CandidateReport>,
}

/// One candidate.
#[derive(Clone, Debug, Serialize)]
pub struct CandidateReport {
    /// Unique within its head.
    pub name: String,
    /// Its widths, depth and size.
    pub network: Candidate,
    /// What it costs alone.
    pub cost: Cost,
    /// Budgets that a model with it breaks, however cheap its other heads are; then it was not trained.
    pub breaks: Vec<&'static str>,
    /// Its figure on the validation rows, after the short training.
    pub validation: Option<f64>,
    /// Why its training failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// Whether no other candidate of the head is as good and as cheap in every respect.
    pub front: bool,
}

/// One candidate per head.
#[derive(Clone, Debug, Serialize)]
pub struct ModelReport {
    /// Name of the candidate, by head.
    pub candidates: BTreeMap<&'static str, String>,
    /// What the whole costs. Its instructions are the sum over its heads, each measured alone.
    pub cost: Cost,
    /// Mean of its heads' figures on the validation rows, after the short training.
    pub score: f64,
    /// Whether no other model is as good and as cheap in every respect.
    pub front: bool,
    /// What the whole training made of it, if it was among the best.
    pub finalist: Option<Finalist>,
}

/// A model whose heads were trained for all their epochs.
#[derive(Clone, Debug, Serialize)]
pub struct Finalist {
    /// Mean of the validation figures: the best finalist has the largest.
    pub score: f64,
    /// Figures in float on the validation rows, by head.
    pub validation: BTreeMap<&'static str, f64>,
    /// Figures in float on the test rows, by head; `None` without test rows.
    pub test: BTreeMap<&'static str, Option<f64>>,
    /// Figures in int8 on the test rows, by head.
    pub test_int8: BTreeMap<&'static str, Option<f64>>,
}

impl Report {
    /// A head's candidate of that name.
    pub fn candidate(&self, head: &str, name: &str) -> Option<&CandidateReport> {
        let head = self.heads.iter().find(|report| report.head == head)?;
        head.candidates.iter().find(|candidate| candidate.name == name)
    }

    /// What stands for work.
    pub fn work(&self) -> &'static str {
        match self.board {
            Some(_) => "instructions",
            None => "MACs",
        }
    }
}
