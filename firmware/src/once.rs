//! One model, one run, and the end.

use core::hint::black_box;

use semihosting::process::exit;
use static_cell::ConstStaticCell;
use trident::slots::Mapped;
use trident::{Blob, Network};

use crate::arena::Arena;
use crate::boards::{Board, Chosen};
use crate::{golden, start};

static ARENA: ConstStaticCell<Arena<{ Chosen::ARENA_LEN }>> = ConstStaticCell::new(Arena([0; Chosen::ARENA_LEN]));

/// Exit statuses besides those of `exits`; 0 is a run that gave its outputs.
const NO_BLOB: i32 = 2;
const NOT_LOADED: i32 = 3;
const NOT_RUN: i32 = 4;

#[start::entry]
fn main() -> ! {
    exit(once().err().unwrap_or(0))
}

fn once() -> Result<(), i32> {
    let flash = Chosen::flash();
    let slots = Chosen::MAP.slots.map(|slot| flash.bytes(slot));
    let blob = slots.into_iter().find_map(|slot| Blob::new_checked(slot).ok());
    let blob = blob.ok_or(NO_BLOB)?;
    let inputs = golden::inputs(&blob).ok_or(NOT_RUN)?;
    let mut network = Network::load(blob, &mut ARENA.take().0).map_err(|_| NOT_LOADED)?;
    let heads = network.heads();
    let outputs = network.run(heads, &inputs).map_err(|_| NOT_RUN)?;
    black_box(&outputs);
    Ok(())
}
