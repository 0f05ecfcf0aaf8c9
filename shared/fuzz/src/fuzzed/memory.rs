//! [`NorMemory`] that owns its bytes: what boots wants a flash that borrows from nobody, or for ever.

use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};
use trident::slots::{Flash, Mapped, NorError, NorMemory, Region};

use crate::aligned::Aligned;

/// A flash.
pub struct Memory(pub Aligned);

impl Memory {
    fn nor(&mut self) -> NorMemory<'_> {
        NorMemory::new(self.0.bytes_mut())
    }
}

impl ErrorType for Memory {
    type Error = NorError;
}

impl ReadNorFlash for Memory {
    const READ_SIZE: usize = NorMemory::READ_SIZE;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorError> {
        self.nor().read(offset, bytes)
    }

    fn capacity(&self) -> usize {
        self.0.bytes().len()
    }
}

impl NorFlash for Memory {
    const WRITE_SIZE: usize = NorMemory::WRITE_SIZE;
    const ERASE_SIZE: usize = NorMemory::ERASE_SIZE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorError> {
        self.nor().erase(from, to)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorError> {
        self.nor().write(offset, bytes)
    }
}

impl Mapped for Memory {
    fn bytes(&self, region: Region) -> &[u8] {
        &self.0.bytes()[region.start as usize..][..region.len as usize]
    }
}

impl Flash for Memory {
    type Rest<'f> = NorMemory<'f>;

    fn split(&mut self, region: Region) -> (&[u8], NorMemory<'_>) {
        self.nor().into_split(region)
    }
}
