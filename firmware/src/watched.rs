//! A link that keeps the watchdog fed while the program waits for requests.

use embedded_io::{ErrorType, Read, ReadReady, Write};

/// What happens around a link's use.
#[derive(Clone, Copy)]
pub struct Hooks {
    /// While waiting, and before and after each use.
    pub alive: fn(),
    /// With what has come in.
    pub received: fn(&[u8]),
    /// After a whole reply.
    pub answered: fn(),
}

/// A link and what happens around its use.
pub struct Watched<'a, L> {
    link: &'a mut L,
    hooks: Hooks,
}

impl<'a, L> Watched<'a, L> {
    /// That link, with those hooks.
    pub fn new(link: &'a mut L, hooks: Hooks) -> Self {
        Self { link, hooks }
    }
}

impl<L: ErrorType> ErrorType for Watched<'_, L> {
    type Error = L::Error;
}

impl<L: Read + ReadReady> Read for Watched<'_, L> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, L::Error> {
        (self.hooks.alive)();
        while !self.link.read_ready()? {
            (self.hooks.alive)();
        }
        let len = self.link.read(buffer)?;
        (self.hooks.alive)();
        (self.hooks.received)(&buffer[..len]);
        Ok(len)
    }
}

impl<L: Write> Write for Watched<'_, L> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, L::Error> {
        (self.hooks.alive)();
        self.link.write(bytes)
    }

    /// The request loop flushes once per reply.
    fn flush(&mut self) -> Result<(), L::Error> {
        self.link.flush()?;
        (self.hooks.answered)();
        Ok(())
    }
}
