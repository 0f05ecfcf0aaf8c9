//! Why a run folder cannot serve.

use std::io::ErrorKind;
use std::path::PathBuf;

use super::{CONFIG, SPEC, sealed};
use crate::config::ConfigError;
use crate::data::DataError;
use crate::train::Divergence;

/// Why a run folder cannot serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// It holds files already.
    #[error(
        "{}: the run folder is not empty; go on with its training by `--resume`, or name another folder with `-o`",
        folder.display()
    )]
    NotEmpty {
        /// The folder.
        folder: PathBuf,
    },
    /// Another process trains into it.
    #[error("{}: another `trident` is training into this folder; wait for it, or name another folder with `-o`", folder.display())]
    Busy {
        /// The folder.
        folder: PathBuf,
    },
    /// It holds no run.
    #[error("{}: not a run folder: it has no {CONFIG}; `trident train -o {}` makes one", folder.display(), folder.display())]
    NotARun {
        /// The folder.
        folder: PathBuf,
    },
    /// Training did not come to its end.
    #[error("{}: there is no {name} yet; finish training with `trident train -o {} --resume`", folder.display(), folder.display())]
    Unfinished {
        /// The folder.
        folder: PathBuf,
        /// What is missing.
        name: String,
    },
    /// Training ended without weights.
    #[error("{}: there is no {name}: {divergence}", folder.display())]
    Diverged {
        /// The folder.
        folder: PathBuf,
        /// What is missing.
        name: String,
        /// Why.
        divergence: Divergence,
    },
    /// What training with int8's rounding gave is not what this version reads.
    #[error(
        "{}: it is of another version, or of other data or settings; `trident train -o {} --resume` trains with int8's rounding again, \
         `trident quantize {} --ranges mse` takes the float weights",
        path.display(), folder.display(), folder.display()
    )]
    OtherRounding {
        /// The file.
        path: PathBuf,
        /// The folder.
        folder: PathBuf,
    },
    /// A file cannot be read.
    #[error("{}: cannot read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file or the folder cannot be written.
    #[error("{}: cannot write: {source}; {}", path.display(), what_helps(source.kind()))]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A JSON file is damaged.
    #[error("{}: {source}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A binary file is damaged.
    #[error("{}: {source}", path.display())]
    Sealed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: sealed::SealError,
    },
    /// Weights of another model.
    #[error("{}: the weights do not belong to {SPEC}", path.display())]
    OtherWeights {
        /// The file.
        path: PathBuf,
    },
    /// A Gaussian process that no fit ends in.
    #[error(
        "{}: no fit ends in this kernel; was the file edited? delete it, and `trident train -o {} --resume` fits the process again",
        path.display(), folder.display()
    )]
    NoKernel {
        /// The file.
        path: PathBuf,
        /// The folder.
        folder: PathBuf,
    },
    /// Files of the run contradict each other.
    #[error("{}: {what}; were its files edited? train again", folder.display())]
    Contradiction {
        /// The folder.
        folder: PathBuf,
        /// What does not fit.
        what: String,
    },
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The data are not those of the training.
    #[error("the data have changed since this run was trained (fingerprint {found}, was {expected}); train again")]
    DataChanged {
        /// Of the training.
        expected: String,
        /// Now.
        found: String,
    },
}

/// What to do about a file that cannot be written.
fn what_helps(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            "make room and run this again, a training with `--resume`, or choose another folder with `-o`"
        }
        _ => "choose a folder of yours with `-o`",
    }
}
