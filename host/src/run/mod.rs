//! A run folder: everything that one training took and gave.
//!
//! | file | holds |
//! |---|---|
//! | `trident.toml` | the configuration, its paths relative to the folder |
//! | `run.json` | tool version, data fingerprint and description, recipes: [`Record`] |
//! | `spec.json` | the model's layers |
//! | `split.csv` | head, row and part of every row of the data |
//! | `transforms.json` | how readings become model inputs, and the target's scale: [`Transforms`] |
//! | `process.json` | the Gaussian process that taught the regression head, if one did: [`crate::train::ProcessRecord`] |
//! | `checkpoint-*.bin` | where training stands, one file per independent group of heads |
//! | `weights.bin` | the best weights, in the trainer's order |
//! | `qat.json`, `qat-*.bin` | what quantisation-aware training gave: [`crate::train::aware`] |
//! | `metrics.json` | figures per split and head, in float |
//! | `history.json`, `history.csv` | losses and figures per epoch and head |
//! | `evaluation-*.json` | what devices said about the blob: [`Evaluation`] |
//! | `diverged.json` | why training ended without weights, if it did: [`Divergence`] |
//! | `cosines-*.json` | how far heads' gradients agreed per epoch, where `balancing` takes them apart |
//!
//! Every file is written whole or not at all. Start with [`Run::create`] to train and with [`Run::open`] for all that follows.

mod agreement;
mod error;
mod evaluation;
pub mod sealed;
mod split_table;

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use trident::spec::ModelSpec;

use crate::config::Config;
use crate::data::{Dataset, Description};
use crate::model::{FoldedModel, LayerState, ModelState};
use crate::train::{Divergence, EpochRecord, HeadMetrics, Recipe, TeacherRecord};
use crate::transform::{InputTransform, Standard};
pub use error::RunError;
pub use evaluation::Evaluation;
pub(crate) use split_table::split_table;

const CONFIG: &str = "trident.toml";
const RECORD: &str = "run.json";
const SPEC: &str = "spec.json";
const TRANSFORMS: &str = "transforms.json";
const WEIGHTS: &str = "weights.bin";
const METRICS: &str = "metrics.json";
const HISTORY: &str = "history.json";
const DIVERGED: &str = "diverged.json";

/// Figures per split (`train`, `validation`, `test`) and head.
pub type Metrics = BTreeMap<String, BTreeMap<String, HeadMetrics>>;

/// Epochs per head.
pub type History = BTreeMap<String, Vec<EpochRecord>>;

/// What else is needed to repeat a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The version that trained.
    pub tool: String,
    /// SHA-256 of the data, in hexadecimal.
    pub data: String,
    /// Names and sizes of the data.
    pub description: Description,
    /// Recipe per head, presets and overrides resolved.
    pub recipes: BTreeMap<String, Recipe>,
    /// Whom heads learnt from beside the labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub teachers: Vec<TeacherRecord>,
}

/// How a model's numbers relate to the user's units.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Transforms {
    /// From readings to the classification head's model inputs.
    pub classification: Option<InputTransform>,
    /// From readings to the regression head's model inputs.
    pub regression: Option<InputTransform>,
    /// The regression head's number and the target's unit.
    pub target: Option<Standard>,
}

/// A run folder.
#[derive(Clone, Debug)]
pub struct Run {
    folder: PathBuf,
    config: Config,
}

impl Run {
    /// Makes a folder and writes the configuration into it, which proves that it can be written.
    ///
    /// # Errors
    /// If the folder holds anything, or cannot be written.
    pub fn create(folder: &Path, config: &Config) -> Result<Self, RunError> {
        Self::refuse_occupied(folder)?;
        std::fs::create_dir_all(folder).map_err(|source| RunError::Write {
            path: folder.to_owned(),
            source,
        })?;
        let _lock = lock(folder)?;
        // Now that nobody else can make a run here: is it still empty?
        Self::refuse_occupied(folder)?;
        let run = Self {
            folder: folder.to_owned(),
            config: config.clone(),
        };
        run.write(CONFIG, config.to_toml(folder)?.as_bytes())?;
        Ok(run)
    }

