//! The STM32's USART, polled.

use super::super::polled;
use super::super::registers::Registers;

const SR: usize = 0x00;
const DR: usize = 0x04;
const BRR: usize = 0x08;
const CR1: usize = 0x0C;

const RX_FULL: u32 = 1 << 5;
const TX_EMPTY: u32 = 1 << 7;
const RX_ENABLE: u32 = 1 << 2;
const TX_ENABLE: u32 = 1 << 3;
const ENABLE: u32 = 1 << 13;
/// 115,200 bits per second from the 16 MHz that the chip starts with: 16 MHz / 139.
const BAUD_115200: u32 = 139;

/// The UART.
pub struct Uart(Registers);

impl Uart {
    /// Enables both directions.
    pub fn new(registers: Registers) -> Self {
        registers.write::<BRR>(BAUD_115200);
        registers.write::<CR1>(ENABLE | RX_ENABLE | TX_ENABLE);
        Self(registers)
    }
}

impl polled::Registers for Uart {
    fn has_received(&self) -> bool {
        self.0.read::<SR>() & RX_FULL != 0
    }

    fn take(&mut self) -> u8 {
        self.0.read::<DR>() as u8
    }

    fn send(&mut self, byte: u8) {
        while self.0.read::<SR>() & TX_EMPTY == 0 {}
        self.0.write::<DR>(byte.into());
    }
}
