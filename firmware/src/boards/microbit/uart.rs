//! The nRF51's UART, polled.

use super::super::polled;
use super::super::registers::Registers;

const STARTRX: usize = 0x000;
const STARTTX: usize = 0x008;
const RXDRDY: usize = 0x108;
const TXDRDY: usize = 0x11C;
const ENABLE: usize = 0x500;
const RXD: usize = 0x518;
const TXD: usize = 0x51C;
const BAUDRATE: usize = 0x524;

const ENABLED: u32 = 4;
const BAUD_115200: u32 = 0x01D7_E000;

/// The UART.
pub struct Uart(Registers);

impl Uart {
    /// Enables both directions at 115,200 bits per second.
    pub fn new(registers: Registers) -> Self {
        registers.write::<BAUDRATE>(BAUD_115200);
        registers.write::<ENABLE>(ENABLED);
        registers.write::<STARTRX>(1);
        registers.write::<STARTTX>(1);
        Self(registers)
    }
}

impl polled::Registers for Uart {
    fn has_received(&self) -> bool {
        self.0.read::<RXDRDY>() != 0
    }

    fn take(&mut self) -> u8 {
        // Cleared first: reading RXD lets the next byte in, which sets it again.
        self.0.write::<RXDRDY>(0);
        self.0.read::<RXD>() as u8
    }

    fn send(&mut self, byte: u8) {
        self.0.write::<TXDRDY>(0);
        self.0.write::<TXD>(byte.into());
        while self.0.read::<TXDRDY>() == 0 {}
    }
}
