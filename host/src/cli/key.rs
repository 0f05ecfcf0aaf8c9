//! `trident key new FILE`: a pair of keys to sign weights with.

use std::path::PathBuf;

use serde_json::json;

use super::say;
use crate::hex;
use crate::sign::SecretKey;

/// What to do with keys.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    job: Job,
}

#[derive(Debug, clap::Subcommand)]
enum Job {
    /// Make a pair: FILE, which only you can read, and FILE.pub, which goes into firmware
    New {
        /// Where the private key goes; nothing is ever overwritten
        #[arg(value_name = "FILE")]
        path: PathBuf,
    },
}

/// Makes a pair.
///
/// # Errors
/// If a file is there already or cannot be written.
pub fn run(args: &Args, json: bool) -> anyhow::Result<()> {
    let Job::New { path } = &args.job;
    let key = SecretKey::random()?;
    let public = key.save(path)?;
    if json {
        let digits = hex::encode(&key.public().0);
        return super::print_json(
            &json!({ "private": path.to_string_lossy(), "public": public.to_string_lossy(), "key": digits }),
        );
    }
    say!("{}  the private key: keep it, and keep it to yourself", path.display());
    say!(
        "{}  the public key, for firmware: `--on qemu:BOARD,key={}`",
        public.display(),
        public.display()
    );
    Ok(())
}
