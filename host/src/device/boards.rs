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
    /// The core as the compiler calls it, where the target alone would leave instructions of it unused.
    pub target_cpu: Option<&'static str>,
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
pub const BOARDS: &[Board] = &[
    Board {
        name: "mps2-an386",
        core: "Cortex-M4F",
        qemu_machine: "mps2-an386",
        target: "thumbv7em-none-eabihf",
        target_cpu: None,
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
    },
    Board {
        name: "mps2-an385",
        core: "Cortex-M3",
        qemu_machine: "mps2-an385",
        target: "thumbv7m-none-eabi",
        target_cpu: None,
        feature: "board-mps2-an385",
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
    },
    Board {
        name: "mps2-an500",
        core: "Cortex-M7",
        qemu_machine: "mps2-an500",
        target: "thumbv7em-none-eabihf",
        target_cpu: None,
        feature: "board-mps2-an500",
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
                address: 0x6000_0000,
                len: 16 << 20,
            },
        ],
    },
    Board {
        name: "mps2-an505",
        core: "Cortex-M33",
        qemu_machine: "mps2-an505",
        target: "thumbv8m.main-none-eabihf",
        target_cpu: Some("cortex-m33"),
        feature: "board-mps2-an505",
        flash_len: 3 << 20,
        ram_len: 4 << 20,
        arena_len: 256 << 10,
        picture_len: 128 * 128 * 3,
        slots: &[
            Slot {
                name: "flash",
                address: 0x1030_0000,
                len: 1 << 20,
            },
            Slot {
                name: "PSRAM",
                address: 0x8000_0000,
                len: 16 << 20,
            },
        ],
    },
    Board {
        name: "mps3-an547",
        core: "Cortex-M55",
        qemu_machine: "mps3-an547",
        target: "thumbv8m.main-none-eabihf",
        target_cpu: Some("cortex-m55"),
        feature: "board-mps3-an547",
        flash_len: 512 << 10,
        ram_len: 512 << 10,
        arena_len: 256 << 10,
        picture_len: 128 * 128 * 3,
        slots: &[
            Slot {
                name: "block RAM",
                address: 0x1100_0000,
                len: 1 << 20,
            },
            Slot {
                name: "DDR",
                address: 0x7000_0000,
                len: 16 << 20,
            },
        ],
    },
    Board {
        name: "netduinoplus2",
        core: "Cortex-M4F",
        qemu_machine: "netduinoplus2",
        target: "thumbv7em-none-eabihf",
        target_cpu: None,
        feature: "board-netduinoplus2",
        flash_len: 512 << 10,
        ram_len: 128 << 10,
        arena_len: 64 << 10,
        picture_len: 128 * 128 * 3,
        slots: &[Slot {
            name: "flash",
            address: 0x0808_0000,
            len: 512 << 10,
        }],
    },
    Board {
        name: "lm3s6965evb",
        core: "Cortex-M3",
        qemu_machine: "lm3s6965evb",
        target: "thumbv7m-none-eabi",
        target_cpu: None,
        feature: "board-lm3s6965evb",
        flash_len: 128 << 10,
        ram_len: 64 << 10,
        arena_len: 32 << 10,
        picture_len: 64 * 64 * 3,
        slots: &[Slot {
            name: "flash",
            address: 0x0002_0000,
            len: 128 << 10,
        }],
    },
    Board {
        name: "microbit",
        core: "Cortex-M0",
        qemu_machine: "microbit",
        target: "thumbv6m-none-eabi",
        target_cpu: None,
        feature: "board-microbit",
        flash_len: 128 << 10,
        ram_len: 16 << 10,
        arena_len: 8 << 10,
        picture_len: 0,
        slots: &[Slot {
            name: "flash",
            address: 0x0002_0000,
            len: 128 << 10,
        }],
    },
];

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
