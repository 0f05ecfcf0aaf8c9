//! `trident pin MODEL`: the constant by which firmware runs one model and no other.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::json;
use trident::{Blob, Pin};

use super::blob_file::{self, printable};
use super::say;
use crate::pin::source;
use crate::run::sealed::write_whole;

/// What to pin.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run folder, or a blob, *.tri
    #[arg(value_name = "RUN|FILE")]
    model: PathBuf,
    /// Where the Rust source goes [default: beside the blob, with the ending `.pin.rs`]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Checks a blob and writes its pin.
///
/// # Errors
/// If it is none, if its weights could overflow, or if the file is not written; what was there stays then. The model is never written over.
pub fn run(args: &Args, json: bool) -> anyhow::Result<()> {
    let (path, bytes) = blob_file::of(&args.model)?;
    let refused = || format!("{} is refused", path.display());
    let blob = Blob::new_exact(bytes.as_ref()).with_context(refused)?;
    let pin = Pin::of(&blob).with_context(refused)?;
    let output = args.output.clone().unwrap_or_else(|| path.with_extension("pin.rs"));
    if is_same_file(&output, &path) {
        bail!("{} is the model itself; name another file with `-o`", path.display());
    }
    write_whole(&output, source(&pin).as_bytes())
        .with_context(|| format!("cannot write {}; name another file with `-o`", output.display()))?;
    let features: Vec<&str> = pin.operators.iter().map(|op| op.feature()).collect();
    if json {
        return super::print_json(&json!({
            "file": output.to_string_lossy(),
            "blob": path.to_string_lossy(),
            "bytes": pin.header.total_len,
            "crc32": format!("{:08x}", pin.header.crc),
            "arena_bytes": pin.arena_len,
            "features": features,
        }));
    }
    say!(
        "{}: pinned to {}, {} bytes, CRC-32 {:08x}; an arena of {} bytes",
        printable(&output.to_string_lossy()),
        printable(&path.to_string_lossy()),
        pin.header.total_len,
        pin.header.crc,
        pin.arena_len
    );
    say!("features of trident that run it: {}", features.join(" "));
    Ok(())
}

/// Whether both name one file, by whatever ways.
fn is_same_file(a: &Path, b: &Path) -> bool {
    let found = [a, b].map(|path| path.canonicalize().ok());
    found[0].is_some() && found[0] == found[1]
}
