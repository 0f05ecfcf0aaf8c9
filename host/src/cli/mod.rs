//! The command line: one file per command.
//!
//! Results go to standard output, as a table or, with `--json`, as one JSON object; everything else goes to standard error.
//! The exit status is 0 only if the thing asked for happened, else 1, whatever was wrong: words, files, data or the device.

pub mod bench;
mod blob_file;
pub mod compare;
pub mod demo;
pub mod doctor;
pub mod eval;
pub mod inspect;
pub mod interrupt;
pub mod key;
pub mod monitor;
pub mod pin;
pub mod plan;
pub mod quantize;
pub mod report;
#[cfg(feature = "remote")]
pub mod serve;
pub mod sign;
pub mod sweep;
pub mod table;
pub mod train;
pub mod update;

use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};

use crate::progress::tell;

/// Trains three-head models on a desktop, quantises them to int8, and checks that a microcontroller computes the same bits.
#[derive(Debug, Parser)]
#[command(name = "trident", version, about, max_term_width = 110)]
struct Cli {
    /// Print one JSON object to standard output instead of tables
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train, quantise, boot under QEMU and compare, on built-in data
    Demo(demo::Args),
    /// Say what is missing on this machine, and install it with --fix
    Doctor(doctor::Args),
    /// Train a model; writes a run folder
    Train(train::Args),
    /// Quantise a run to int8; writes RUN/model.tri
    Quantize(quantize::Args),
    /// Judge a run's heads in float, in int8, or on a device
    Eval(eval::Args),
    /// Say whether training heads together helps: alone against together, over paired seeds
    Compare(compare::Args),
    /// Show what a blob holds
    Inspect(inspect::Args),
    /// Show what lies where in a model's arena, and draw it
    Plan(plan::Args),
    /// Write a page that shows what a run is worth, where it fails and what it costs
    Report(report::Args),
    /// Try widths, depths and picture sizes under budgets for flash, arena and instructions
    Sweep(sweep::Args),
    /// Make a pair of keys to sign weights with
    Key(key::Args),
    /// Sign a blob, so that only devices with the public key take it, and nothing unsigned
    Sign(sign::Args),
    /// Write what firmware must know of a blob to run it alone, without checking it again
    Pin(pin::Args),
    /// Bring new weights onto a running device, which goes back to what it had if they fail
    Update(update::Args),
    /// Watch a device: runs, faults, readings outside the range of training, saturated codes, drift
    Monitor(monitor::Args),
    /// Count what models cost on a board: instructions, flash, RAM
    Bench(bench::Args),
    /// Lend this computer's device to trainings elsewhere
    #[cfg(feature = "remote")]
    Serve(serve::Args),
}

/// Parses the command line and does what it says.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are what was asked for; a closed terminal is no reason to fail twice.
            let _ = error.print();
            return ExitCode::from(u8::from(error.use_stderr()));
        }
    };
    let result = match &cli.command {
        Command::Demo(args) => demo::run(args, cli.json),
        Command::Doctor(args) => doctor::run(args, cli.json),
        Command::Train(args) => train::run(args, cli.json),
        Command::Quantize(args) => quantize::run(args, cli.json),
        Command::Eval(args) => eval::run(args, cli.json),
        Command::Compare(args) => compare::run(args, cli.json),
        Command::Inspect(args) => inspect::run(args, cli.json),
        Command::Plan(args) => plan::run(args, cli.json),
        Command::Report(args) => report::run(args, cli.json),
        Command::Sweep(args) => sweep::run(args, cli.json),
        Command::Key(args) => key::run(args, cli.json),
        Command::Sign(args) => sign::run(args, cli.json),
        Command::Pin(args) => pin::run(args, cli.json),
        Command::Update(args) => update::run(args, cli.json),
        Command::Monitor(args) => monitor::run(args, cli.json),
        Command::Bench(args) => bench::run(args, cli.json),
        #[cfg(feature = "remote")]
        Command::Serve(args) => serve::run(args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell!("error: {}", words(&error));
            ExitCode::FAILURE
        }
    }
}

/// An error and its causes, each said once: many errors tell their cause's words themselves.
fn words(error: &anyhow::Error) -> String {
    let mut said = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if said.is_empty() {
            said = cause;
        } else if !said.contains(&cause) {
            said = format!("{said}: {cause}");
        }
    }
    said
}

/// Prints one JSON object.
fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    say!("{}", without_controls(&serde_json::to_string_pretty(value)?));
    Ok(())
}

/// The same JSON with those control characters escaped that it allows in strings, and terminals obey.
fn without_controls(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_control() && c != '\n' {
            out.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    out
}

/// Prints a line of a result. Unlike `println!` it gives an error, and no panic, where nobody reads any more or a disk is full.
macro_rules! say {
    ($($words:tt)*) => {
        $crate::cli::line(format_args!($($words)*))?
    };
}
pub(crate) use say;

fn line(words: std::fmt::Arguments<'_>) -> anyhow::Result<()> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    out.write_fmt(format_args!("{words}\n"))
        .context("cannot write the result to standard output")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_steers_no_terminal() {
        let words = "a\x1b[2J\u{9b}2J\x7f\n°";
        let json = without_controls(&serde_json::to_string_pretty(&[words]).unwrap());
        assert!(json.chars().all(|c| c == '\n' || !c.is_control()), "{json}");
        assert_eq!(serde_json::from_str::<[String; 1]>(&json).unwrap(), [words]);
    }

    #[test]
    fn a_cause_is_said_once() {
        let io = std::io::Error::other("disk full");
        let cause = anyhow::Error::new(io)
            .context("cannot write x: disk full")
            .context("no blob");
        assert_eq!(words(&cause), "no blob: cannot write x: disk full");
    }
}
