//! `trident sweep`: which networks are worth their flash, RAM and time.

use std::path::PathBuf;

use anyhow::{Context, bail};

use super::interrupt;
use super::say;
use super::table::{figure, table, whole};
use super::train::{Data, source};
use crate::device::{BOARDS, Board};
use crate::progress::Progress;
use crate::sweep::cost::{Budgets, Cost};
use crate::sweep::report::{HeadReport, ModelReport, Report};
use crate::sweep::{self, PICTURE, REPORT, Settings};
use trident::Head;

/// The most models that the table shows; `sweep.json` holds all.
const SHOWN: usize = 12;

/// What to try, and what it may cost.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration; without it `trident.toml` in this folder, if there is one
    #[arg(short, long, value_name = "FILE", conflicts_with = "data")]
    config: Option<PathBuf>,
    /// Built-in data instead of files
    #[arg(long, value_enum)]
    data: Option<Data>,
    /// The sweep's folder; the same command goes on with what it holds
    #[arg(short, long, value_name = "FOLDER", default_value = "sweep")]
    output: PathBuf,
    /// Only these heads, separated by commas
    #[arg(long, value_delimiter = ',', value_parser = head)]
    heads: Vec<Head>,
    /// The most flash that the blob may take
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..))]
    flash: Option<u64>,
    /// The most RAM that the arena may take
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..))]
    arena: Option<u64>,
    /// The most instructions that a run of all heads may take; they are counted under QEMU
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    instructions: Option<u64>,
    /// Count instructions under QEMU though no budget asks for them; else multiplications stand for work
    #[arg(long)]
    measure: bool,
    /// The board whose instructions are counted
    #[arg(long, default_value = BOARDS[0].name)]
    board: String,
    /// The share of each recipe's epochs that candidates are trained for before the finalists are chosen
    #[arg(long, value_name = "SHARE", default_value_t = 0.25, value_parser = share)]
    epochs_share: f64,
    /// How many of the best models are trained for all their epochs and judged on the test rows
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = at_least_one)]
    finalists: usize,
    /// Trainings at a time [default: one per core]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    jobs: Option<usize>,
}

/// Sweeps and prints the tables.
///
/// # Errors
/// If configuration, data or budgets are refused, the folder cannot be written, or the sweep is interrupted.
pub fn run(args: &Args, json: bool) -> anyhow::Result<()> {
    let config = source(args.config.as_deref(), args.data)?;
    let interrupted = interrupt::flag()?;
    let settings = Settings {
        folder: &args.output,
        heads: &args.heads,
        budgets: Budgets {
            flash_bytes: args.flash,
            arena_bytes: args.arena,
            instructions: args.instructions,
        },
        epochs_share: args.epochs_share,
        finalists: args.finalists,
        jobs: args
            .jobs
            .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)),
        board: board(args)?,
        program: &std::env::current_exe().context("cannot find this program to start it again")?,
        interrupted: &interrupted,
        progress: Progress::new(),
    };
    let report = sweep::sweep(&config, &settings)?;
    if json {
        return super::print_json(&report);
    }
    print(&report, args)
}

/// The board to measure on, if instructions matter.
fn board(args: &Args) -> anyhow::Result<Option<&'static Board>> {
    let Some(board) = Board::named(&args.board) else {
        let boards: Vec<&str> = BOARDS.iter().map(|board| board.name).collect();
        bail!(
            "there is no board called `{}`; there is {}",
            args.board,
            boards.join(", ")
        );
    };
    Ok((args.measure || args.instructions.is_some()).then_some(board))
}

fn head(name: &str) -> Result<Head, String> {
    let named = Head::ALL.into_iter().find(|head| head.name() == name);
    named.ok_or_else(|| "there are `classification`, `segmentation` and `regression`".into())
}

fn share(words: &str) -> Result<f64, String> {
    match words.parse() {
        Ok(share) if share > 0.0 && share <= 1.0 => Ok(share),
        _ => Err("a share is above 0, up to 1".into()),
    }
}

fn at_least_one(words: &str) -> Result<usize, String> {
    match words.parse() {
        Ok(number) if number >= 1 => Ok(number),
        _ => Err("a whole number from 1".into()),
    }
}

