//! `trident eval RUN`: what each head is worth, in float, in int8, or on a device, and whether the device agrees to the bit.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context, bail};
use serde::Serialize;
use trident::Blob;
use trident::wire::Statistics;

use super::blob_file;
use super::table::{figure, head_name, table, whole};
use super::{interrupt, say};
use crate::config::Config;
use crate::data::{self, Dataset};
use crate::device::Target;
use crate::eval::{self, Comparison, Figures, Rows, leading};
use crate::export::BLOB;
use crate::model::Model;
use crate::progress::Progress;
use crate::quantize::writer::AlignedBytes;
use crate::run::{Evaluation, Run};

/// What to judge, where, and on which rows.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run folder
    run: PathBuf,
    /// float, int8, qemu:BOARD[,uart] or serial:PORT[@BAUD]
    #[arg(long, default_value = "int8")]
    on: Place,
    /// Every row and picture of these files, instead of the run's test split
    #[arg(long, value_name = "TOML")]
    data: Option<PathBuf>,
    /// At most so many rows of each head
    #[arg(long)]
    limit: Option<usize>,
}

/// What computes.
#[derive(Clone, Debug)]
enum Place {
    Float,
    Int8,
    Device(Target),
}

impl FromStr for Place {
    type Err = String;

    fn from_str(words: &str) -> Result<Self, String> {
        match words {
            "float" => Ok(Self::Float),
            "int8" => Ok(Self::Int8),
            _ => words
                .parse()
                .map(Self::Device)
                .map_err(|error| format!("{error}; or write float or int8")),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Float => f.write_str("float"),
            Self::Int8 => f.write_str("int8"),
            Self::Device(target) => target.fmt(f),
        }
    }
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Report {
    on: String,
    samples: BTreeMap<&'static str, usize>,
    heads: Figures,
    #[serde(flatten)]
    comparison: Comparison,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    instructions: BTreeMap<&'static str, u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<Statistics>,
    generated: Vec<&'static str>,
    /// Where the run folder keeps what a device said.
    #[serde(skip_serializing_if = "Option::is_none")]
    kept: Option<PathBuf>,
}

/// Judges a run and prints its figures.
///
/// # Errors
/// If the run is unfinished, the data do not fit, the device does not answer, or its outputs differ from the host's.
pub fn run(args: &Args, json: bool) -> anyhow::Result<()> {
    let run = Run::open(&args.run)?;
    let dataset = match &args.data {
        Some(path) => data::load_all(&Config::load(path)?, &run.record()?.description)?,
        None => run.dataset()?,
    };
    let rows = Rows::test(&dataset).limited(args.limit.unwrap_or(usize::MAX));
    if rows.heads().next().is_none() {
        bail!("there are no rows to judge: the run's test split, or `--limit`, is 0; name other files with `--data`");
    }
    let mut report = judge(&run, &dataset, &rows, &args.on)?;
    let comparison = report.comparison;
    if args.data.is_none() {
        report.kept = keep(&run, &report)?;
    }
    if json {
        super::print_json(&report)?;
    } else {
        print(&report)?;
    }
    if comparison.differing_values > 0 {
        bail!(
            "{} of {} values differ between host and device",
            comparison.differing_values,
            comparison.compared_values
        );
    }
    Ok(())
}

fn judge(run: &Run, dataset: &Dataset, rows: &Rows, place: &Place) -> anyhow::Result<Report> {
    eval::refuse_apart(&run.spec()?, dataset)?;
    let transforms = run.transforms()?;
    let mut report = Report {
        on: place.to_string(),
        samples: rows.counts(),
        heads: Figures::new(),
        comparison: Comparison::default(),
        instructions: BTreeMap::new(),
        device: None,
        generated: dataset.generated(),
        kept: None,
    };
    if let Place::Float = place {
        let model = Model::from_folded(&run.model()?, &crate::train::device(run.config().train.backend));
        report.heads = eval::float_figures(&model, &transforms, dataset, rows);
        return Ok(report);
    }
    let blob = read_blob(run)?;
    let mut outputs = eval::int8(blob.as_ref(), dataset, rows)?;
    if let Place::Device(target) = place {
        // The emulator's folder is removed only where the program ends by itself.
        let interrupted = interrupt::flag()?;
        let mut client = target.connect(blob.as_ref())?;
        let (device, instructions) = eval::on_device(&mut client, dataset, rows, &Progress::new(), &interrupted)?;
        report.comparison = eval::compare(&outputs, &device);
        report.instructions = instructions;
        report.device = Some(client.statistics()?);
        outputs = device;
    }
    report.heads = eval::figures(&outputs, &transforms, dataset, rows);
    Ok(report)
}

/// Keeps what a device said about the run's own rows, for `trident report`. Gives the file, if a device said anything.
fn keep(run: &Run, report: &Report) -> anyhow::Result<Option<PathBuf>> {
    let Some(device) = report.device else {
        return Ok(None);
    };
    let blob = read_blob(run)?;
    let evaluation = Evaluation {
        on: report.on.clone(),
        blob_crc32: format!("{:08x}", Blob::new_exact(blob.as_ref())?.header().crc),
        samples: named(&report.samples),
        heads: named(&report.heads),
        compared_values: report.comparison.compared_values,
        differing_values: report.comparison.differing_values,
        instructions: named(&report.instructions),
        device,
    };
    let name = run.keep_evaluation(&evaluation)?;
    Ok(Some(run.path(&name)))
}

fn named<T: Clone>(by_head: &BTreeMap<&'static str, T>) -> BTreeMap<String, T> {
    let named = |(head, value): (&&str, &T)| ((*head).to_owned(), value.clone());
    by_head.iter().map(named).collect()
}

/// A run's blob.
fn read_blob(run: &Run) -> anyhow::Result<AlignedBytes> {
    let path = run.path(BLOB);
    blob_file::read(&path).with_context(|| {
        format!(
            "cannot read {}; `trident quantize {}` makes it",
            path.display(),
            run.folder().display()
        )
    })
}

fn print(report: &Report) -> anyhow::Result<()> {
    let mut rows = table(&["head", "rows", "figure", &report.on, "all figures", "instructions"]);
    for (head, metrics) in &report.heads {
        let (name, value) = leading(metrics);
        let instructions = report.instructions.get(head).filter(|count| **count > 0);
        rows.add_row([
            head_name(head, &report.generated),
            whole(report.samples[head] as u64),
            name.into(),
            figure(value),
            metrics.summary(),
            instructions.map_or_else(|| "–".into(), |count| whole(*count)),
        ]);
    }
    say!("{rows}");
    if let Some(device) = &report.device {
        say!(
            "{} values compared with int8 on the host, {} values differ",
            whole(report.comparison.compared_values),
            report.comparison.differing_values
        );
        say!(
            "arena {} bytes, stack high-water {} bytes, other statics {} bytes, image {} bytes of flash",
            whole(device.arena_used.into()),
            whole(device.stack_high_water.into()),
            whole(device.other_static_len.into()),
            whole(device.image_len.into())
        );
    }
    if let Some(path) = &report.kept {
        say!("kept in {}; `trident report` shows it", path.display());
    }
    Ok(())
}
