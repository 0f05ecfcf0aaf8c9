//! `trident compare`: each head trained alone against all trained together, over paired seeds.

use std::path::PathBuf;

use super::table::{table, whole};
use super::train::{Data, backend, preset, source};
use super::{interrupt, say};
use crate::compare::interval::Mean;
use crate::compare::{Comparison, DRAWING, Joint, REPORT, Settings, compare, refuse_occupied};
use crate::config::{Backend, Balancing, Preset};
use crate::progress::Progress;
use crate::train::Options;

/// What to compare on, and where the result goes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration; without it `trident.toml` in this folder, if there is one
    #[arg(short, long, value_name = "FILE", conflicts_with = "data")]
    config: Option<PathBuf>,
    /// Built-in data instead of files
    #[arg(long, value_enum)]
    data: Option<Data>,
    /// The folder for trainings, figures and drawing; trainings that are in it are not done again
    #[arg(short, long, value_name = "FOLDER", default_value = "compare")]
    output: PathBuf,
    /// The network: overrides the configuration
    #[arg(long, value_parser = preset)]
    preset: Option<Preset>,
    /// What computes: overrides the configuration
    #[arg(long, value_parser = backend)]
    backend: Option<Backend>,
    /// How many seeds, from that of the configuration on
    #[arg(long, default_value_t = 5)]
    seeds: usize,
    /// Epochs of every head: overrides the configuration
    #[arg(long)]
    epochs: Option<usize>,
    /// Ways to balance the joint losses, separated by commas; without it that of the configuration
    #[arg(long, value_parser = balancing, value_delimiter = ',')]
    balancing: Vec<Balancing>,
    /// Compare the heads' gradients every so many steps; 0 never does
    #[arg(long, value_name = "STEPS", default_value_t = 8)]
    cosines: u64,
}

/// Trains what is missing, and prints what joint training is worth.
///
/// # Errors
/// If configuration or data are refused, the folder serves something else, or training is interrupted.
pub fn run(args: &Args, json: bool) -> anyhow::Result<()> {
    refuse_occupied(&args.output)?;
    let mut config = source(args.config.as_deref(), args.data)?;
    config.train.preset = args.preset.unwrap_or(config.train.preset);
    config.train.backend = args.backend.unwrap_or(config.train.backend);
    if args.epochs.is_some() {
        trident::Head::ALL
            .into_iter()
            .for_each(|head| config.train.head_mut(head).epochs = args.epochs);
    }
    let mut ways = args.balancing.clone();
    if ways.is_empty() {
        ways.push(config.train.balancing);
    }
    let mut seen = Vec::new();
    ways.retain(|way| {
        !seen.contains(way) && {
            seen.push(*way);
            true
        }
    });
    let dataset = crate::data::load(&config)?;
    let interrupted = interrupt::flag()?;
    let options = Options {
        resume: false,
        interrupted: &interrupted,
        progress: Progress::new(),
    };
    let settings = Settings {
        seeds: args.seeds,
        balancing: ways,
        measure_every: args.cosines,
    };
    let comparison = compare(&config, &dataset, &args.output, &settings, &options)?;
    if json {
        return super::print_json(&comparison);
    }
    print(&comparison, args)
}

fn balancing(name: &str) -> Result<Balancing, String> {
    Balancing::ALL
        .into_iter()
        .find(|balancing| balancing.name() == name)
        .ok_or_else(|| "there are `fixed`, `uncertainty` and `pcgrad`".into())
}

