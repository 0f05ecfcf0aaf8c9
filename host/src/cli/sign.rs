//! `trident sign FILE -k KEY`: a blob that devices with the public key take.

use std::path::PathBuf;

use anyhow::Context;
use serde_json::json;
use trident::blob::Header;

use super::{blob_file, say};
use crate::hex;
use crate::run::sealed::write_whole;
use crate::sign::{SecretKey, renumbered, signed};

/// What to sign.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run folder, or a blob, *.tri
    #[arg(value_name = "RUN|FILE")]
    model: PathBuf,
    /// The private key, from `trident key new`
    #[arg(short, long)]
    key: PathBuf,
    /// Give the model this sequence number first: devices take only a higher one than they had
    #[arg(long, value_name = "N")]
    sequence: Option<u32>,
    /// Where the signed blob goes [default: in place of the unsigned one]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Signs a blob.
///
/// # Errors
/// If it is none, the key cannot be used, or the file not written; what was there stays then.
pub fn run(args: &Args, json: bool) -> anyhow::Result<()> {
    let key = SecretKey::load(&args.key)?;
    let (path, blob) = blob_file::checked(&args.model)?;
    let blob = match args.sequence {
        Some(sequence) => renumbered(&blob, sequence)?,
        None => blob,
    };
    let signed = signed(&blob, &key)?;
    let header = Header::decode(&signed)?;
    let output = args.output.clone().unwrap_or(path);
    write_whole(&output, &signed)
        .with_context(|| format!("cannot write {}; name another file with `-o`", output.display()))?;
    let digits = hex::encode(&key.public().0);
    if json {
        let crc = format!("{:08x}", header.crc);
        return super::print_json(&json!({
            "file": output.to_string_lossy(), "bytes": signed.len(), "sequence": header.sequence, "crc32": crc, "key": digits
        }));
    }
    say!(
        "{}: model {}, {} bytes, signed by the key whose public half is {}…",
        output.display(),
        header.sequence,
        signed.len(),
        &digits[..16]
    );
    Ok(())
}
