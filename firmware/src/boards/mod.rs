//! One folder per board: its memory map for the linker, its slots, its link and its counter.
//!
//! A new board is a folder with `memory.x` and a `mod.rs` that implements [`Board`], a feature in `Cargo.toml`, a line in
//! `build.rs` and here, and a line in the host's board table.

#[cfg(feature = "board-mps2-an386")]
mod mps2;
#[cfg(feature = "board-mps2-an386")]
pub use mps2::Mps2An386 as Chosen;

use embedded_io::{Read, Write};

use crate::counter::Counter;

/// What the firmware asks of a board.
pub trait Board {
    /// The name that the host's table has for it.
    const NAME: &'static str;
    /// Bytes of RAM for the arena.
    const ARENA_LEN: usize;
    /// Bytes of RAM for a picture.
    const PICTURE_LEN: usize;
    /// Its link to a host, besides the emulator's.
    type Link: Read + Write;
    /// What counts instructions.
    type Counter: Counter;

    /// Where blobs may lie, in probing order, each 16-byte aligned.
    fn slots() -> impl Iterator<Item = &'static [u8]>;

    /// Starts link and counter. Called once, after reset.
    fn start() -> (Self::Link, Self::Counter);
}
