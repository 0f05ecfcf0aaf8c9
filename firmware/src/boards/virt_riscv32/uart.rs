//! The NS16550 UART, polled.

use super::super::polled;
use super::memory::ByteRegisters;

/// Receive and transmit buffer.
const DATA: usize = 0;
const FIFO_CONTROL: usize = 2;
const LINE_CONTROL: usize = 3;
const LINE_STATUS: usize = 5;

const FIFO_ENABLE: u8 = 1 << 0;
/// Eight bits, no parity, one stop bit.
const EIGHT_BITS: u8 = 0b11;
const RX_FULL: u8 = 1 << 0;
const TX_EMPTY: u8 = 1 << 5;

/// The UART.
pub struct Uart(ByteRegisters);

impl Uart {
    /// Sets the form of a byte. The emulator's UART works at any rate.
    pub fn new(registers: ByteRegisters) -> Self {
        registers.write::<LINE_CONTROL>(EIGHT_BITS);
        registers.write::<FIFO_CONTROL>(FIFO_ENABLE);
        Self(registers)
    }
}

impl polled::Registers for Uart {
    fn has_received(&self) -> bool {
        self.0.read::<LINE_STATUS>() & RX_FULL != 0
    }

    fn take(&mut self) -> u8 {
        self.0.read::<DATA>()
    }

    fn send(&mut self, byte: u8) {
        while self.0.read::<LINE_STATUS>() & TX_EMPTY == 0 {}
        self.0.write::<DATA>(byte);
    }
}
