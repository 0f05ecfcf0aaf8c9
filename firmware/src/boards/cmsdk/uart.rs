//! The CMSDK APB UART, polled.

use super::super::polled;
use super::super::registers::Registers;

const DATA: usize = 0x00;
const STATE: usize = 0x04;
const CTRL: usize = 0x08;
const BAUDDIV: usize = 0x10;

const TX_FULL: u32 = 1 << 0;
const RX_FULL: u32 = 1 << 1;
const TX_ENABLE: u32 = 1 << 0;
const RX_ENABLE: u32 = 1 << 1;
/// The smallest divisor that the UART accepts.
const FASTEST: u32 = 16;

/// The UART.
pub struct Uart(Registers);

impl Uart {
    /// Enables both directions at the highest rate.
    pub fn new(registers: Registers) -> Self {
        registers.write::<BAUDDIV>(FASTEST);
        registers.write::<CTRL>(TX_ENABLE | RX_ENABLE);
        Self(registers)
    }
}

impl polled::Registers for Uart {
    fn has_received(&self) -> bool {
        self.0.read::<STATE>() & RX_FULL != 0
    }

    fn take(&mut self) -> u8 {
        self.0.read::<DATA>() as u8
    }

    fn send(&mut self, byte: u8) {
        while self.0.read::<STATE>() & TX_FULL != 0 {}
        self.0.write::<DATA>(byte.into());
    }

    fn drain(&mut self) {
        while self.0.read::<STATE>() & TX_FULL != 0 {}
    }
}
