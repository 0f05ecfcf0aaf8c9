//! Ctrl-C asks the work to stop where nothing is left behind; a second one ends the program wherever it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// Signals within this time are one request: a training that a sweep has started hears of a Ctrl-C from the terminal and from the sweep.
const ONE_REQUEST: Duration = Duration::from_millis(500);

/// Exit status of a program that a second Ctrl-C has ended: 128 and the signal's number.
const ENDED_AT_ONCE: i32 = 130;

/// A flag that Ctrl-C, or a polite request to end, sets. Another one later ends the program at once, since reading data or fitting a
/// teacher may take long and heeds no flag; files are still whole or not there, and an emulator ends with the program.
///
/// # Errors
/// If the signal cannot be caught.
pub fn flag() -> anyhow::Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    let mut first = None;
    let heard = move || {
        flag.store(true, Ordering::Relaxed);
        if first.get_or_insert_with(Instant::now).elapsed() > ONE_REQUEST {
            std::process::exit(ENDED_AT_ONCE);
        }
    };
    ctrlc::set_handler(heard).context("cannot catch Ctrl-C")?;
    Ok(interrupted)
}

/// Stops between two stages if it was asked for.
///
/// # Errors
/// If the flag is set.
pub fn check(interrupted: &AtomicBool) -> anyhow::Result<()> {
    if interrupted.load(Ordering::Relaxed) {
        bail!("interrupted");
    }
    Ok(())
}
