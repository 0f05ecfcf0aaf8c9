//! One folder per board: its memory map for the linker, its slots, its link and its counter.
//!
//! A new board is a folder with `memory.x` and a `mod.rs` that implements [`Board`], a feature in `Cargo.toml`, a line in
//! `build.rs` and here, and a line in the host's board table.

#[cfg(not(any(
    feature = "board-microbit",
    feature = "board-netduinoplus2",
    feature = "board-lm3s6965evb",
    feature = "board-virt-riscv32"
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
mod polled;
#[cfg(not(feature = "board-virt-riscv32"))]
mod registers;
#[cfg(any(
    feature = "board-microbit",
    feature = "board-netduinoplus2",
    feature = "board-lm3s6965evb"
))]
mod rom;
#[cfg(any(
    feature = "board-microbit",
    feature = "board-netduinoplus2",
    feature = "board-virt-riscv32"
))]
mod unwatched;
#[cfg(feature = "board-virt-riscv32")]
mod virt_riscv32;
mod watchdog;

// An engine without operators runs nothing: an oversight, since no feature of this crate brings them in but one.
const _: () = assert!(
    !trident::graph::BUILT_IN.is_empty(),
    "choose operators: the feature `all-operators`, or `trident/op-…` for each that your model has"
);

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
#[cfg(feature = "board-virt-riscv32")]
pub use virt_riscv32::{VirtRiscv32 as Chosen, reset};

pub use watchdog::Watchdog;

use embedded_io::{Read, ReadReady, Write};
use trident::slots::{Flash, FlashMap, Region};

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
    /// What lies where in the flash for weights.
    const MAP: FlashMap;
    /// The flash for weights.
    type Flash: Flash;
    /// Its link to a host, besides the emulator's.
    type Link: Read + ReadReady + Write;
    /// What counts instructions.
    type Counter: Counter;
    /// What resets it when the program hangs.
    type Watchdog: Watchdog;
    /// Its watchdog.
    const WATCHDOG: Self::Watchdog;

    /// The flash for weights, in which [`MAP`](Self::MAP) says what lies where.
    ///
    /// # Panics
    /// When called twice.
    fn flash() -> Self::Flash;

    /// Starts link and counter. Called once, after reset.
    fn start() -> (Self::Link, Self::Counter);
}

/// 16 MB that keep the rules of NOR flash: two slots that the largest preset's weights fit into, and the state behind them.
#[cfg(not(any(
    feature = "board-microbit",
    feature = "board-netduinoplus2",
    feature = "board-lm3s6965evb"
)))]
const NOR_MAP: FlashMap = {
    const SLOT_LEN: u32 = 0x007f_0000;
    FlashMap {
        slots: [
            Region {
                start: 0,
                len: SLOT_LEN,
            },
            Region {
                start: SLOT_LEN,
                len: SLOT_LEN,
            },
        ],
        state: Region {
            start: 2 * SLOT_LEN,
            len: 16 << 10,
        },
    }
};

/// Two slots of that length, and no state, since nothing can be written.
#[cfg(any(
    feature = "board-microbit",
    feature = "board-netduinoplus2",
    feature = "board-lm3s6965evb"
))]
const fn rom_map(slot_len: u32) -> FlashMap {
    FlashMap {
        slots: [
            Region {
                start: 0,
                len: slot_len,
            },
            Region {
                start: slot_len,
                len: slot_len,
            },
        ],
        state: Region { start: 0, len: 0 },
    }
}
