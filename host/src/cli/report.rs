//! `trident report RUN`: one page that shows what a run is worth, where it fails, and what it costs.

use std::path::PathBuf;

use anyhow::Context;
use serde::Serialize;

use super::say;
use super::table::{figure, head_name, table, whole};
use crate::report::{self, page};
use crate::run::Run;
use crate::run::sealed::write_whole;

/// The page in a run folder.
const PAGE: &str = "report.html";

/// Which run to report on.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run folder
    run: PathBuf,
    /// Where to write the page [default: RUN/report.html]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Printed<'a> {
    page: &'a PathBuf,
    #[serde(flatten)]
    report: &'a report::Report,
}

/// Judges a run on its test rows, writes the page, and prints the figures.
///
/// # Errors
/// If the run is unfinished, its data are gone or changed, its blob is damaged, or the page cannot be written.
pub fn run(args: &Args, json: bool) -> anyhow::Result<()> {
    let run = Run::open(&args.run)?;
    let report = report::Report::new(&run)?;
    let path = args.output.clone().unwrap_or_else(|| run.path(PAGE));
    let html = page::page(&report);
    write_whole(&path, html.as_bytes())
        .with_context(|| format!("cannot write {}; name another file with `-o`", path.display()))?;
    if json {
        return super::print_json(&Printed {
            page: &path,
            report: &report,
        });
    }
    let mut heads = table(&["head", "test rows", "figure", "float", "int8"]);
    for head in &report.summary.heads {
        let [float, int8] = head.leading().map(figure);
        heads.add_row([
            head_name(head.head, &report.summary.generated),
            whole(head.rows[2] as u64),
            head.figure.into(),
            float,
            int8,
        ]);
    }
    say!("{heads}");
    for missing in &report.missing {
        match &missing.command {
            Some(command) => say!("{} `{command}` makes it.", missing.what),
            None => say!("{}", missing.what),
        }
    }
    say!(
        "wrote {}, {} bytes: open it in a browser",
        path.display(),
        whole(html.len() as u64)
    );
    Ok(())
}
