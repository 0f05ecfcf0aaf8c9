//! Ctrl-C asks the work to stop where nothing is left behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, bail};

/// A flag that Ctrl-C, or a polite request to end, sets.
///
/// # Errors
/// If the signal cannot be caught.
pub fn flag() -> anyhow::Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed)).context("cannot catch Ctrl-C")?;
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
