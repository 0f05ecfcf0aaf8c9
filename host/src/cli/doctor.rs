//! `trident doctor`: what is missing on this machine, and installs it.

use anyhow::bail;

use super::say;
use super::table::table;
use crate::toolchain::{Report, Toolchain};

/// What to do about it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Install what is missing
    #[arg(long)]
    fix: bool,
}

/// Shows every tool, with what to type for those that are missing.
///
/// # Errors
/// If something is missing, after `--fix` too.
pub fn run(args: &Args, json: bool) -> anyhow::Result<()> {
    let toolchain = Toolchain::new()?;
    if args.fix {
        toolchain.install_missing()?;
    }
    let report = toolchain.report();
    if json {
        super::print_json(&report)?;
    } else {
        print(&report)?;
    }
    if !report.ready {
        bail!("something is missing: `trident doctor --fix` installs it");
    }
    Ok(())
}

fn print(report: &Report) -> anyhow::Result<()> {
    let mut rows = table(&["tool", "found"]);
    for tool in &report.tools {
        rows.add_row([&tool.name, tool.found.as_deref().unwrap_or("missing")]);
    }
    say!("{rows}");
    for tool in &report.tools {
        if let Some(install) = &tool.install {
            say!("{} ({}):\n{install}", tool.name, tool.purpose);
        }
    }
    Ok(())
}
