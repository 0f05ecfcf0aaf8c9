//! A UART that is polled byte by byte, as a link. The boards' UARTs differ in registers alone.

use core::convert::Infallible;

use embedded_io::{ErrorType, Read, ReadReady, Write};

/// What a UART's registers tell and take.
pub trait Registers {
    /// Whether a byte has come in.
    fn has_received(&self) -> bool;

    /// Takes the byte that has come in.
    fn take(&mut self) -> u8;

    /// Hands a byte over as soon as there is room for it.
    fn send(&mut self, byte: u8);

    /// Waits until there is room again, where a byte handed over last might else be lost in a reset.
    fn drain(&mut self) {}
}

/// A UART whose reads block until a byte is there.
pub struct Polled<U>(pub U);

impl<U> ErrorType for Polled<U> {
    type Error = Infallible;
}

impl<U: Registers> Read for Polled<U> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        let mut len = 0;
        while len < buffer.len() {
            if self.0.has_received() {
                buffer[len] = self.0.take();
                len += 1;
            } else if len > 0 {
                break;
            }
        }
        Ok(len)
    }
}

impl<U: Registers> ReadReady for Polled<U> {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(self.0.has_received())
    }
}

impl<U: Registers> Write for Polled<U> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        bytes.iter().for_each(|&byte| self.0.send(byte));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        self.0.drain();
        Ok(())
    }
}
