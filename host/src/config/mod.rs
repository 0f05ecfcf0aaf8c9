//! `trident.toml`: which data, which split, how to train.
//!
//! Start with [`Config::load`]; [`Config::builtin`], [`Config::random`] and [`Config::aligned`] need no file. Paths in the file are relative to the
//! file; after loading they are absolute. [`Config::to_toml`] writes them back relative to the folder that the text will stand
//! in, so that a run folder keeps working when the project that holds both run and data is moved.
//!
//! Everything has a default but what only the user can know (which column is the label, what the classes are called). Values
//! that a preset supplies are `Option`s here: `None` means "as the preset says".

mod device;
mod model;
mod sections;
mod source;
mod sweep;
mod train;
mod transforms;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use device::{DeviceChoice, UnknownDevice};
pub use model::ModelConfig;
pub use sections::{ClassificationConfig, Fit, GroupFile, RegressionConfig, SegmentationConfig, SplitConfig};
pub use source::{Builtin, Source};
pub use sweep::{EncoderGrid, SweepConfig, TowerGrid};
pub use train::{
    Augmentation, Backend, Balancing, Distance, HeadOverrides, LossWeights, Optimizer, Points, Preset, RegionLoss,
    TrainConfig,
};
pub use transforms::{TransformChoice, TransformKind};

/// Everything that `trident.toml` says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How rows are divided.
    #[serde(default)]
    pub split: SplitConfig,
    /// Data of the classification head, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classification: Option<ClassificationConfig>,
    /// Data of the segmentation head, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segmentation: Option<SegmentationConfig>,
    /// Data of the regression head, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regression: Option<RegressionConfig>,
    /// How to train.
    #[serde(default)]
    pub train: TrainConfig,
    /// Changes to the preset's network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelConfig>,
    /// What `trident sweep` tries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<SweepConfig>,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: cannot read the configuration: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The text is not what a configuration looks like.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// No section describes data.
    #[error("{}: no data; add at least one of [classification], [segmentation], [regression]", path.display())]
    NoHeads {
        /// The file.
        path: PathBuf,
    },
    /// The configuration cannot be written as TOML.
    #[error("cannot write the configuration as TOML: {0}")]
    Write(#[from] toml::ser::Error),
}

impl Config {
    /// Reads a file; afterwards every path in it is absolute.
    ///
    /// # Errors
    /// An unreadable file, or a fault in it with line and column.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let read_error = |source| ConfigError::Read {
            path: path.to_owned(),
            source,
        };
        let text = std::fs::read_to_string(path).map_err(read_error)?;
        let absolute = std::path::absolute(path).map_err(read_error)?;
        let mut config = Self::parse(&text, path)?;
        let folder = absolute.parent().unwrap_or(Path::new("/"));
        config.map_paths(|relative| source::resolve(folder, relative));
        Ok(config)
    }

    /// Reads a text; paths stay as they stand in it. `path` only serves error messages.
    ///
    /// # Errors
    /// A fault in the text, with line and column.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|error| {
            let (line, column) = position(text, error.span().map_or(0, |span| span.start));
            ConfigError::Syntax {
                path: path.to_owned(),
                line,
                column,
                message: error.message().to_owned(),
            }
        })?;
        if config.classification.is_none() && config.segmentation.is_none() && config.regression.is_none() {
            return Err(ConfigError::NoHeads { path: path.to_owned() });
        }
        Ok(config)
    }

    /// The text of a file in `folder` that [`Config::load`] reads back as this configuration.
    ///
    /// # Errors
    /// A path that is not UTF-8.
    pub fn to_toml(&self, folder: &Path) -> Result<String, ConfigError> {
        let mut copy = self.clone();
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        // `..` in the folder's own name would be lost on the way from it to the data.
        let folder = source::resolve(Path::new("/"), &folder);
        copy.map_paths(|path| source::relative_to(&folder, path));
        Ok(toml::to_string(&copy)?)
    }

    /// The data that come with the program: MAGIC gamma telescope, generated crop/weed/soil tiles, airfoil self-noise.
    pub fn builtin() -> Self {
        let mut config = Self {
            classification: Some(ClassificationConfig::new(Builtin::Magic.into(), "gamma")),
            segmentation: Some(SegmentationConfig::new(
                Builtin::Tiles.into(),
                &["weed", "crop", "soil"],
                [32, 32],
            )),
            regression: Some(RegressionConfig::new(
                Builtin::Airfoil.into(),
                "sound_pressure_level_db",
            )),
            ..Self::default()
        };
        // Generated tiles are learnt sooner than photographs: the demo's training stays well below three minutes.
        config.train.segmentation.epochs = Some(64);
        config
    }

    /// The original demo's data: 1,000 uniform random samples of each input with random labels (see
    /// [`data::random`](crate::data::random)).
    pub fn random() -> Self {
        let mut config = Self {
            classification: Some(ClassificationConfig::new(Builtin::Random.into(), "label")),
            segmentation: Some(SegmentationConfig::new(
                Builtin::Random.into(),
                &["red", "green", "blue"],
                [32, 32],
            )),
            regression: Some(RegressionConfig::new(Builtin::Random.into(), "mean")),
            ..Self::default()
        };
        config.train.preset = Preset::Seed;
        // A draw whose readings vary within a row as theory says, 0.0667, so that losses compare with those of other draws.
        config.split.seed = 2;
        config
    }

    /// Generated fields whose picture and readings belong together (see [`data::aligned`](crate::data::aligned)), for the
    /// preset whose heads share a trunk.
    pub fn aligned() -> Self {
        let mut config = Self {
            classification: Some(ClassificationConfig::new(Builtin::Aligned.into(), "advice")),
            segmentation: Some(SegmentationConfig::new(
                Builtin::Aligned.into(),
                &["weed", "crop", "soil"],
                [32, 32],
            )),
            regression: Some(RegressionConfig::new(Builtin::Aligned.into(), "yield_loss_percent")),
            ..Self::default()
        };
        config.split.aligned = true;
        config.train.preset = Preset::Fused;
        config
    }

    fn map_paths(&mut self, map: impl Fn(&Path) -> PathBuf) {
        let map_source = |source: &mut Source| {
            if let Source::File(path) = source {
                *path = map(path);
            }
        };
        self.train.teacher.iter_mut().for_each(|path| *path = map(path));
        if let Some(section) = &mut self.classification {
            map_source(&mut section.csv);
        }
        if let Some(section) = &mut self.regression {
            map_source(&mut section.csv);
        }
        if let Some(section) = &mut self.segmentation {
            map_source(&mut section.images);
            if let Some(masks) = &mut section.masks {
                *masks = map(masks);
            }
            if let Some(groups) = &mut section.groups {
                groups.file = map(&groups.file);
            }
        }
    }
}

