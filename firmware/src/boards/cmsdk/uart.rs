//! The CMSDK APB UART, polled.

use core::convert::Infallible;

use embedded_io::{ErrorType, Read, ReadReady, Write};

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

/// A UART whose reads block until a byte is there.
pub struct Uart(Registers);

impl Uart {
    /// Enables both directions at the highest rate.
    pub fn new(registers: Registers) -> Self {
        registers.write::<BAUDDIV>(FASTEST);
        registers.write::<CTRL>(TX_ENABLE | RX_ENABLE);
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
            if self.0.read::<STATE>() & RX_FULL != 0 {
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
        Ok(self.0.read::<STATE>() & RX_FULL != 0)
    }
}

impl Write for Uart {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        for &byte in bytes {
            while self.0.read::<STATE>() & TX_FULL != 0 {}
            self.0.write::<DATA>(byte.into());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        while self.0.read::<STATE>() & TX_FULL != 0 {}
        Ok(())
    }
}
