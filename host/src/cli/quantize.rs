//! `trident quantize RUN`: the run's blob, and what int8 costs.

use std::path::PathBuf;

use super::say;
use super::table::{figure, head_name, table, whole};
use crate::export::{BLOB, Choice, Report, Search, Settings, export};
use crate::progress::Progress;
use crate::quantize::method::PostTraining;
use crate::quantize::optimize::Optimize;
use crate::quantize::range::RangeRule;
use crate::run::Run;

/// Which run to quantise.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run folder
    run: PathBuf,
    /// The model's sequence number: devices take a newer model only if it is larger
    #[arg(long, default_value_t = 1)]
    sequence: u32,
    /// What counts where flash and speed pull apart; changes no result
    #[arg(long, value_enum, default_value_t)]
    optimize: Optimize,
    /// How ranges are found: `min-max`, `percentile:99.9`, `mse`; from the float weights, whatever `train --qat` gave
    #[arg(long, value_name = "RULE")]
    ranges: Option<RangeRule>,
    /// Rescale channels between two layers, so that none drowns in the range that they share
    #[arg(long)]
    equalize: bool,
    /// Take back the mean error that rounding leaves in each channel
    #[arg(long)]
    correct_bias: bool,
    /// Try every way on the validation rows, in the integer engine, and take the plainest that loses little enough, head by head
    #[arg(long, conflicts_with_all = ["ranges", "equalize", "correct_bias"])]
    search: bool,
    /// The most that `--search` may lose of AUC, mean IoU or R²
    #[arg(long, value_name = "DROP", default_value = "0.0005", requires = "search", value_parser = drop)]
    max_drop: f64,
}

/// Quantises, writes `RUN/model.tri` and prints the report.
///
/// # Errors
/// If the run is unfinished, its data changed, or the model cannot be expressed in int8.
pub fn run(args: &Args, json: bool) -> anyhow::Result<()> {
    let run = Run::open(&args.run)?;
    let dataset = run.dataset()?;
    let settings = Settings {
        sequence: args.sequence,
        optimize: args.optimize,
        choice: args.choice(),
    };
    let export = export(&run, &dataset, &settings, &Progress::new())?;
    if json {
        return super::print_json(&export.report);
    }
    if let Some(search) = &export.report.search {
        print_search(search)?;
    }
    print(&export.report)?;
    say!(
        "wrote {}; next: trident eval {} --on int8",
        run.path(BLOB).display(),
        args.run.display()
    );
    Ok(())
}

impl Args {
    fn choice(&self) -> Choice {
        if self.search {
            return Choice::Search {
                max_drop: self.max_drop,
            };
        }
        if self.ranges.is_none() && !self.equalize && !self.correct_bias {
            return Choice::Best;
        }
        Choice::PostTraining(PostTraining {
            ranges: self.ranges.unwrap_or_default(),
            equalize: self.equalize,
            correct_bias: self.correct_bias,
        })
    }
}

fn drop(word: &str) -> Result<f64, String> {
    match word.parse() {
        Ok(drop) if (0.0..=1.0).contains(&drop) => Ok(drop),
        _ => Err("a drop is a number from 0 to 1".to_owned()),
    }
}

/// Prints what a search tried, the plainest first.
fn print_search(search: &Search) -> anyhow::Result<()> {
    let mut heads = vec!["tried, plainest first".to_owned()];
    heads.extend(search.samples.keys().map(|head| format!("{head} drop")));
    let mut rows = table(&heads.iter().map(String::as_str).collect::<Vec<_>>());
    for tried in &search.tried {
        let mut row = vec![tried.way.to_string()];
        row.extend(search.samples.keys().map(|head| {
            let mark = if tried.chosen_for.contains(head) { " ←" } else { "" };
            let drop = tried
                .drop
                .get(head)
                .map_or_else(|| "–".to_owned(), |drop| format!("{drop:+.4}"));
            format!("{drop}{mark}")
        }));
        rows.add_row(row);
    }
    say!("{rows}");
    let counts: Vec<String> = search
        .samples
        .iter()
        .map(|(head, count)| format!("{head} {count}"))
        .collect();
    say!(
        "drop from float to int8 on validation rows ({}); ← the plainest that loses at most {}",
        counts.join(", "),
        search.max_drop
    );
    let bytes = |name: &str| whole(search.blob_bytes[name] as u64);
    say!(
        "the same results by `--optimize size` in {} bytes, `balanced` in {}, `speed` in {}",
        bytes("size"),
        bytes("balanced"),
        bytes("speed")
    );
    if !search.beyond.is_empty() {
        say!(
            "no way is that good for {}: it has the one that loses least; `trident train --resume --qat` may do better",
            search.beyond.join(", ")
        );
    }
    Ok(())
}

/// Prints the report: heads, then layers, the worst first.
fn print(report: &Report) -> anyhow::Result<()> {
    let mut heads = table(&["head", "test rows", "figure", "float", "int8", "drop", "made ready by"]);
    for (head, float) in &report.float {
        let (name, float) = crate::eval::leading(float);
        let int8 = report
            .int8
            .get(head)
            .and_then(|metrics| crate::eval::leading(metrics).1);
        let drop = float.zip(int8).map(|(float, int8)| float - int8);
        heads.add_row([
            head_name(head, &report.generated),
            whole(report.samples[head] as u64),
            name.into(),
            figure(float),
            figure(int8),
            drop.map_or_else(|| "–".into(), |drop| format!("{drop:+.4}")),
            report.methods.get(head).map_or_else(String::new, ToString::to_string),
        ]);
    }
    say!("{heads}");
    let mut rows = table(&[
        "layer, worst first",
        "heads",
        "output",
        "parameters",
        "MACs",
        "RMS error",
        "signal / noise",
    ]);
    for layer in &report.layers {
        rows.add_row([
            format!("{:>2} {}", layer.layer, layer.operator),
            layer.heads.join(" "),
            layer.shape.map(|side| side.to_string()).join("×"),
            whole(layer.parameters as u64),
            whole(layer.macs as u64),
            layer
                .rms_error
                .map_or_else(|| "–".into(), |error| format!("{:.2} %", 100.0 * error)),
            layer.snr_db.map_or_else(|| "exact".into(), |db| format!("{db:.1} dB")),
        ]);
    }
    say!("{rows}");
    say!(
        "blob {} bytes; {} parameters; arena {} bytes (no plan needs less than {})",
        whole(report.blob_bytes as u64),
        whole(report.parameters as u64),
        whole(report.arena_bytes as u64),
        whole(report.arena_lower_bound as u64)
    );
    Ok(())
}
