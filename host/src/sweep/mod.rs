//! A sweep: which widths, depths and picture sizes are worth their cost, under budgets for flash, arena and work.
//!
//! ```text
//! [sweep], preset ─► candidates ─► price: quantised with drawn weights ─► within budget? ─► short training ─► fronts of the heads
//!                    per head      (blob, arena, MACs; QEMU counts instructions)            validation rows        │
//!        sweep.json ◄─ test rows, int8 ◄─ whole training ◄─ finalists ◄─ front ◄─ price ◄─ models of every combination
//! ```
//!
//! The heads of the preset `edge` share nothing, so a candidate is trained alone and serves in every model. Trainings are child
//! processes of this program in run folders of their own, `FOLDER/runs/HEAD/NAME-eEPOCHS`: what is finished is not done again.

mod children;
pub mod cost;
mod error;
pub mod front;
pub mod plot;
pub mod report;
mod runs;
mod search;
pub mod space;

use std::path::Path;
use std::sync::atomic::AtomicBool;

use trident::spec::Head;

use crate::bench::{Bench, BenchError};
use crate::config::Config;
use crate::device::Board;
use crate::progress::Progress;
use crate::run::{self, Run, sealed::write_whole};
use crate::toolchain::Toolchain;
use cost::{Budgets, Pricing};
pub use error::SweepError;
use report::{ModelReport, Report};
use search::Sweep;

/// What was found, in the sweep's folder.
pub const REPORT: &str = "sweep.json";
/// The picture of it.
pub const PICTURE: &str = "sweep.svg";
/// The configuration that trains the best finalist.
pub const BEST: &str = "best.toml";

/// What else a sweep is told.
#[derive(Debug)]
pub struct Settings<'a> {
    /// Where runs and results go.
    pub folder: &'a Path,
    /// The heads; none stands for all that the configuration has data for.
    pub heads: &'a [Head],
    /// The most that a model may cost.
    pub budgets: Budgets,
    /// The share of a recipe's epochs that candidates are trained for at first, above 0, up to 1.
    pub epochs_share: f64,
    /// How many models are trained for all their epochs and judged on the test rows.
    pub finalists: usize,
    /// Trainings at a time.
    pub jobs: usize,
    /// The board whose instructions are measured under QEMU.
    pub board: Option<&'static Board>,
    /// This program.
    pub program: &'a Path,
    /// Set from outside to stop; what is done is kept.
    pub interrupted: &'a AtomicBool,
    /// Where progress is shown.
    pub progress: Progress,
}

/// Sweeps, and writes `sweep.json`, `sweep.svg` and `best.toml` into the folder.
///
/// # Errors
/// A setting that makes no sense, budgets that nothing keeps, a folder that cannot be written, an interruption.
pub fn sweep(config: &Config, settings: &Settings<'_>) -> Result<Report, SweepError> {
    refuse_foreign(settings.folder)?;
    let heads = space::heads(config, settings.heads)?;
    let swept = space::restricted(config, &heads);
    let mut tried = Vec::new();
    for &head in &heads {
        let candidates = space::candidates(config, head);
        if candidates.is_empty() {
            return Err(SweepError::NoCandidates { head: head.name() });
        }
        tried.push((head, candidates));
    }
    let bench = match settings.board {
        Some(board) => Some(Bench::new(&Toolchain::new().map_err(BenchError::from)?, board)?),
        None => None,
    };
    let all = tried
        .iter()
        .flat_map(|(head, candidates)| candidates.iter().map(|candidate| (*head, candidate)));
    let pricing = Pricing::new(&swept, all, bench.as_ref())?;
    let mut sweep = Sweep::price(settings, &pricing, &tried)?;

    std::fs::create_dir_all(settings.folder).map_err(|source| SweepError::Write {
        path: settings.folder.to_owned(),
        source,
    })?;
    let _lock = run::lock(settings.folder)?;
    let mut report = sweep.report(Vec::new());
    write_report(settings.folder, &report)?;
    sweep.train()?;
    let mut models = sweep.models()?;
    sweep.finish(&mut models)?;
    report = sweep.report(models);
    if let Some(best) = best(&report) {
        let best = best_config(config, &report, best).to_toml(settings.folder)?;
        write(&settings.folder.join(BEST), best.as_bytes())?;
        report.best = Some(BEST);
    }
    write_report(settings.folder, &report)?;
    write(&settings.folder.join(PICTURE), plot::picture(&report)?.as_bytes())?;
    Ok(report)
}

/// The finalist with the largest score after its whole training, the cheapest blob among equals.
pub fn best(report: &Report) -> Option<&ModelReport> {
    let score = |model: &ModelReport| model.finalist.as_ref().map(|finalist| finalist.score);
    let finalists = report.models.iter().filter(|model| model.finalist.is_some());
    finalists.reduce(|best, model| {
        let order = score(model)
            .partial_cmp(&score(best))
            .unwrap_or(std::cmp::Ordering::Equal);
        let cheaper = best.cost.blob_bytes.cmp(&model.cost.blob_bytes);
        if order.then(cheaper).is_gt() { model } else { best }
    })
}

/// The user's configuration with the networks of a model.
fn best_config(config: &Config, report: &Report, model: &ModelReport) -> Config {
    let mut best = config.clone();
    best.sweep = None;
    for head in Head::ALL {
        let name = model.candidates.get(head.name());
        if let Some(candidate) = name.and_then(|name| report.candidate(head.name(), name)) {
            candidate.network.apply(head, &mut best);
        }
    }
    best
}

fn write_report(folder: &Path, report: &Report) -> Result<(), SweepError> {
    let mut text = serde_json::to_string_pretty(report).map_err(|error| SweepError::Write {
        path: folder.join(REPORT),
        source: error.into(),
    })?;
    text.push('\n');
    write(&folder.join(REPORT), text.as_bytes())
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), SweepError> {
    write_whole(path, bytes).map_err(|source| SweepError::Write {
        path: path.to_owned(),
        source,
    })
}

/// Refuses a folder that holds files, but no sweep.
fn refuse_foreign(folder: &Path) -> Result<(), SweepError> {
    if folder.join(REPORT).is_file() {
        return Ok(());
    }
    match Run::refuse_occupied(folder) {
        Err(run::RunError::NotEmpty { folder }) => Err(SweepError::NotASweep { folder }),
        other => Ok(other?),
    }
}