fn print(comparison: &Comparison, args: &Args) -> anyhow::Result<()> {
    if !comparison.independent.is_empty() {
        say!(
            "independent towers: {} share no weights with another head of preset `{}`. Trained together or alone they get the \
             same weights, so there is nothing to compare.",
            comparison.independent.join(", "),
            comparison.preset
        );
    }
    if comparison.joint.is_empty() {
        say!(
            "To train heads that share a trunk, choose preset `fused`; row i of every table must then be of one moment \
             (`aligned = true` under [split]). To try it: trident compare --data aligned"
        );
        say!("wrote {}", args.output.join(REPORT).display());
        return Ok(());
    }
    for joint in &comparison.joint {
        say!(
            "{} trained together, balancing `{}`; {} test rows, {} seeds",
            joint
                .heads
                .iter()
                .map(|head| head.head.as_str())
                .collect::<Vec<_>>()
                .join(", "),
            joint.balancing,
            whole(comparison.test_rows as u64),
            comparison.seeds.len()
        );
        print_heads(joint)?;
        print_cosines(joint)?;
    }
    say!(
        "intervals: {}; a star marks those that leave out zero",
        comparison.interval
    );
    say!(
        "wrote {} and {}",
        args.output.join(REPORT).display(),
        args.output.join(DRAWING).display()
    );
    Ok(())
}

fn print_heads(joint: &Joint) -> anyhow::Result<()> {
    let mut rows = table(&["head", "figure", "alone", "together", "better by", "interval", ""]);
    for head in &joint.heads {
        for (index, figure) in head.figures.iter().enumerate() {
            let improvement = figure.improvement_percent.as_ref();
            rows.add_row([
                if index == 0 { head.head.clone() } else { String::new() },
                figure.figure.clone(),
                spread(&figure.alone),
                spread(&figure.joint),
                improvement.map_or_else(|| "–".into(), |mean| format!("{:+.2} %", mean.mean)),
                improvement.map_or_else(String::new, |mean| interval(mean, "%")),
                improvement.map_or_else(String::new, star),
            ]);
        }
    }
    if let Some(delta) = &joint.delta_p_percent {
        rows.add_row([
            "Δp".to_owned(),
            "mean of each head's first".to_owned(),
            String::new(),
            String::new(),
            format!("{:+.2} %", delta.mean),
            interval(delta, "%"),
            star(delta),
        ]);
    }
    say!("{rows}");
    let variances = joint.heads.iter().filter_map(|head| {
        let variance = head.log_variance.as_ref()?;
        Some(format!("{} {:+.2}", head.head, variance.mean))
    });
    let variances: Vec<String> = variances.collect();
    if !variances.is_empty() {
        say!("learnt ln σ² at the end: {}", variances.join(", "));
    }
    Ok(())
}

fn print_cosines(joint: &Joint) -> anyhow::Result<()> {
    if joint.cosines.is_empty() {
        return Ok(());
    }
    let mut rows = table(&[
        "cosine of gradients on shared weights",
        "first epoch",
        "last epoch",
        "all epochs",
        "interval",
        "",
    ]);
    for pair in &joint.cosines {
        let of_epoch = |epoch: Option<&crate::compare::EpochMean>| {
            epoch.map_or_else(|| "–".into(), |epoch| format!("{:+.3}", epoch.cosine.mean))
        };
        rows.add_row([
            pair.heads.join(" / "),
            of_epoch(pair.epochs.first()),
            of_epoch(pair.epochs.last()),
            format!("{:+.3}", pair.all.mean),
            interval(&pair.all, ""),
            star(&pair.all),
        ]);
    }
    say!("{rows}");
    Ok(())
}

fn spread(mean: &Mean) -> String {
    let sd = mean.sd.map_or_else(String::new, |sd| format!(" ± {sd:.4}"));
    format!("{:.4}{sd}", mean.mean)
}

fn interval(mean: &Mean, unit: &str) -> String {
    let space = if unit.is_empty() { "" } else { " " };
    let places = if unit.is_empty() { 3 } else { 2 };
    mean.interval.map_or_else(
        || "–".into(),
        |[low, high]| format!("{low:+.places$} … {high:+.places$}{space}{unit}"),
    )
}

fn star(mean: &Mean) -> String {
    if mean.is_clear() { "*".into() } else { String::new() }
}
