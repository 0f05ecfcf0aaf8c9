//! `trident train`: a run folder with the best weights of every head.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::table::{figure, table};
use super::{interrupt, say};
use crate::config::{Backend, Config, DeviceChoice, Preset};
use crate::eval::leading;
use crate::progress::Progress;
use crate::run::{History, Run};
use crate::train::{AwareRecord, Options, Plan, TrainSummary};

/// What to train on, and where the run goes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration; without it `trident.toml` in this folder, if there is one
    #[arg(short, long, value_name = "FILE", conflicts_with = "data")]
    config: Option<PathBuf>,
    /// Built-in data instead of files
    #[arg(long, value_enum)]
    data: Option<Data>,
    /// The run folder; it must not exist yet, or be empty
    #[arg(short, long, value_name = "RUN", default_value = "run")]
    output: PathBuf,
    /// The network: overrides the configuration
    #[arg(long, value_parser = preset)]
    preset: Option<Preset>,
    /// What computes: overrides the configuration
    #[arg(long, value_parser = backend)]
    backend: Option<Backend>,
    /// What computes besides this computer's cores: `cuda[:N]`, `wgpu[:N]`, `remote:ws://HOST:PORT`; overrides the configuration
    #[arg(long)]
    device: Option<DeviceChoice>,
    /// Seed of weights, batches and augmentation: overrides the configuration
    #[arg(long)]
    seed: Option<u64>,
    /// Epochs of every head: overrides the configuration
    #[arg(long)]
    epochs: Option<usize>,
    /// Train on with int8's rounding once float training is done, and keep what is better; with `--resume`, a finished run too
    #[arg(long)]
    qat: bool,
    /// Leave that out even for a head that a Gaussian process teaches
    #[arg(long, conflicts_with = "qat")]
    no_qat: bool,
    /// A run folder, or a CSV file of soft labels, to learn from beside the labels; several teach by their mean. Replaces
    /// `teacher` of the configuration
    #[arg(long, value_name = "RUN|CSV")]
    teacher: Vec<PathBuf>,
    /// Go on with the run in the folder, from its checkpoints
    #[arg(long, conflicts_with_all = ["config", "data", "preset", "backend", "device", "seed", "epochs", "teacher"])]
    resume: bool,
}

/// Data that come with the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Data {
    /// MAGIC gamma telescope, airfoil self-noise, generated crop/weed tiles
    Builtin,
    /// Random numbers, as the original demo had them
    Random,
    /// Generated fields whose picture and readings belong together; preset `fused`
    Aligned,
}

/// Trains and prints the figures.
///
/// # Errors
/// If the configuration or data are refused, the folder cannot be written, or training is interrupted.
pub fn run(args: &Args, json: bool) -> anyhow::Result<()> {
    let mut config = if args.resume {
        Run::open(&args.output)?.config().clone()
    } else {
        let config = config(args)?;
        Run::refuse_occupied(&args.output)?;
        config
    };
    if args.qat || args.no_qat {
        config.train.set_qat(args.qat);
    }
    let interrupted = interrupt::flag()?;
    // Whatever is wrong with data or settings shows before the folder is made, so that nothing is left behind.
    let dataset = crate::data::load(&config)?;
    interrupt::check(&interrupted)?;
    let plan = Plan::new(&config, &dataset)?;
    interrupt::check(&interrupted)?;
    let run = if args.resume {
        Run::open(&args.output)?.with_config(&config)?
    } else {
        Run::create(&args.output, &config)?
    };
    let options = Options {
        resume: args.resume,
        interrupted: &interrupted,
        progress: Progress::new(),
    };
    let summary = plan.train(&run, &options)?;
    if json {
        return super::print_json(&summary);
    }
    print(&summary, args)?;
    if summary.demonstration {
        print_epochs(&run.history()?)?;
    }
    Ok(())
}

/// The configuration that the words ask for.
fn config(args: &Args) -> anyhow::Result<Config> {
    let mut config = source(args.config.as_deref(), args.data)?;
    if let Some(preset) = args.preset {
        config.train.preset = preset;
    }
    if let Some(backend) = args.backend {
        config.train.backend = backend;
    }
    if let Some(device) = &args.device {
        config.train.device = Some(device.clone());
    }
    if let Some(seed) = args.seed {
        config.train.seed = seed;
    }
    if !args.teacher.is_empty() {
        let here = std::env::current_dir().context("this folder")?;
        config.train.teacher = args.teacher.iter().map(|path| here.join(path)).collect();
    }
    if let Some(epochs) = args.epochs {
        trident::Head::ALL
            .into_iter()
            .for_each(|head| config.train.head_mut(head).epochs = Some(epochs));
    }
    Ok(config)
}

