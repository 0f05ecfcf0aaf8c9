//! `trident quantize RUN`: the run's blob, and what int8 costs.

use std::path::PathBuf;

use super::say;
use super::table::{figure, head_name, table, whole};
use crate::export::{BLOB, Report, export};
use crate::quantize::optimize::Optimize;
use crate::run::Run;

/// Which run to quantise.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run folder
    run: PathBuf,
    /// The model's sequence number: devices take a newer model only if it is larger
    #[arg(long, default_value_t = 1)]
    sequence: u32,
    /// What counts where flash and speed pull apart
    #[arg(long, value_enum, default_value_t)]
    optimize: Optimize,
}

/// Quantises, writes `RUN/model.tri` and prints the report.
///
/// # Errors
/// If the run is unfinished, its data changed, or the model cannot be expressed in int8.
pub fn run(args: &Args, json: bool) -> anyhow::Result<()> {
    let run = Run::open(&args.run)?;
    let dataset = run.dataset()?;
    let export = export(&run, &dataset, args.sequence, args.optimize)?;
    if json {
        return super::print_json(&export.report);
    }
    print(&export.report)?;
    say!(
        "wrote {}; next: trident eval {} --on int8",
        run.path(BLOB).display(),
        args.run.display()
    );
    Ok(())
}

/// Prints the report: heads, then layers, the noisiest first.
fn print(report: &Report) -> anyhow::Result<()> {
    let mut heads = table(&["head", "test rows", "figure", "float", "int8", "drop"]);
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
        ]);
    }
    say!("{heads}");
    let mut layers: Vec<_> = report.layers.iter().collect();
    layers.sort_by(|a, b| {
        a.snr_db
            .unwrap_or(f64::INFINITY)
            .total_cmp(&b.snr_db.unwrap_or(f64::INFINITY))
    });
    let mut rows = table(&[
        "layer, noisiest first",
        "heads",
        "output",
        "parameters",
        "MACs",
        "signal / noise",
    ]);
    for layer in layers {
        rows.add_row([
            format!("{:>2} {}", layer.layer, layer.operator),
            layer.heads.join(" "),
            layer.shape.map(|side| side.to_string()).join("×"),
            whole(layer.parameters as u64),
            whole(layer.macs as u64),
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
