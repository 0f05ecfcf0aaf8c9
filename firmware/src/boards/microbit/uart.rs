//! The nRF51's UART, polled.

use core::convert::Infallible;

use embedded_io::{ErrorType, Read, ReadReady, Write};

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

/// A UART whose reads block until a byte is there.
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

impl ErrorType for Uart {
    type Error = Infallible;
}

impl Read for Uart {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        let mut len = 0;
        while len < buffer.len() {
            if self.0.read::<RXDRDY>() != 0 {
                // Cleared first: reading RXD lets the next byte in, which sets it again.
                self.0.write::<RXDRDY>(0);
                buffer[len] = self.0.read::<RXD>() as u8;
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
        Ok(self.0.read::<RXDRDY>() != 0)
    }
}

impl Write for Uart {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        for &byte in bytes {
            self.0.write::<TXDRDY>(0);
            self.0.write::<TXD>(byte.into());
            while self.0.read::<TXDRDY>() == 0 {}
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
