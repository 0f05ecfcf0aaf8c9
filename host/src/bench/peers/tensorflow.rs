//! TensorFlow from its package registry, in a virtual environment of Python's.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use serde::Deserialize;

use crate::progress::tell;

const SCRIPT: &str = include_str!("tflite.py");
// No script may be called `keras.py`: Python would import it in place of the package.
const TRAINING_SCRIPT: &str = include_str!("training.py");
/// The version that the figures are of. It is large: 250 MB to fetch, 1.5 GB on disk.
const PACKAGE: &str = "tensorflow-cpu==2.21.0";

/// An environment that has TensorFlow.
#[derive(Debug)]
pub(super) struct TensorFlow {
    python: PathBuf,
    script: PathBuf,
    training_script: PathBuf,
    models_folder: PathBuf,
    models: OnceLock<Result<Vec<PathBuf>, String>>,
}

impl TensorFlow {
    /// Makes the environment under `folder` unless it is there.
    pub fn install(folder: &Path) -> Result<Self, String> {
        let environment = folder.join("python");
        let python = environment.join("bin/python");
        let installed = environment.join(PACKAGE);
        let models_folder = folder.join("models");
        std::fs::create_dir_all(&models_folder)
            .map_err(|error| format!("cannot create {}: {error}", models_folder.display()))?;
        if !installed.exists() {
            tell!("installing {PACKAGE} into {}", environment.display());
            run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
            run(Command::new(&python).args(["-m", "pip", "install", "--quiet", PACKAGE]))?;
            std::fs::write(&installed, []).map_err(|error| format!("cannot write {}: {error}", installed.display()))?;
        }
        let script = folder.join("tflite.py");
        let training_script = folder.join("training.py");
        for (path, script) in [(&script, SCRIPT), (&training_script, TRAINING_SCRIPT)] {
            std::fs::write(path, script).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        }
        Ok(Self {
            python,
            script,
            training_script,
            models_folder,
            models: OnceLock::new(),
        })
    }

    /// Files of all workloads, made when they are first asked for.
    pub fn models(&self) -> Result<&[PathBuf], String> {
        let models = self.models.get_or_init(|| {
            run(self.script("models").arg(&self.models_folder))?;
            let listing = std::fs::read_dir(&self.models_folder).map_err(|error| error.to_string())?;
            Ok(listing.flatten().map(|entry| entry.path()).collect())
        });
        models.as_deref().map_err(String::clone)
    }

    /// Inferences per second of a workload's model on one thread.
    pub fn rate(&self, workload: &str, time: Duration) -> Result<f64, String> {
        self.models()?;
        let model = self.models_folder.join(format!("{workload}.tflite"));
        let printed = run(self.script("rate").arg(model).arg(time.as_secs().to_string()))?;
        printed.trim().parse().map_err(|_| format!("the rate is {printed:?}"))
    }

    /// What one epoch of the original demo takes in Keras, the mean of some.
    pub fn keras(&self, epochs: usize) -> Result<Keras, String> {
        let printed = run(Command::new(&self.python)
            .arg(&self.training_script)
            .arg(epochs.to_string()))?;
        let report: KerasReport =
            serde_json::from_str(printed.trim()).map_err(|error| format!("Keras printed {printed:?}: {error}"))?;
        Ok(Keras {
            epoch: report.epoch,
            version: format!("Keras {}, TensorFlow {}", report.keras, report.tensorflow),
        })
    }

    fn script(&self, job: &str) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(&self.script).arg(job);
        command
    }
}

/// What Keras takes.
#[derive(Clone, Debug)]
pub(super) struct Keras {
    /// CPU-seconds of an epoch.
    pub epoch: f64,
    /// What it is.
    pub version: String,
}

/// A line of `training.py`.
#[derive(Deserialize)]
struct KerasReport {
    keras: String,
    tensorflow: String,
    epoch: f64,
}

/// What a program prints, or what it complains of.
fn run(command: &mut Command) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .map_err(|error| format!("cannot run {program}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    let last = complaint
        .lines()
        .rfind(|line| !line.trim().is_empty())
        .unwrap_or_default();
    Err(format!("{program} ended with {}: {last}", output.status))
}
