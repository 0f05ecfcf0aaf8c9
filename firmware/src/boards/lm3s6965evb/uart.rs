//! ARM's PL011 UART, polled.

use core::convert::Infallible;

use embedded_io::{ErrorType, Read, ReadReady, Write};

use super::super::registers::Registers;

const DATA: usize = 0x00;
const FLAGS: usize = 0x18;
const CONTROL: usize = 0x30;

const RX_EMPTY: u32 = 1 << 4;
const TX_FULL: u32 = 1 << 5;
const ENABLE: u32 = 1 << 0 | 1 << 8 | 1 << 9;

/// A UART whose reads block until a byte is there.
pub struct Uart(Registers);

impl Uart {
    /// Enables both directions.
    pub fn new(registers: Registers) -> Self {
        registers.write::<CONTROL>(ENABLE);
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
            if self.0.read::<FLAGS>() & RX_EMPTY == 0 {
                buffer[len] = self.0.read::<DATA>() as u8;
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
        Ok(self.0.read::<FLAGS>() & RX_EMPTY == 0)
    }
}

impl Write for Uart {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        for &byte in bytes {
            while self.0.read::<FLAGS>() & TX_FULL != 0 {}
            self.0.write::<DATA>(byte.into());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
