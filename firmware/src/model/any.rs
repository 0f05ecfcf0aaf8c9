//! Any model: the first in a slot that passes all checks of a blob.

use trident::slots::Mapped;
use trident::{Blob, Inputs, Network};

use crate::boards::{Board, Chosen};
use crate::golden;
use crate::once::{NO_BLOB, NOT_LOADED, NOT_RUN};

/// Bytes for its arena.
pub const ARENA_LEN: usize = Chosen::ARENA_LEN;

/// The network, and inputs for it.
pub fn load<'a>(flash: &'a impl Mapped, arena: &'a mut [u8]) -> Result<(Network<'a>, Inputs<'a>), i32> {
    let slots = Chosen::MAP.slots.map(|slot| flash.bytes(slot));
    let blob = slots.into_iter().find_map(|slot| Blob::new_checked(slot).ok());
    let blob = blob.ok_or(NO_BLOB)?;
    let inputs = golden::inputs(&blob).ok_or(NOT_RUN)?;
    let network = Network::load(blob, arena).map_err(|_| NOT_LOADED)?;
    Ok((network, inputs))
}