/// Line and column, both from 1, of a byte offset.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.matches('\n').count() + 1;
    (line, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = r#"
[split]
seed = 42
[classification]
csv = "classification.csv"
label = "gamma"
transforms = { fLength = ["log", "quantile"], fDist = "standardise" }
[segmentation]
images = "segmentation/images"
masks = "segmentation/masks"
classes = ["weed", "crop", "soil"]
size = [32, 32]
groups = { file = "segmentation/index.csv", column = "source_image" }
[regression]
csv = "regression.csv"
target = "sound_pressure_level_db"
transforms = "standardise"
[train]
preset = "edge"
teacher = ["teachers/one", "soft.csv"]
[train.regression]
epochs = 500
optimizer = "adamw"
"#;

    fn error(text: &str) -> String {
        Config::parse(text, Path::new("t.toml")).unwrap_err().to_string()
    }

    #[test]
    fn the_example_is_read() {
        let config = Config::parse(EXAMPLE, Path::new("t.toml")).unwrap();
        assert_eq!(config.split.seed, 42);
        let transforms = config.classification.unwrap().transforms;
        assert_eq!(
            transforms.kinds("fLength"),
            Some(&[TransformKind::Log, TransformKind::Quantile][..])
        );
        assert_eq!(transforms.kinds("fWidth"), None);
        assert_eq!(config.train.regression.epochs, Some(500));
        assert_eq!(config.segmentation.unwrap().size, [32, 32]);
        assert_eq!(config.train.teacher, ["teachers/one", "soft.csv"].map(PathBuf::from));
        let one = Config::parse(
            "[train]\nteacher='one'\n[regression]\ncsv='a'\ntarget='b'\n",
            Path::new("t"),
        )
        .unwrap();
        assert_eq!(one.train.teacher, [PathBuf::from("one")]);
    }

    #[test]
    fn faults_name_file_line_and_column() {
        assert!(
            error("[split]\nseed = \"x\"\n").starts_with("t.toml:2:8: "),
            "{}",
            error("[split]\nseed = \"x\"\n")
        );
        let unknown = error("[train]\nepoch = 3\n");
        assert!(unknown.starts_with("t.toml:2:1: unknown field `epoch`"), "{unknown}");
        assert!(error("[split]\nseed = 1\n").contains("no data"));
        let fractions = error("[split]\ntest = 0.7\nvalidation = 0.4\n");
        assert!(fractions.contains("nothing to train on"), "{fractions}");
        let size = error("[segmentation]\nimages=\"i\"\nmasks=\"m\"\nclasses=[\"a\",\"b\"]\nsize=[32,0]\n");
        assert!(size.contains("size"), "{size}");
        let count =
            error("[segmentation]\nimages=\"builtin:tiles\"\nclasses=[\"a\",\"b\"]\nsize=[32,32]\ncount=9000000\n");
        assert!(count.contains("`count` is 1 to 100000 pictures"), "{count}");
        let transform = error("[regression]\ncsv=\"a\"\ntarget=\"b\"\ntransforms=\"log\"\n");
        assert!(transform.starts_with("t.toml:4:12: "), "{transform}");
    }

    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("data/trident.toml");
        std::fs::create_dir_all(folder.path().join("data")).unwrap();
        std::fs::create_dir_all(folder.path().join("runs/a")).unwrap();
        std::fs::write(&file, EXAMPLE).unwrap();
        let config = Config::load(&file).unwrap();
        let run = folder.path().join("runs/a");
        let text = config.to_toml(&run).unwrap();
        assert!(text.contains("\"../../data/classification.csv\""), "{text}");
        assert!(text.contains("\"../../data/teachers/one\""), "{text}");
        std::fs::write(run.join("trident.toml"), text).unwrap();
        assert_eq!(Config::load(&run.join("trident.toml")).unwrap(), config);
        for config in [Config::builtin(), Config::random(), Config::aligned()] {
            let text = config.to_toml(&run).unwrap();
            assert_eq!(Config::parse(&text, Path::new("t")).unwrap(), config, "{text}");
        }
    }
}
