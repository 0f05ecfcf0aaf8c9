//! What an emulator or debugger lends to the image: two FIFOs as a link, and the way out.
//!
//! The host makes `trident.in` and `trident.out` in the emulator's working folder. Over them a frame costs two system calls
//! instead of an emulated UART's thousands of register reads.

use embedded_io::{ErrorKind, ErrorType, Read, ReadReady, Write};
use semihosting::fs::File;
use semihosting::io::{Read as _, Write as _};

pub use semihosting::process::exit;

/// Two FIFOs of the host.
pub struct Fifos {
    requests: File,
    replies: File,
}

impl Fifos {
    /// The FIFOs, if the host made them.
    pub fn open() -> Option<Self> {
        // Requests first: opening them creates nothing where there is none.
        let requests = File::open(c"trident.in").ok()?;
        let replies = File::create(c"trident.out").ok()?;
        Some(Self { requests, replies })
    }
}

impl ErrorType for Fifos {
    type Error = ErrorKind;
}

impl Read for Fifos {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ErrorKind> {
        self.requests.read(buffer).map_err(|_| ErrorKind::Other)
    }
}

impl ReadReady for Fifos {
    /// Always: a read blocks the whole emulator, and the watchdog's clock with it.
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(true)
    }
}

impl Write for Fifos {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        self.replies.write(bytes).map_err(|_| ErrorKind::Other)
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        Ok(())
    }
}
