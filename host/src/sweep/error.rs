//! Why a sweep did not come to its end.

use std::path::PathBuf;

use crate::bench::BenchError;
use crate::config::ConfigError;
use crate::data::DataError;
use crate::run::RunError;
use crate::train::TrainError;

/// Why a sweep did not come to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SweepError {
    /// A preset without widths.
    #[error("a sweep varies the widths of the preset `edge`; `{preset}` has none to vary")]
    Preset {
        /// The preset.
        preset: &'static str,
    },
    /// A network of the user's own.
    #[error("a sweep varies the widths of the preset `edge`; [model.spec] is a network of your own: leave it out")]
    OwnSpec,
    /// A head that the configuration has no data for.
    #[error("there are no data for the head `{head}`: add [{head}] to the configuration, or leave it out of `--heads`")]
    NoData {
        /// The head.
        head: &'static str,
    },
    /// A list of candidates is empty.
    #[error("[sweep.{head}] lists nothing to try")]
    NoCandidates {
        /// The head.
        head: &'static str,
    },
    /// A candidate that no model can be made of.
    #[error("{candidate}: {source}")]
    Price {
        /// Its name.
        candidate: String,
        /// Why.
        source: Box<BenchError>,
    },
    /// Nothing is cheap enough.
    #[error("no model fits `--{budget} {limit}`: the cheapest, {cheapest}, needs {needs}")]
    NothingFits {
        /// The budget's name on the command line.
        budget: &'static str,
        /// The budget.
        limit: u64,
        /// Candidates by head.
        cheapest: String,
        /// What it costs.
        needs: String,
    },
    /// Every budget can be kept, but not all at once.
    #[error("no model keeps all budgets at once: relax one of them, or list smaller networks under [sweep]")]
    NothingFitsAll,
    /// No training succeeded.
    #[error("no training of the {head} head succeeded; of {candidate}: {reason}")]
    NothingTrained {
        /// The head.
        head: &'static str,
        /// One that failed.
        candidate: String,
        /// Why.
        reason: String,
    },
    /// A folder of something else.
    #[error("{}: holds files, but no sweep: name another folder with `-o`", folder.display())]
    NotASweep {
        /// The folder.
        folder: PathBuf,
    },
    /// A run of other data or settings is in the way.
    #[error("{}: was trained with other data or settings; sweep into another folder with `-o`", folder.display())]
    OtherSettings {
        /// The run folder.
        folder: PathBuf,
    },
    /// A file cannot be written.
    #[error("{}: cannot write: {source}; choose a folder of yours with `-o`", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A child process cannot be started or waited for.
    #[error("cannot run a training in a process of its own: {0}")]
    Child(std::io::Error),
    /// A finalist cannot be quantised.
    #[error("{name}: {reason}")]
    Finalist {
        /// The run.
        name: String,
        /// What its child said.
        reason: String,
    },
    /// The picture.
    #[error("cannot draw the picture: {0}")]
    Plot(String),
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data.
    #[error(transparent)]
    Data(#[from] DataError),
    /// No model can be made for the data.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// A run folder.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The bench image.
    #[error(transparent)]
    Bench(#[from] BenchError),
    /// It was asked to stop.
    #[error("interrupted; the same command goes on where it stopped")]
    Interrupted,
}
