//! How fast this computer runs a blob.

use std::time::{Duration, Instant};

use trident::spec::InputSlot;
use trident::{Blob, BlobError, Inputs, LoadError, Network, RunError};

use super::cpu_seconds;
use crate::quantize::writer::AlignedBytes;

/// Why a blob has no rate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RateError {
    /// The blob breaks a rule of the format.
    #[error("the blob is refused: {0}")]
    Blob(#[from] BlobError),
    /// Its network does not load.
    #[error("the blob is refused: {0}")]
    Load(#[from] LoadError),
    /// Its own golden input is refused.
    #[error("the blob's input is refused: {0}")]
    Run(#[from] RunError),
    /// The system does not tell processor time.
    #[error("the time that it took is not known: {0}")]
    Time(#[from] std::io::Error),
    /// It carries nothing to run it on.
    #[error("the blob has no golden input")]
    NoInput,
}

/// Inferences per second on all cores, each with an arena of its own: runs of all heads on the blob's first golden input. A second is one
/// of processor time on every core, as if nothing else ran.
///
/// # Errors
/// If the blob does not load or has no golden input.
pub fn own(blob: &[u8], time: Duration) -> Result<f64, RateError> {
    let blob = Blob::new_exact(blob)?;
    let inputs = inputs(&blob).ok_or(RateError::NoInput)?;
    let (start, before) = (Instant::now(), cpu_seconds()?);
    let run = |_| -> Result<u64, RateError> {
        let mut arena = AlignedBytes::zeroed(blob.graph().arena_len());
        let mut network = Network::load(blob, arena.as_mut())?;
        let heads = network.heads();
        let mut runs = 0;
        while start.elapsed() < time {
            network.run(heads, &inputs)?;
            runs += 1;
        }
        Ok(runs)
    };
    let runs: Result<Vec<u64>, RateError> = rayon::broadcast(|_| run(())).into_iter().collect();
    let runs = runs?;
    let seconds_of_each = (cpu_seconds()? - before) / runs.len() as f64;
    Ok(runs.iter().sum::<u64>() as f64 / seconds_of_each)
}

fn inputs<'a>(blob: &Blob<'a>) -> Option<Inputs<'a>> {
    let golden = blob.metadata().golden.iter().next()?;
    let bytes = |slot: InputSlot| {
        let span = golden.inputs[slot as usize];
        span.of(blob.parameters()).filter(|bytes| !bytes.is_empty())
    };
    let readings = |slot| bytes(slot).and_then(|bytes| bytemuck::try_cast_slice(bytes).ok());
    Some(Inputs {
        classification: readings(InputSlot::Classification),
        picture: bytes(InputSlot::Picture),
        regression: readings(InputSlot::Regression),
    })
}
