//! Flash that the image can only read: the emulator has it as a ROM.

use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash, check_read};
use trident::slots::{Flash, Mapped, Region};

/// Such flash. What is written comes by other means: a programmer, the emulator's loader.
pub struct Rom(pub &'static [u8]);

impl ErrorType for Rom {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Rom {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        check_read(self, offset, bytes.len())?;
        bytes.copy_from_slice(&self.0[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.0.len()
    }
}

impl NorFlash for Rom {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 1024;

    fn erase(&mut self, _: u32, _: u32) -> Result<(), NorFlashErrorKind> {
        Err(NorFlashErrorKind::Other)
    }

    fn write(&mut self, _: u32, _: &[u8]) -> Result<(), NorFlashErrorKind> {
        Err(NorFlashErrorKind::Other)
    }
}

impl Mapped for Rom {
    const WRITABLE: bool = false;

    fn bytes(&self, region: Region) -> &[u8] {
        &self.0[region.start as usize..][..region.len as usize]
    }
}

impl Flash for Rom {
    type Rest<'f> = Self;

    fn split(&mut self, region: Region) -> (&[u8], Self) {
        (&self.0[region.start as usize..][..region.len as usize], Self(self.0))
    }
}
