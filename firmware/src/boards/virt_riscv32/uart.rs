//! The NS16550 UART, polled.

use core::convert::Infallible;

use embedded_io::{ErrorType, Read, ReadReady, Write};

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

/// A UART whose reads block until a byte is there.
pub struct Uart(ByteRegisters);

impl Uart {
    /// Sets the form of a byte. The emulator's UART works at any rate.
    pub fn new(registers: ByteRegisters) -> Self {
        registers.write::<LINE_CONTROL>(EIGHT_BITS);
        registers.write::<FIFO_CONTROL>(FIFO_ENABLE);
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
            if self.read_ready()? {
                buffer[len] = self.0.read::<DATA>();
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
        Ok(self.0.read::<LINE_STATUS>() & RX_FULL != 0)
    }
}

impl Write for Uart {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        for &byte in bytes {
            while self.0.read::<LINE_STATUS>() & TX_EMPTY == 0 {}
            self.0.write::<DATA>(byte);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
