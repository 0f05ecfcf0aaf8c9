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
    /// The two slots for a blob.
    pub slots: [Slot; 2],
    /// Memory that is the board's flash for weights and outlives a run, if it has any that can be written under QEMU.
    pub flash: Option<Flash>,
}

/// Memory that an emulated board has instead of flash: QEMU models none that can be programmed, so the firmware keeps the
/// rules of NOR flash in its main memory, which a file backs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flash {
    /// Length of the board's main memory, in bytes.
    pub memory_len: u64,
    /// Where the first slot begins in it, in bytes.
    pub offset: u64,
}

/// Slots of 7.9 MB, and their state behind them, in that memory.
const fn nor_slots(name: &'static str, address: u32) -> [Slot; 2] {
    const LEN: usize = 0x007f_0000;
    slots(name, address, LEN)
}

const fn slots(name: &'static str, address: u32, len: usize) -> [Slot; 2] {
    [
        Slot { name, address, len },
        Slot {
            name,
            address: address + len as u32,
            len,
        },
    ]
}

/// The MPS2 boards' PSRAM.
const PSRAM: Option<Flash> = Some(Flash {
    memory_len: 16 << 20,
    offset: 0,
});

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
        slots: nor_slots("PSRAM", 0x2100_0000),
        flash: PSRAM,
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
        slots: nor_slots("PSRAM", 0x2100_0000),
        flash: PSRAM,
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
        slots: nor_slots("PSRAM", 0x6000_0000),
        flash: PSRAM,
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
        slots: nor_slots("PSRAM", 0x8000_0000),
        flash: PSRAM,
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
        slots: nor_slots("DDR", 0x7000_0000),
        flash: Some(Flash {
            memory_len: 2 << 30,
            offset: 256 << 20,
        }),
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
        slots: slots("flash", 0x0808_0000, 256 << 10),
        flash: None,
    },
    Board {
        name: "lm3s6965evb",
        core: "Cortex-M3",
        qemu_machine: "lm3s6965evb",
        target: "thumbv7m-none-eabi",
        target_cpu: None,
        feature: "board-lm3s6965evb",
        flash_len: 176 << 10,
        ram_len: 64 << 10,
        arena_len: 32 << 10,
        picture_len: 64 * 64 * 3,
        slots: slots("flash", 0x0002_C000, 40 << 10),
        flash: None,
    },
    Board {
        name: "microbit",
        core: "Cortex-M0",
        qemu_machine: "microbit",
        target: "thumbv6m-none-eabi",
        target_cpu: None,
        feature: "board-microbit",
        flash_len: 192 << 10,
        ram_len: 16 << 10,
        arena_len: 2 << 10,
        picture_len: 0,
        slots: slots("flash", 0x0003_0000, 32 << 10),
        flash: None,
    },
    Board {
        name: "virt-riscv32",
        core: "RV32IMAC",
        qemu_machine: "virt",
        target: "riscv32imac-unknown-none-elf",
        target_cpu: None,
        feature: "board-virt-riscv32",
        flash_len: 4 << 20,
        ram_len: 4 << 20,
        arena_len: 256 << 10,
        picture_len: 128 * 128 * 3,
        slots: nor_slots("RAM", 0x8100_0000),
        flash: Some(Flash {
            memory_len: 128 << 20,
            offset: 16 << 20,
        }),
    },
];

impl Board {
    /// The board of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        BOARDS.iter().find(|board| board.name == name)
    }

    /// The slot that a blob of that length is put into before a start: the first one, if it fits.
    pub fn slot_for(&self, blob_len: usize) -> Option<&Slot> {
        self.slots.iter().find(|slot| blob_len <= slot.len)
    }

    /// Its slots and their size, in words.
    pub(super) fn slots_in_words(&self) -> String {
        let [first, _] = &self.slots;
        format!("two slots of {} bytes of {}", first.len, first.name)
    }
}