    /// Checks that a folder is empty or not there, and makes nothing: for an early error, before data are read.
    ///
    /// # Errors
    /// If it holds anything, or cannot be looked into.
    pub fn refuse_occupied(folder: &Path) -> Result<(), RunError> {
        match std::fs::read_dir(folder) {
            Ok(mut entries) => match entries.next() {
                None => Ok(()),
                Some(_) => Err(RunError::NotEmpty {
                    folder: folder.to_owned(),
                }),
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(RunError::Write {
                path: folder.to_owned(),
                source,
            }),
        }
    }

    /// Opens a folder that [`Run::create`] made.
    ///
    /// # Errors
    /// If it holds no run, or its configuration is damaged.
    pub fn open(folder: &Path) -> Result<Self, RunError> {
        let path = folder.join(CONFIG);
        if !path.is_file() {
            return Err(RunError::NotARun {
                folder: folder.to_owned(),
            });
        }
        Ok(Self {
            folder: folder.to_owned(),
            config: Config::load(&path)?,
        })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Its configuration's file.
    pub(crate) fn config_path(&self) -> PathBuf {
        self.path(CONFIG)
    }

    /// The path of one of its files.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Whether float training came to its end.
    pub fn is_trained(&self) -> bool {
        self.path(WEIGHTS).exists()
    }

    /// The same run with other settings, which its folder then holds.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub(crate) fn with_config(self, config: &Config) -> Result<Self, RunError> {
        if self.config == *config {
            return Ok(self);
        }
        self.write(CONFIG, config.to_toml(&self.folder)?.as_bytes())?;
        Ok(Self {
            config: config.clone(),
            ..self
        })
    }

    /// Loads the data that it was trained on.
    ///
    /// # Errors
    /// If they cannot be read, or are not the same any more.
    pub fn dataset(&self) -> Result<Dataset, RunError> {
        let dataset = crate::data::load(&self.config)?;
        self.refuse_other(&dataset)?;
        Ok(dataset)
    }

    /// Checks that it was trained on these data.
    ///
    /// # Errors
    /// If it was not.
    pub(crate) fn refuse_other(&self, dataset: &Dataset) -> Result<(), RunError> {
        let (expected, found) = (self.record()?.data, fingerprint(dataset));
        if expected == found {
            Ok(())
        } else {
            Err(RunError::DataChanged { expected, found })
        }
    }

    /// What else is needed to repeat the run.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn record(&self) -> Result<Record, RunError> {
        self.read_json(RECORD)
    }

    /// The model's layers.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn spec(&self) -> Result<ModelSpec, RunError> {
        self.read_json(SPEC)
    }

    /// How the model's numbers relate to the user's units.
    ///
    /// # Errors
    /// If it cannot be read, or does not fit the model and the data that the run was made with.
    pub fn transforms(&self) -> Result<Transforms, RunError> {
        let transforms = self.read_json(TRANSFORMS)?;
        match agreement::contradiction(&self.spec()?, &transforms, &self.record()?) {
            None => Ok(transforms),
            Some(what) => Err(RunError::Contradiction {
                folder: self.folder.clone(),
                what,
            }),
        }
    }

    /// The best weights, as they were trained.
    ///
    /// # Errors
    /// If they cannot be read, or belong to another model.
    pub fn state(&self) -> Result<ModelState, RunError> {
        let spec = self.spec()?;
        let layers: Vec<Option<LayerState>> = self.read_sealed("weights", WEIGHTS)?;
        let state = ModelState { spec, layers };
        if !state.fits() {
            return Err(RunError::OtherWeights {
                path: self.path(WEIGHTS),
            });
        }
        Ok(state)
    }

    /// The best weights in the device's order, batch normalisation folded.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn model(&self) -> Result<FoldedModel, RunError> {
        Ok(FoldedModel::from(&self.state()?))
    }

    /// Figures of the float model.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn metrics(&self) -> Result<Metrics, RunError> {
        self.read_json(METRICS)
    }

    /// Losses and figures per epoch.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn history(&self) -> Result<History, RunError> {
        self.read_json(HISTORY)
    }

    /// Writes what is known before training begins.
    pub(crate) fn write_plan(
        &self,
        spec: &ModelSpec,
        transforms: &Transforms,
        record: &Record,
    ) -> Result<(), RunError> {
        self.write_json(SPEC, spec)?;
        self.write_json(TRANSFORMS, transforms)?;
        self.write_json(RECORD, record)
    }

    /// Writes what training gave; the weights last, since they say that the rest is there.
    pub(crate) fn write_result(
        &self,
        state: &ModelState,
        metrics: &Metrics,
        history: &History,
    ) -> Result<(), RunError> {
        self.write_history(history)?;
        self.write_json(METRICS, metrics)?;
        self.write_sealed("weights", WEIGHTS, &state.layers)
    }

    /// Writes losses and figures per epoch, as JSON and as CSV.
    pub(crate) fn write_history(&self, history: &History) -> Result<(), RunError> {
        self.write_json(HISTORY, history)?;
        let optional = |number: Option<f64>| number.map_or_else(String::new, |number| number.to_string());
        let mut table = String::from("head,epoch,learning_rate,loss,accuracy,validation,log_variance\n");
        for (head, records) in history {
            for record in records {
                table.push_str(&format!(
                    "{head},{},{},{},{},{},{}\n",
                    record.epoch,
                    record.learning_rate,
                    record.loss,
                    optional(record.accuracy),
                    optional(record.validation),
                    optional(record.log_variance)
                ));
            }
        }
        self.write("history.csv", table.as_bytes())
    }

    /// Reads a sealed file, if there is one.
    pub(crate) fn read_sealed_if_there<T: DeserializeOwned>(
        &self,
        kind: &'static str,
        name: &str,
    ) -> Result<Option<T>, RunError> {
        if self.path(name).exists() {
            self.read_sealed(kind, name).map(Some)
        } else {
            Ok(None)
        }
    }

    /// Writes a sealed file.
    pub(crate) fn write_sealed<T: Serialize>(&self, kind: &'static str, name: &str, value: &T) -> Result<(), RunError> {
        let bytes = sealed::seal(kind, value).map_err(|source| RunError::Sealed {
            path: self.path(name),
            source,
        })?;
        self.write(name, &bytes)
    }

    /// Writes a JSON file.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_json<T: Serialize>(&self, name: &str, value: &T) -> Result<(), RunError> {
        let mut text = serde_json::to_string_pretty(value).map_err(|source| RunError::Json {
            path: self.path(name),
            source,
        })?;
        text.push('\n');
        self.write(name, text.as_bytes())
    }

    /// Reads a JSON file.
    ///
    /// # Errors
    /// If it is missing or damaged.
    pub fn read_json<T: DeserializeOwned>(&self, name: &str) -> Result<T, RunError> {
        serde_json::from_slice(&self.read(name)?).map_err(|source| RunError::Json {
            path: self.path(name),
            source,
        })
    }

    /// Writes a file, whole or not at all.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), RunError> {
        sealed::write_whole(&self.path(name), bytes).map_err(|source| RunError::Write {
            path: self.path(name),
            source,
        })
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, RunError> {
        std::fs::read(self.path(name)).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => self.missing(name),
            _ => RunError::Read {
                path: self.path(name),
                source,
            },
        })
    }

    /// Why a file that training writes is not there.
    fn missing(&self, name: &str) -> RunError {
        let (folder, name) = (self.folder.clone(), name.to_owned());
        let noted = std::fs::read(self.path(DIVERGED)).ok();
        match noted.and_then(|noted| serde_json::from_slice(&noted).ok()) {
            Some(divergence) => RunError::Diverged {
                folder,
                name,
                divergence,
            },
            None => RunError::Unfinished { folder, name },
        }
    }

    /// Remembers why training ended without weights, or that it is to end with some.
    pub(crate) fn note_divergence(&self, divergence: Option<&Divergence>) -> Result<(), RunError> {
        match divergence {
            Some(divergence) => self.write_json(DIVERGED, divergence),
            None => self.remove(DIVERGED),
        }
    }

    /// Removes a file, if it is there.
    pub(crate) fn remove(&self, name: &str) -> Result<(), RunError> {
        match std::fs::remove_file(self.path(name)) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(RunError::Write {
                path: self.path(name),
                source,
            }),
            _ => Ok(()),
        }
    }

    pub(crate) fn read_sealed<T: DeserializeOwned>(&self, kind: &'static str, name: &str) -> Result<T, RunError> {
        sealed::unseal(kind, &self.read(name)?).map_err(|source| RunError::Sealed {
            path: self.path(name),
            source,
        })
    }
}

