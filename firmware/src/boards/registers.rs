//! A peripheral's registers.
#![allow(unsafe_code)]

use core::ptr::{with_exposed_provenance, with_exposed_provenance_mut};

/// A page of registers, 32 bits each. Whoever holds one may use that peripheral.
#[derive(Clone, Copy)]
pub struct Registers(usize);

impl Registers {
    /// The page that begins at `address`.
    ///
    /// # Safety
    /// A peripheral of 4 KB lies there, its registers may be read and written 32 bits at a time, and nothing that is written to
    /// them makes it touch memory.
    pub const unsafe fn at(address: usize) -> Self {
        Self(address)
    }

    /// The register `OFFSET` bytes from the first.
    pub fn read<const OFFSET: usize>(self) -> u32 {
        const { assert!(OFFSET < 0x1000 && OFFSET.is_multiple_of(4)) };
        // SAFETY: the address lies in the page that `at` was promised; a volatile read of a register touches no Rust object.
        unsafe { with_exposed_provenance::<u32>(self.0 + OFFSET).read_volatile() }
    }

    /// Writes the register `OFFSET` bytes from the first.
    pub fn write<const OFFSET: usize>(self, value: u32) {
        const { assert!(OFFSET < 0x1000 && OFFSET.is_multiple_of(4)) };
        // SAFETY: as in `read`; by the same promise no write makes the peripheral touch memory.
        unsafe { with_exposed_provenance_mut::<u32>(self.0 + OFFSET).write_volatile(value) }
    }
}
