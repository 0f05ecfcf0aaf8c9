//! The board's addresses, and the only place that turns them into memory.
#![allow(unsafe_code)]

use core::ptr::{with_exposed_provenance, with_exposed_provenance_mut};
use core::slice::from_raw_parts_mut;

use static_cell::ConstStaticCell;

/// 16 MB of RAM, from its second 16 MB on.
///
/// # Panics
/// When called twice.
pub fn flash() -> &'static mut [u8] {
    static TAKEN: ConstStaticCell<()> = ConstStaticCell::new(());
    TAKEN.take();
    let first = with_exposed_provenance_mut::<u8>(0x8100_0000);
    // SAFETY: QEMU gives the machine 128 MB of RAM from 0x8000_0000 on unless told otherwise; these 16 MB lie outside every region of
    // `memory.x`, so no Rust object lies there, and no peripheral writes to them; `TAKEN` sees to it that this is the only
    // reference. Any byte is a valid u8.
    unsafe { from_raw_parts_mut(first, 16 << 20) }
}

/// A peripheral's registers, 8 bits each. Whoever holds one may use that peripheral.
#[derive(Clone, Copy)]
pub struct ByteRegisters(usize);

impl ByteRegisters {
    /// Registers that a peripheral has.
    const LEN: usize = 8;

    /// The register `OFFSET` bytes from the first.
    pub fn read<const OFFSET: usize>(self) -> u8 {
        const { assert!(OFFSET < Self::LEN) };
        // SAFETY: the only value of this type is `UART0`, a peripheral with so many registers, which may all be read; a volatile
        // read of a register touches no Rust object.
        unsafe { with_exposed_provenance::<u8>(self.0 + OFFSET).read_volatile() }
    }

    /// Writes the register `OFFSET` bytes from the first.
    pub fn write<const OFFSET: usize>(self, value: u8) {
        const { assert!(OFFSET < Self::LEN) };
        // SAFETY: as in `read`; the peripheral does not master the bus, so that no write makes it touch memory.
        unsafe { with_exposed_provenance_mut::<u8>(self.0 + OFFSET).write_volatile(value) }
    }
}

/// The UART.
pub const UART0: ByteRegisters = ByteRegisters(0x1000_0000);

/// What ends or resets the machine (QEMU calls it `sifive_test`).
const FINISHER: usize = 0x0010_0000;

/// Resets the machine; RAM keeps what it holds, but for what the emulator loads again.
pub fn reset() -> ! {
    const RESET: u32 = 0x7777;
    // SAFETY: the register lies there on this machine, and touches no memory of the program that goes on.
    unsafe { with_exposed_provenance_mut::<u32>(FINISHER).write_volatile(RESET) }
    loop {
        // The emulator takes the request at the end of a block of instructions.
        core::hint::spin_loop();
    }
}
