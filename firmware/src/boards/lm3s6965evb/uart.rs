//! ARM's PL011 UART, polled.

use super::super::polled;
use super::super::registers::Registers;

const DATA: usize = 0x00;
const FLAGS: usize = 0x18;
const CONTROL: usize = 0x30;

const RX_EMPTY: u32 = 1 << 4;
const TX_FULL: u32 = 1 << 5;
const ENABLE: u32 = 1 << 0 | 1 << 8 | 1 << 9;

/// The UART.
pub struct Uart(Registers);

impl Uart {
    /// Enables both directions.
    pub fn new(registers: Registers) -> Self {
        registers.write::<CONTROL>(ENABLE);
        Self(registers)
    }
}

impl polled::Registers for Uart {
    fn has_received(&self) -> bool {
        self.0.read::<FLAGS>() & RX_EMPTY == 0
    }

    fn take(&mut self) -> u8 {
        self.0.read::<DATA>() as u8
    }

    fn send(&mut self, byte: u8) {
        while self.0.read::<FLAGS>() & TX_FULL != 0 {}
        self.0.write::<DATA>(byte.into());
    }
}
