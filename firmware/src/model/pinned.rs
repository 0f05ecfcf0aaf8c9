//! The one model that this image was built for, in the first slot.

use trident::slots::Mapped;
use trident::{Inputs, Network, Pin};

use crate::boards::{Board, Chosen};
use crate::golden;
use crate::once::{NO_BLOB, NOT_LOADED};

/// What `trident pin` wrote, in the file that `TRIDENT_PIN` names from the root on: another path would begin at this folder.
const PIN: Pin = include!(env!("TRIDENT_PIN"));

/// Bytes for its arena.
pub const ARENA_LEN: usize = PIN.arena_len();

/// The network, and inputs for it.
pub fn load<'a>(flash: &'a impl Mapped, arena: &'a mut [u8]) -> Result<(Network<'a>, Inputs<'a>), i32> {
    let slot = flash.bytes(Chosen::MAP.slots[0]);
    let pinned = PIN.open(slot).map_err(|_| NO_BLOB)?;
    let inputs = golden::inputs_in(&PIN.golden_inputs, pinned.blob().parameters());
    let network = Network::load_pinned(pinned, arena).map_err(|_| NOT_LOADED)?;
    Ok((network, inputs))
}
