//! The STM32's USART, polled.

use core::convert::Infallible;

use embedded_io::{ErrorType, Read, ReadReady, Write};

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

/// A UART whose reads block until a byte is there.
pub struct Uart(Registers);

impl Uart {
    /// Enables both directions.
    pub fn new(registers: Registers) -> Self {
        registers.write::<BRR>(BAUD_115200);
        registers.write::<CR1>(ENABLE | RX_ENABLE | TX_ENABLE);
        Self(registers)
    }
}

impl ErrorType for Uart {
    type Error = Infallible;
}

impl Read for Uart {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        let mut len = 0;
        while len < buffer.len() {
            if self.0.read::<SR>() & RX_FULL != 0 {
                buffer[len] = self.0.read::<DR>() as u8;
                len += 1;
            } else if len > 0 {
                break;
            }
        }
        Ok(len)
    }
}

impl ReadReady for Uart {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(self.0.read::<SR>() & RX_FULL != 0)
    }
}

impl Write for Uart {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        for &byte in bytes {
            while self.0.read::<SR>() & TX_EMPTY == 0 {}
            self.0.write::<DR>(byte.into());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
