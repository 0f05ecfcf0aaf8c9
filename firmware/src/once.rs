//! One model, one run, and the end.

use core::hint::black_box;

use semihosting::process::exit;
use static_cell::ConstStaticCell;

use crate::arena::Arena;
use crate::boards::{Board, Chosen};
use crate::{model, start};

static ARENA: ConstStaticCell<Arena<{ model::ARENA_LEN }>> = ConstStaticCell::new(Arena([0; model::ARENA_LEN]));

/// Exit statuses besides those of `exits`; 0 is a run that gave its outputs.
pub const NO_BLOB: i32 = 2;
pub const NOT_LOADED: i32 = 3;
pub const NOT_RUN: i32 = 4;

#[start::entry]
fn main() -> ! {
    exit(once().err().unwrap_or(0))
}

#[inline(never)]
fn once() -> Result<(), i32> {
    let flash = Chosen::flash();
    let (mut network, inputs) = model::load(&flash, &mut ARENA.take().0)?;
    let heads = network.heads();
    let outputs = network.run(heads, &inputs).map_err(|_| NOT_RUN)?;
    black_box(&outputs);
    Ok(())
}
