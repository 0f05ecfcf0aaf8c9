//! A candidate's run folder: what its child process is told, whether it is done, and what came of it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use trident::spec::Head;

use super::SweepError;
use super::children::Job;
use crate::config::Config;
use crate::eval::leading;
use crate::export::REPORT as QUANTIZE_REPORT;
use crate::run::sealed::write_whole;
use crate::run::{Metrics, Run, RunError};
use crate::train::HeadMetrics;

/// A candidate's training.
#[derive(Clone, Debug)]
pub struct CandidateRun {
    /// Head and candidate, for progress.
    pub name: String,
    /// The run folder.
    pub folder: PathBuf,
    /// What it is trained by.
    pub config: Config,
    /// What its data are known by.
    pub fingerprint: String,
    /// Multiplications of one run: the more, the longer the training.
    pub macs: u64,
}

impl CandidateRun {
    /// Makes sure that the folder, if it is there, holds a run of this very configuration and data.
    ///
    /// # Errors
    /// If it holds anything else.
    pub fn check(&self) -> Result<(), SweepError> {
        let run = match Run::open(&self.folder) {
            Ok(run) => run,
            Err(RunError::NotARun { .. }) => return Ok(Run::refuse_occupied(&self.folder)?),
            Err(error) => return Err(error.into()),
        };
        let same_data = match run.record() {
            Ok(record) => record.data == self.fingerprint,
            // Interrupted before its training began.
            Err(RunError::Unfinished { .. }) => true,
            Err(error) => return Err(error.into()),
        };
        if run.config() != &self.config || !same_data {
            return Err(SweepError::OtherSettings {
                folder: self.folder.clone(),
            });
        }
        Ok(())
    }

    /// Whether its training came to its end.
    pub fn is_trained(&self) -> bool {
        Run::open(&self.folder).is_ok_and(|run| run.state().is_ok())
    }

    /// The call that trains it, from its checkpoint if there is one.
    ///
    /// # Errors
    /// If its configuration cannot be written.
    pub fn training(&self) -> Result<Job, SweepError> {
        if Run::open(&self.folder).is_ok() {
            return Ok(self.job(&[
                "train".as_ref(),
                "-o".as_ref(),
                self.folder.as_os_str(),
                "--resume".as_ref(),
            ]));
        }
        let file = self.beside("toml");
        let above = self.folder.parent().unwrap_or(Path::new("."));
        let failed = |source| SweepError::Write {
            path: file.clone(),
            source,
        };
        std::fs::create_dir_all(above).map_err(failed)?;
        write_whole(&file, self.config.to_toml(above)?.as_bytes()).map_err(failed)?;
        Ok(self.job(&[
            "train".as_ref(),
            "-c".as_ref(),
            file.as_os_str(),
            "-o".as_ref(),
            self.folder.as_os_str(),
        ]))
    }

    /// The call that quantises it.
    pub fn quantizing(&self) -> Job {
        self.job(&["quantize".as_ref(), self.folder.as_os_str()])
    }

    /// Whether it is quantised.
    pub fn is_quantized(&self) -> bool {
        self.folder.join(QUANTIZE_REPORT).is_file()
    }

    fn job(&self, words: &[&std::ffi::OsStr]) -> Job {
        Job {
            name: self.name.clone(),
            words: words.iter().map(OsString::from).collect(),
            log: self.beside("log"),
        }
    }

    /// A file beside the folder, of the same name.
    fn beside(&self, extension: &str) -> PathBuf {
        // Names hold dots, so an extension is added, not replaced.
        let mut path = self.folder.clone().into_os_string();
        path.push(".");
        path.push(extension);
        path.into()
    }
}

/// What a whole training made of a candidate.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Its figure in float on the validation rows.
    pub validation: f64,
    /// In float on the test rows, if there are any.
    pub test: Option<f64>,
    /// In int8 on the test rows.
    pub test_int8: Option<f64>,
}

/// The part of the quantiser's report that is read here.
#[derive(Deserialize)]
struct Quantized {
    int8: BTreeMap<String, HeadMetrics>,
}

impl Judged {
    /// Reads a trained and quantised run.
    ///
    /// # Errors
    /// If a file is missing or damaged.
    pub fn read(head: Head, folder: &Path) -> Result<Self, SweepError> {
        let run = Run::open(folder)?;
        let metrics = run.metrics()?;
        let quantized: Quantized = run.read_json(QUANTIZE_REPORT)?;
        let int8 = quantized.int8.get(head.name());
        Ok(Self {
            validation: figure(&metrics, "validation", head).unwrap_or(f64::NEG_INFINITY),
            test: figure(&metrics, "test", head),
            test_int8: int8.and_then(|metrics| leading(metrics).1),
        })
    }
}

/// The figure of a trained run on its validation rows; `None` if there are none, or they define no figure.
///
/// # Errors
/// If the run's figures cannot be read.
pub fn validation(head: Head, folder: &Path) -> Result<Option<f64>, SweepError> {
    Ok(figure(&Run::open(folder)?.metrics()?, "validation", head))
}

fn figure(metrics: &Metrics, split: &str, head: Head) -> Option<f64> {
    leading(metrics.get(split)?.get(head.name())?).1
}