/// The configuration of a file, of built-in data, or of this folder.
pub(super) fn source(path: Option<&Path>, data: Option<Data>) -> anyhow::Result<Config> {
    let here = Path::new("trident.toml");
    Ok(match (path, data) {
        (Some(path), _) => Config::load(path)?,
        (None, Some(Data::Builtin)) => Config::builtin(),
        (None, Some(Data::Random)) => Config::random(),
        (None, Some(Data::Aligned)) => Config::aligned(),
        (None, None) if here.exists() => Config::load(here)?,
        (None, None) => bail!(
            "nothing to train on: there is no trident.toml in this folder; name one with `-c FILE`, or take built-in data \
             with `--data builtin`"
        ),
    })
}

pub(super) fn preset(name: &str) -> Result<Preset, String> {
    Preset::ALL
        .into_iter()
        .find(|preset| preset.name() == name)
        .ok_or_else(|| "there are `edge`, `seed` and `fused`".into())
}

pub(super) fn backend(name: &str) -> Result<Backend, String> {
    [Backend::Flex, Backend::Ndarray]
        .into_iter()
        .find(|backend| backend.name() == name)
        .ok_or_else(|| "there are `flex` and `ndarray`".into())
}

/// Losses and accuracy per epoch and head.
fn print_epochs(history: &History) -> anyhow::Result<()> {
    let mut heads = vec!["epoch".to_owned()];
    for head in history.keys() {
        heads.extend([format!("{head} loss"), "accuracy".to_owned()]);
    }
    let mut rows = table(&heads.iter().map(String::as_str).collect::<Vec<_>>());
    let epochs = history.values().map(Vec::len).max().unwrap_or(0);
    for epoch in 0..epochs {
        let mut row = vec![(epoch + 1).to_string()];
        for records in history.values() {
            let record = records.get(epoch);
            row.push(figure(record.map(|record| record.loss)));
            row.push(figure(record.and_then(|record| record.accuracy)));
        }
        rows.add_row(row);
    }
    say!("{rows}");
    say!("Segmentation accuracy: a pixel's strongest channel. A number has no accuracy.");
    Ok(())
}

/// What training with int8's rounding gave, beside what it has to beat.
fn print_qat(record: &AwareRecord) -> anyhow::Result<()> {
    let mut rows = table(&[
        "head",
        "epochs",
        "rows",
        "figure",
        "float",
        "post-training",
        "qat",
        "kept",
    ]);
    for group in record.groups.values() {
        for (head, record) in &group.heads {
            let (name, float) = leading(&record.float);
            rows.add_row([
                head.clone(),
                group.history.get(head).map_or(0, Vec::len).to_string(),
                group.rows.clone(),
                name.into(),
                figure(float),
                figure(leading(&record.post_training).1),
                figure(leading(&record.aware).1),
                if group.kept { "qat" } else { "post-training" }.into(),
            ]);
        }
    }
    say!("{rows}");
    say!("int8 in the integer engine; a head keeps the better of the two.");
    Ok(())
}

fn print(summary: &TrainSummary, args: &Args) -> anyhow::Result<()> {
    let mut rows = table(&["head", "epochs", "train", "validation", "test"]);
    for (head, epochs) in &summary.epochs {
        let figure = |split: &str| {
            summary
                .metrics
                .get(split)
                .and_then(|heads| heads.get(head))
                .map_or("–".into(), |metrics| metrics.summary())
        };
        rows.add_row([
            head.clone(),
            epochs.to_string(),
            figure("train"),
            figure("validation"),
            figure("test"),
        ]);
    }
    say!("{rows}");
    if let Some(record) = &summary.qat {
        print_qat(record)?;
    }
    say!(
        "{} parameters; run folder {}",
        super::table::whole(summary.parameters as u64),
        summary.folder.display()
    );
    if summary.demonstration {
        say!(
            "Labels were coin flips and inputs their own targets: these figures show that the program runs, not that a model \
             has learnt anything."
        );
    } else {
        say!("next: trident quantize {}", args.output.display());
    }
    Ok(())
}