fn print(report: &Report, args: &Args) -> anyhow::Result<()> {
    for head in &report.heads {
        print_head(head)?;
    }
    say!(
        "▪ nothing else is as good and as cheap in every respect; figures of the validation rows after {:.0} % of the epochs",
        report.epochs_share * 100.0
    );
    if report.heads.len() > 1 {
        print_models(report)?;
    }
    print_finalists(report)?;
    let folder = args.output.display();
    say!("wrote {folder}/{REPORT} and {folder}/{PICTURE}");
    if let Some(best) = report.best {
        say!("next: trident train -c {folder}/{best} -o RUN");
    }
    Ok(())
}

fn cost_cells(cost: &Cost) -> [String; 5] {
    [
        whole(cost.parameters),
        whole(cost.blob_bytes),
        whole(cost.arena_bytes),
        whole(cost.macs),
        cost.instructions.map_or_else(|| "–".into(), whole),
    ]
}

const COST_HEADS: [&str; 5] = ["parameters", "blob", "arena", "MACs", "instructions"];

/// One head's candidates, the cheapest first.
fn print_head(head: &HeadReport) -> anyhow::Result<()> {
    let mut rows = table(&[&[head.head], &COST_HEADS[..], &[head.figure, ""]].concat());
    let mut candidates: Vec<_> = head.candidates.iter().collect();
    candidates.sort_by_key(|candidate| (candidate.cost.blob_bytes, candidate.cost.work()));
    for candidate in candidates {
        let remark = match candidate {
            one if !one.breaks.is_empty() => format!("breaks {}", one.breaks.join(", ")),
            one if one.failed.is_some() => format!("failed: {}", one.failed.as_deref().unwrap_or_default()),
            one if one.front => "▪".into(),
            _ => String::new(),
        };
        let [parameters, blob, arena, macs, instructions] = cost_cells(&candidate.cost);
        rows.add_row([
            candidate.name.clone(),
            parameters,
            blob,
            arena,
            macs,
            instructions,
            figure(candidate.validation),
            remark,
        ]);
    }
    say!("{rows}");
    Ok(())
}

/// Models on the front, the best first.
fn print_models(report: &Report) -> anyhow::Result<()> {
    let mut rows = table(&[&["model on the front"], &COST_HEADS[..], &["score"]].concat());
    let front = report.models.iter().filter(|model| model.front);
    for model in front.clone().take(SHOWN) {
        let [parameters, blob, arena, macs, instructions] = cost_cells(&model.cost);
        rows.add_row([
            named(model),
            parameters,
            blob,
            arena,
            macs,
            instructions,
            figure(Some(model.score)),
        ]);
    }
    say!("{rows}");
    let left_out = front.count().saturating_sub(SHOWN);
    if left_out > 0 {
        say!("and {left_out} more in {REPORT}");
    }
    say!("score: the mean of the heads' figures");
    Ok(())
}

fn print_finalists(report: &Report) -> anyhow::Result<()> {
    let mut rows = table(&[
        "finalist, all epochs",
        "head",
        "figure",
        "validation",
        "test",
        "test in int8",
    ]);
    for (model, finalist) in report
        .models
        .iter()
        .filter_map(|model| Some((model, model.finalist.as_ref()?)))
    {
        let mut name = named(model);
        for head in &report.heads {
            rows.add_row([
                std::mem::take(&mut name),
                head.head.into(),
                head.figure.into(),
                figure(finalist.validation.get(head.head).copied()),
                figure(finalist.test.get(head.head).copied().flatten()),
                figure(finalist.test_int8.get(head.head).copied().flatten()),
            ]);
        }
    }
    say!("{rows}");
    if let Some(best) = sweep::best(report) {
        let [_, blob, arena, ..] = cost_cells(&best.cost);
        say!(
            "best on the validation rows: {}, a blob of {blob} and an arena of {arena} bytes",
            named(best)
        );
    }
    Ok(())
}

fn named(model: &ModelReport) -> String {
    let names: Vec<&str> = model.candidates.values().map(String::as_str).collect();
    names.join(" + ")
}
