//! `trident plan RUN|FILE.tri`: what lies where in a model's arena, and how near that is to the least.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use serde::Serialize;
use trident::spec::Head;
use trident::{Blob, Network};

use super::blob_file;
use super::say;
use super::table::{table, whole};
use crate::arena::{ArenaMap, Block, chart, drawing, symbols};
use crate::export::BLOB;
use crate::run::sealed::write_whole;

/// The drawing in a run folder.
const DRAWING: &str = "plan.svg";

/// Which arena to show.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run folder, or a blob, *.tri
    #[arg(value_name = "RUN|FILE")]
    model: PathBuf,
    /// Where to write the drawing, an SVG [default: RUN/plan.svg; for a blob none]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Report {
    model: String,
    #[serde(flatten)]
    map: ArenaMap,
    #[serde(skip_serializing_if = "Option::is_none")]
    drawing: Option<PathBuf>,
}

/// Reads and checks a blob, writes the drawing, and prints chart and tables.
///
/// # Errors
/// If there is no blob, it breaks a rule of the format, or the drawing cannot be written.
pub fn run(args: &Args, json: bool) -> anyhow::Result<()> {
    let is_run = args.model.is_dir();
    let (_, bytes) = blob_file::of(&args.model)?;
    let blob = Blob::new_exact(bytes.as_ref()).map_err(|error| refusal(args, &error))?;
    let mut arena = blob_file::arena_for(&blob).map_err(|error| refusal(args, error.as_ref()))?;
    Network::load(blob, arena.as_mut()).map_err(|error| refusal(args, &error))?;
    let report = Report {
        model: blob.metadata().provenance.model.into(),
        map: ArenaMap::of(&blob.graph()),
        drawing: args.output.clone().or_else(|| is_run.then(|| args.model.join(DRAWING))),
    };
    if let Some(path) = &report.drawing {
        let title = format!("Arena of {}", report.model);
        let svg = drawing(&report.map, &title);
        write_whole(path, svg.as_bytes())
            .with_context(|| format!("cannot write {}; name another file with `-o`", path.display()))?;
    }
    if json {
        super::print_json(&report)
    } else {
        print(&report)
    }
}

fn refusal(args: &Args, error: &dyn std::error::Error) -> anyhow::Error {
    let model = args.model.display();
    if args.model.is_dir() {
        return anyhow!("{model}/{BLOB} is refused: {error}; `trident quantize {model}` writes it anew");
    }
    anyhow!("{model} is refused: {error}; `trident quantize RUN` writes RUN/{BLOB} anew")
}

fn print(report: &Report) -> anyhow::Result<()> {
    let map = &report.map;
    say!("{}", chart(map).trim_end());
    say!("capitals are whole tensors, small letters streamed ones, ░ is scratch memory\n");
    let mut blocks = table(&["block", "shape", "rows kept", "bytes", "from", "nodes", "heads"]);
    for (block, symbol) in map.blocks.iter().zip(symbols(map)) {
        blocks.add_row([
            format!("{symbol}  {}", map.writers(block)),
            block.shape().unwrap_or_default(),
            block
                .streamed()
                .map_or_else(String::new, |[kept, all]| format!("{kept} of {all}")),
            whole(block.bytes as u64),
            whole(block.offset as u64),
            life(map, block),
            heads(map, block),
        ]);
    }
    say!("{blocks}");
    let mut needs = table(&["head alone", "needs at least", "ends here at", "most at node"]);
    for need in &map.heads {
        needs.add_row([
            need.head.into(),
            whole(need.lower_bound_bytes as u64),
            whole(need.end_bytes as u64),
            map.step_name(need.peak_node),
        ]);
    }
    say!("{needs}");
    say!("{}", map.peak_words());
    say!("{}", map.verdict());
    if let Some(path) = &report.drawing {
        say!("wrote {}", path.display());
    }
    Ok(())
}

/// First and last node; what the caller reads has no last.
fn life(map: &ArenaMap, block: &Block) -> String {
    match block.last_step {
        last if last == block.first_step => last.to_string(),
        last if last < map.nodes.len() => format!("{}–{last}", block.first_step),
        _ => format!("{}–end", block.first_step),
    }
}

fn heads(map: &ArenaMap, block: &Block) -> String {
    let names: Vec<&str> = block.heads.iter().map(Head::name).collect();
    if names.len() > 1 && names.len() == map.heads.len() {
        return "all".into();
    }
    names.join(" ")
}
