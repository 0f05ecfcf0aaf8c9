//! The boards that firmware exists for, in figures.
//!
//! The firmware has the same figures in `firmware/src/boards`; a test that boots each board compares what it reports.

/// Memory that may hold a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// What it is.
    pub name: &'static str,
    /// Its first byte.
    pub address: u32,
    /// Its length, in bytes.
    pub len: usize,
}

/// A board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Board {
    /// Its name on the command line.
    pub name: &'static str,
    /// Its core.
    pub core: &'static str,
    /// What QEMU calls it.
    pub qemu_machine: &'static str,
    /// The compiler's target.
    pub target: &'static str,
    /// The firmware's feature for it.
    pub feature: &'static str,
    /// Flash for the image, in bytes.
    pub flash_len: usize,
    /// RAM, in bytes.
    pub ram_len: usize,
    /// RAM for the arena, in bytes.
    pub arena_len: usize,
    /// RAM for a picture, in bytes.
    pub picture_len: usize,
    /// Where blobs may lie, in the firmware's probing order.
    pub slots: &'static [Slot],
}

/// All boards; the first is the default.
pub const BOARDS: &[Board] = &[Board {
    name: "mps2-an386",
    core: "Cortex-M4F",
    qemu_machine: "mps2-an386",
    target: "thumbv7em-none-eabihf",
    feature: "board-mps2-an386",
    flash_len: 3 << 20,
    ram_len: 4 << 20,
    arena_len: 256 << 10,
    picture_len: 128 * 128 * 3,
    slots: &[
        Slot {
            name: "flash",
            address: 0x0030_0000,
            len: 1 << 20,
        },
        Slot {
            name: "PSRAM",
            address: 0x2100_0000,
            len: 16 << 20,
        },
    ],
}];

impl Board {
    /// The board of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        BOARDS.iter().find(|board| board.name == name)
    }

    /// The first slot that a blob of that length fits into.
    pub fn slot_for(&self, blob_len: usize) -> Option<&'static Slot> {
        self.slots.iter().find(|slot| blob_len <= slot.len)
    }

    /// Its slots and their sizes, in words.
    pub(super) fn slots_in_words(&self) -> String {
        let words = |slot: &Slot| format!("{} bytes of {} at {:#010x}", slot.len, slot.name, slot.address);
        self.slots.iter().map(words).collect::<Vec<_>>().join(" and ")
    }
}
