//! What an epoch of training costs, beside Keras: the preset `seed` on the original demo's random rows, in one run.
//!
//! CPU-seconds are user and system time of all threads. Both sides take turns, so that whatever else the computer does meets
//! both; what is compared is each side's median.

use std::sync::atomic::AtomicBool;

use serde::Serialize;

use super::tensorflow::{Keras, TensorFlow};
use super::{cpu_seconds, median};
use crate::bench::BenchError;
use crate::config::Config;
use crate::data::Dataset;
use crate::progress::{Progress, Step};
use crate::run::Run;
use crate::toolchain::Toolchain;
use crate::train::{Options, Plan};

/// How often each side is measured.
const TURNS: usize = 3;
/// Epochs that a turn counts.
const EPOCHS: usize = 4;

/// What an epoch costs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrainingReport {
    /// The network.
    pub preset: &'static str,
    /// Its parameters.
    pub parameters: usize,
    /// Rows of an epoch.
    pub rows: usize,
    /// Cores that our side may use; Keras takes what it finds.
    pub threads: usize,
    /// CPU-seconds of an epoch of ours, turn by turn.
    pub own: Vec<f64>,
    /// The same of Keras; empty if there is none.
    pub keras: Vec<f64>,
    /// Its versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keras_version: Option<String>,
    /// Our median over Keras'.
    pub ratio: Option<f64>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Measures both sides in turn. The first time TensorFlow is installed into a virtual environment under `target`.
///
/// # Errors
/// If our own side cannot be trained. What Keras cannot do is in the report.
pub fn run(progress: &Progress) -> Result<TrainingReport, BenchError> {
    let toolchain = Toolchain::new()?;
    let tensorflow = TensorFlow::install(&toolchain.workspace().root().join("target/peers"));
    let config = Config::random();
    let dataset = crate::data::load(&config)?;
    let mut report = TrainingReport {
        preset: "seed",
        parameters: 0,
        rows: dataset.regression.as_ref().map_or(0, |data| data.readings.rows()),
        threads: rayon::current_num_threads(),
        own: Vec::new(),
        keras: Vec::new(),
        keras_version: None,
        ratio: None,
        reason: tensorflow.as_ref().err().cloned(),
    };
    let mut step = progress.step("bench", TURNS as u64);
    for turn in 0..TURNS {
        report.take_turn(turn, &config, &dataset, tensorflow.as_ref().ok(), &mut step)?;
    }
    step.finish(&format!("{TURNS} turns"));
    report.ratio = median(&report.own)
        .zip(median(&report.keras))
        .map(|(own, keras)| own / keras);
    Ok(report)
}

impl TrainingReport {
    fn take_turn(
        &mut self,
        turn: usize,
        config: &Config,
        dataset: &Dataset,
        tensorflow: Option<&TensorFlow>,
        step: &mut Step,
    ) -> Result<(), BenchError> {
        step.set(turn as u64, "trident");
        let (first, _) = own(config, dataset, 1)?;
        let (all, parameters) = own(config, dataset, 1 + EPOCHS)?;
        self.own.push((all - first) / EPOCHS as f64);
        self.parameters = parameters;
        step.set(turn as u64, "Keras");
        match tensorflow.map(|tensorflow| tensorflow.keras(EPOCHS)) {
            None => {}
            Some(Err(reason)) => self.reason = Some(reason),
            Some(Ok(Keras { epoch, version })) => {
                self.keras.push(epoch);
                self.keras_version = Some(version);
            }
        }
        Ok(())
    }

    /// The middle one of our turns.
    pub fn own_median(&self) -> Option<f64> {
        median(&self.own)
    }

    /// The middle one of Keras' turns.
    pub fn keras_median(&self) -> Option<f64> {
        median(&self.keras)
    }
}

/// CPU-seconds of a whole training, and the model's parameters. What does not grow with the epochs cancels out in a difference.
fn own(config: &Config, dataset: &Dataset, epochs: usize) -> Result<(f64, usize), BenchError> {
    let mut config = config.clone();
    for head in trident::spec::Head::ALL {
        config.train.head_mut(head).epochs = Some(epochs);
    }
    let folder = tempfile::tempdir().map_err(BenchError::System)?;
    let run = Run::create(&folder.path().join("run"), &config).map_err(crate::train::TrainError::from)?;
    let options = Options {
        resume: false,
        interrupted: &AtomicBool::new(false),
        progress: Progress::silent(),
    };
    let plan = Plan::new(&config, dataset)?;
    let start = cpu_seconds().map_err(BenchError::System)?;
    let summary = plan.train(&run, &options)?;
    Ok((cpu_seconds().map_err(BenchError::System)? - start, summary.parameters))
}
