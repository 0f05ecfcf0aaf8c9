//! `trident demo`: from built-in data to three heads on an emulated microcontroller, with one command.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, bail};
use serde::Serialize;
use trident::wire::Statistics;

use super::table::{figure, head_name, table, whole};
use super::{interrupt, say};
use crate::config::Config;
use crate::data::colour::ColourClassifier;
use crate::data::{self, Dataset};
use crate::device::Target;
use crate::eval::{self, Comparison, Rows, leading};
use crate::export::{Report, Settings, export};
use crate::progress::Progress;
use crate::run::Run;
use crate::toolchain::{Toolchain, Workspace};
use crate::train::{HeadMetrics, Options, Plan};

/// The least AUC, R² and margin of mean IoU over colour alone that the demo is content with.
const LEAST: Thresholds = Thresholds {
    auc: 0.92,
    r2: 0.90,
    margin: 0.10,
};

struct Thresholds {
    auc: f64,
    r2: f64,
    margin: f64,
}

/// Where the demo runs.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run folder, made anew; by default target/demo in the sources
    #[arg(short, long, value_name = "RUN")]
    output: Option<PathBuf>,
    /// The device that is compared with the host
    #[arg(long, default_value = "qemu:mps2-an386")]
    on: Target,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Outcome {
    run: PathBuf,
    on: String,
    training_seconds: f64,
    report: Report,
    device: eval::Figures,
    colour_only_miou: f64,
    comparison: Comparison,
    instructions: std::collections::BTreeMap<&'static str, u64>,
    statistics: Statistics,
    ram_bytes: u64,
}

/// Trains, quantises, boots, compares, and prints the table.
///
/// # Errors
/// If a step fails, a head is worse than it should be, or host and device differ.
pub fn run(args: &Args, json: bool) -> anyhow::Result<()> {
    let progress = Progress::new();
    if let Some(folder) = &args.output {
        Run::refuse_occupied(folder)?;
    }
    prepare_device(&args.on, &progress)?;
    let mut config = Config::builtin();
    config.train.qat = Some(true);
    let interrupted = interrupt::flag()?;
    let dataset = data::load(&config)?;
    interrupt::check(&interrupted)?;
    let plan = Plan::new(&config, &dataset)?;
    interrupt::check(&interrupted)?;
    let folder = match &args.output {
        Some(folder) => folder.clone(),
        None => default_folder()?,
    };
    let run = Run::create(&folder, &config)?;

    let started = Instant::now();
    let options = Options {
        resume: false,
        interrupted: &interrupted,
        progress: progress.clone(),
    };
    plan.train(&run, &options)?;
    let training_seconds = started.elapsed().as_secs_f64();
    progress.say(&format!("trained in {training_seconds:.0} s; quantising"));
    let export = export(&run, &dataset, &Settings::default(), &progress)?;
    interrupt::check(&interrupted)?;

    let rows = Rows::test(&dataset);
    let host = eval::int8(export.blob.as_ref(), &dataset, &rows)?;
    let mut client = args.on.connect(export.blob.as_ref())?;
    let (outputs, instructions) = eval::on_device(&mut client, &dataset, &rows, &progress, &interrupted)?;
    let statistics = client.statistics()?;
    let outcome = Outcome {
        run: folder,
        on: args.on.to_string(),
        training_seconds,
        report: export.report,
        device: eval::figures(&outputs, &run.transforms()?, &dataset, &rows),
        colour_only_miou: colour_only(&dataset),
        comparison: eval::compare(&host, &outputs),
        instructions,
        ram_bytes: ram(&statistics),
        statistics,
    };
    if json {
        super::print_json(&outcome)?;
    } else {
        print(&outcome)?;
    }
    judge(&outcome)
}

/// Builds firmware before training, so that what is missing is said at once.
fn prepare_device(target: &Target, progress: &Progress) -> anyhow::Result<()> {
    if let Target::Qemu { board, .. } = target {
        let toolchain = Toolchain::new()?;
        toolchain.qemu(board)?;
        progress.say(&format!("building firmware for {}", board.name));
        toolchain.firmware(board, None)?;
    }
    Ok(())
}

/// `target/demo` in the sources, emptied: nothing but the demo writes there.
fn default_folder() -> anyhow::Result<PathBuf> {
    let folder = Workspace::find()?.root().join("target/demo");
    let _lock = folder.is_dir().then(|| crate::run::lock(&folder)).transpose()?;
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot empty {}", folder.display()))
        }
        _ => Ok(folder),
    }
}

fn colour_only(dataset: &Dataset) -> f64 {
    dataset.segmentation.as_ref().map_or(0.0, |data| {
        ColourClassifier::fit(data, &data.split.train)
            .judge(data, &data.split.test)
            .miou
    })
}

/// Arena, stack and statics; buffers of the link apart.
fn ram(statistics: &Statistics) -> u64 {
    u64::from(statistics.arena_used) + u64::from(statistics.stack_high_water) + u64::from(statistics.other_static_len)
}

fn print(outcome: &Outcome) -> anyhow::Result<()> {
    let report = &outcome.report;
    let mut rows = table(&[
        "head",
        "test rows",
        "figure",
        "float",
        "int8 host",
        "int8 device",
        "instructions",
    ]);
    for (head, float) in &report.float {
        let (name, float) = leading(float);
        let value = |figures: &eval::Figures| figure(figures.get(head).and_then(|metrics| leading(metrics).1));
        rows.add_row([
            head_name(head, &report.generated),
            whole(report.samples[head] as u64),
            name.into(),
            figure(float),
            value(&report.int8),
            value(&outcome.device),
            outcome
                .instructions
                .get(head)
                .map_or_else(|| "–".into(), |count| whole(*count)),
        ]);
    }
    say!("{rows}");
    let statistics = &outcome.statistics;
    say!("device        {}", outcome.on);
    say!(
        "blob          {} bytes, {} parameters",
        whole(report.blob_bytes as u64),
        whole(report.parameters as u64)
    );
    say!(
        "RAM           {} bytes: arena {}, stack {}, statics {}",
        whole(outcome.ram_bytes),
        whole(statistics.arena_used.into()),
        whole(statistics.stack_high_water.into()),
        whole(statistics.other_static_len.into())
    );
    say!(
        "flash         {} bytes of firmware, blob apart",
        whole(statistics.image_len.into())
    );
    say!(
        "colour alone  mean IoU {:.4} on the same tiles",
        outcome.colour_only_miou
    );
    say!("training      {:.0} s", outcome.training_seconds);
    say!(
        "{} values compared, {} values differ",
        whole(outcome.comparison.compared_values),
        outcome.comparison.differing_values
    );
    Ok(())
}

/// Whether the demo showed what it promises.
fn judge(outcome: &Outcome) -> anyhow::Result<()> {
    let differing = outcome.comparison.differing_values;
    if differing > 0 {
        bail!("{differing} values differ between host and device");
    }
    for (head, metrics) in &outcome.device {
        let (value, least) = match metrics {
            HeadMetrics::Classification(metrics) => (metrics.auc, LEAST.auc),
            HeadMetrics::Segmentation(metrics) => (Some(metrics.miou), outcome.colour_only_miou + LEAST.margin),
            HeadMetrics::Regression(metrics) => (metrics.r2, LEAST.r2),
        };
        let value = value.unwrap_or(f64::NEG_INFINITY);
        if value < least {
            bail!("the {head} head reached {value:.4}, less than the {least:.4} that the demo promises");
        }
    }
    Ok(())
}