/// Keeps every other process from making a run in a folder or training into it, until the value is dropped.
///
/// # Errors
/// If another process does so, or the folder cannot be opened.
pub(crate) fn lock(folder: &Path) -> Result<File, RunError> {
    let failed = |source| RunError::Write {
        path: folder.to_owned(),
        source,
    };
    let file = File::open(folder).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(RunError::Busy {
            folder: folder.to_owned(),
        }),
        // A file system that knows no locks is no reason not to train.
        Err(TryLockError::Error(_)) => Ok(file),
    }
}

/// SHA-256 of the data, in hexadecimal.
pub(crate) fn fingerprint(dataset: &Dataset) -> String {
    crate::hex::encode(&crate::data::fingerprint(dataset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_serves_one_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("runs/a");
        let config = Config::builtin();
        let run = Run::create(&path, &config).unwrap();
        assert_eq!(Run::open(run.folder()).unwrap().config(), &config);
        let again = Run::create(&path, &config).unwrap_err().to_string();
        assert!(again.contains("--resume"), "{again}");
        let unfinished = run.state().unwrap_err().to_string();
        assert!(unfinished.contains("--resume"), "{unfinished}");
        assert!(matches!(Run::open(folder.path()), Err(RunError::NotARun { .. })));
    }

    #[test]
    fn one_process_at_a_time_uses_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let held = lock(folder.path()).unwrap();
        let busy = Run::create(folder.path(), &Config::builtin()).unwrap_err();
        assert!(matches!(busy, RunError::Busy { .. }), "{busy}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        drop(held);
        Run::create(folder.path(), &Config::builtin()).unwrap();
    }

    #[test]
    fn a_file_in_the_way_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "x").unwrap();
        for path in [file.clone(), file.join("below")] {
            let error = Run::create(&path, &Config::builtin()).unwrap_err();
            assert!(matches!(error, RunError::Write { .. }), "{error}");
        }
    }
}
