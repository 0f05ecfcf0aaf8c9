//! One folder per board: its memory map for the linker, its slots, its link and its counter.
//!
//! A new board is a folder with `memory.x` and a `mod.rs` that implements [`Board`], a feature in `Cargo.toml`, a line in
//! `build.rs` and here, and a line in the host's board table.

#[cfg(not(any(
    feature = "board-microbit",
    feature = "board-netduinoplus2",
    feature = "board-lm3s6965evb"
)))]
mod cmsdk;
#[cfg(feature = "board-lm3s6965evb")]
mod lm3s6965evb;
#[cfg(feature = "board-microbit")]
mod microbit;
#[cfg(any(
    feature = "board-mps2-an385",
    feature = "board-mps2-an386",
    feature = "board-mps2-an500"
))]
mod mps2;
#[cfg(feature = "board-mps2-an505")]
mod mps2_an505;
#[cfg(feature = "board-mps3-an547")]
mod mps3_an547;
#[cfg(feature = "board-netduinoplus2")]
mod netduinoplus2;
mod registers;

#[cfg(feature = "board-lm3s6965evb")]
pub use lm3s6965evb::Lm3s6965Evb as Chosen;
#[cfg(feature = "board-microbit")]
pub use microbit::Microbit as Chosen;
#[cfg(any(
    feature = "board-mps2-an385",
    feature = "board-mps2-an386",
    feature = "board-mps2-an500"
))]
pub use mps2::Mps2 as Chosen;
#[cfg(feature = "board-mps2-an505")]
pub use mps2_an505::Mps2An505 as Chosen;
#[cfg(feature = "board-mps3-an547")]
pub use mps3_an547::Mps3An547 as Chosen;
#[cfg(feature = "board-netduinoplus2")]
pub use netduinoplus2::NetduinoPlus2 as Chosen;

use embedded_io::{Read, Write};

use crate::counter::Counter;

/// Virtual time of one instruction: the host starts the emulator with `-icount shift=10`.
const NANOS_PER_INSTRUCTION: u64 = 1 << 10;

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
