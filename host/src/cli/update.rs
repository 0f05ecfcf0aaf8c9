//! `trident update FILE --on DEVICE`: new weights for a device that runs.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use anyhow::bail;
use serde::Serialize;
use serde_json::json;
use trident::blob::Header;

use super::table::whole;
use super::{blob_file, interrupt, say};
use crate::device::{Target, UpdateStep, Updated};
use crate::progress::Progress;
use crate::sign::renumbered;

/// Which weights, and which device.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run folder, or a blob, *.tri
    #[arg(value_name = "RUN|FILE")]
    model: PathBuf,
    /// qemu:BOARD,flash=FILE[,uart][,key=FILE] or serial:PORT[@BAUD]
    #[arg(long)]
    on: Target,
    /// Give the model this sequence number first; a signed one gets its number from `trident sign`
    #[arg(long, value_name = "N")]
    sequence: Option<u32>,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Report {
    on: String,
    sequence: u32,
    crc32: String,
    bytes: usize,
    /// Bytes that were there from an attempt that was cut short.
    resumed_from: usize,
    slot: Option<String>,
}

/// Updates a device.
///
/// # Errors
/// If there is no blob, the device does not answer, refuses it, or goes back to what it had.
pub fn run(args: &Args, json: bool) -> anyhow::Result<()> {
    let (path, mut blob) = blob_file::checked(&args.model)?;
    if let Some(sequence) = args.sequence {
        if Header::decode(&blob)?.is_signed() {
            bail!(
                "{} is signed, and another number would void the signature: `trident sign --sequence {sequence}` gives it one",
                path.display()
            );
        }
        blob = renumbered(&blob, sequence)?;
    }
    let header = Header::decode(&blob)?;
    let interrupted = interrupt::flag()?;
    let mut client = args.on.open(None)?;
    let progress = Progress::new();
    let mut bar = progress.step("update", blob.len() as u64);
    let updated = client.update(&blob, |step| {
        match step {
            UpdateStep::Written(written) => bar.set(written as u64, ""),
            UpdateStep::Verifying => bar.set(blob.len() as u64, "the device verifies it"),
            UpdateStep::Restarting => bar.set(blob.len() as u64, "the device starts with it"),
        }
        !interrupted.load(Ordering::Relaxed)
    });
    let updated = match updated {
        Ok(updated) => {
            bar.finish("written, verified, tried and confirmed");
            updated
        }
        Err(error) => {
            bar.finish("not done");
            return Err(error.into());
        }
    };
    report(args, &header, blob.len(), &updated, json)
}

fn report(args: &Args, header: &Header, bytes: usize, updated: &Updated, json: bool) -> anyhow::Result<()> {
    let report = Report {
        on: args.on.to_string(),
        sequence: header.sequence,
        crc32: format!("{:08x}", header.crc),
        bytes,
        resumed_from: updated.resumed_from,
        slot: updated.slots.served.map(|slot| slot.to_string()),
    };
    if json {
        return super::print_json(&json!(report));
    }
    let resumed = match updated.resumed_from {
        0 => String::new(),
        from => format!(", of which {} were there already", whole(from as u64)),
    };
    say!(
        "{} serves model {} from slot {}: {} bytes{resumed}, CRC {}",
        report.on,
        report.sequence,
        report.slot.as_deref().unwrap_or("?"),
        whole(bytes as u64),
        report.crc32
    );
    Ok(())
}
