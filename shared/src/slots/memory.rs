//! Memory that keeps the rules of NOR flash.
//!
//! A block is erased to ones before its words are written, a word is written once, and whole; over anything else only zeros may be
//! written, as flash with a code per word allows, too (ST RM0351, PROGERR), so that what a power cut left half written can be voided. Emulated boards have no flash that can be
//! programmed; this is theirs, over memory that outlives a run.

use core::fmt;
use core::sync::atomic::{Ordering, compiler_fence};

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};

use super::{Flash, Mapped, Region};

const ERASED: u8 = 0xff;

/// Which rule was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NorError {
    /// Not whole words or blocks, or outside.
    Range(NorFlashErrorKind),
    /// The word there is not erased.
    Programmed {
        /// Its offset.
        offset: u32,
    },
    /// It meets the region that is read in place.
    InUse {
        /// Where it begins.
        offset: u32,
    },
}

impl NorFlashError for NorError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::Range(kind) => *kind,
            _ => NorFlashErrorKind::Other,
        }
    }
}

impl fmt::Display for NorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Range(kind) => write!(f, "{kind}"),
            Self::Programmed { offset } => write!(f, "the word at {offset:#x} is not erased"),
            Self::InUse { offset } => write!(f, "{offset:#x} is being read in place"),
        }
    }
}

impl core::error::Error for NorError {}

/// Memory as NOR flash, with a hole where a region is read in place.
#[derive(Debug)]
pub struct NorMemory<'m> {
    /// Up to the hole.
    before: &'m mut [u8],
    hole: usize,
    /// Behind the hole.
    after: &'m mut [u8],
}

impl<'m> NorMemory<'m> {
    /// All of `bytes`, whatever they hold, in whole blocks.
    ///
    /// # Panics
    /// Not whole blocks.
    pub fn new(bytes: &'m mut [u8]) -> Self {
        assert!(bytes.len().is_multiple_of(Self::ERASE_SIZE), "a flash of whole blocks");
        Self {
            before: bytes,
            hole: 0,
            after: &mut [],
        }
    }

    /// As [`Flash::split`], but for good.
    ///
    /// # Panics
    /// As there, or if a region was split off before.
    pub fn into_split(self, region: Region) -> (&'m [u8], Self) {
        assert!(self.hole == 0, "one region is split off at a time");
        let (before, rest) = self.before.split_at_mut(region.start as usize);
        let (bytes, after) = rest.split_at_mut(region.len as usize);
        let rest = Self {
            before,
            hole: bytes.len(),
            after,
        };
        (bytes, rest)
    }

    fn len(&self) -> usize {
        self.before.len() + self.hole + self.after.len()
    }

    /// `len` bytes from `offset` on, which are on one side of the hole.
    fn part(&mut self, offset: u32, len: usize) -> Result<&mut [u8], NorError> {
        let start = offset as usize;
        let part = match start.checked_sub(self.before.len() + self.hole) {
            Some(start) => self.after.get_mut(start..start + len),
            None => self.before.get_mut(start..start + len),
        };
        part.ok_or(NorError::InUse { offset })
    }
}

impl ErrorType for NorMemory<'_> {
    type Error = NorError;
}

impl ReadNorFlash for NorMemory<'_> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorError> {
        check_read(self, offset, bytes.len()).map_err(NorError::Range)?;
        bytes.copy_from_slice(self.part(offset, bytes.len())?);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.len()
    }
}

impl NorFlash for NorMemory<'_> {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 4096;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorError> {
        check_erase(self, from, to).map_err(NorError::Range)?;
        self.part(from, (to - from) as usize)?.fill(ERASED);
        done();
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorError> {
        check_write(self, offset, bytes.len()).map_err(NorError::Range)?;
        let words = self.part(offset, bytes.len())?;
        let voided = bytes.iter().all(|&byte| byte == 0);
        if let Some(at) = words.iter().position(|&byte| byte != ERASED && !voided) {
            let offset = offset + (at - at % Self::WRITE_SIZE) as u32;
            return Err(NorError::Programmed { offset });
        }
        words.copy_from_slice(bytes);
        done();
        Ok(())
    }
}

/// What an operation stores is in memory before the next one's: the compiler may not move stores over this, nor hold them back, and a
/// kill of the emulator finds them in order.
fn done() {
    compiler_fence(Ordering::SeqCst);
}

impl Mapped for NorMemory<'_> {
    fn bytes(&self, region: Region) -> &[u8] {
        let (start, len) = (region.start as usize, region.len as usize);
        match start.checked_sub(self.before.len() + self.hole) {
            Some(start) => &self.after[start..start + len],
            None => &self.before[start..start + len],
        }
    }
}

impl Flash for NorMemory<'_> {
    type Rest<'f>
        = NorMemory<'f>
    where
        Self: 'f;

    fn split(&mut self, region: Region) -> (&[u8], NorMemory<'_>) {
        let whole = NorMemory {
            before: self.before,
            hole: self.hole,
            after: self.after,
        };
        whole.into_split(region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: u32 = NorMemory::ERASE_SIZE as u32;

    #[test]
    fn a_word_is_written_once() {
        let mut bytes = [0; 8192];
        let mut flash = NorMemory::new(&mut bytes);
        assert_eq!(flash.write(8, &[1; 4]), Err(NorError::Programmed { offset: 8 }));
        flash.erase(0, BLOCK).unwrap();
        flash.write(8, &[1; 8]).unwrap();
        assert_eq!(flash.write(8, &[2; 4]), Err(NorError::Programmed { offset: 8 }));
        assert_eq!(flash.write(4, &[2; 8]), Err(NorError::Programmed { offset: 8 }));
        assert_eq!(
            flash.bytes(Region { start: 4, len: 8 }),
            [0xff, 0xff, 0xff, 0xff, 1, 1, 1, 1]
        );
        assert_eq!(flash.write(8, &[0; 4]), Ok(()));
        assert_eq!(flash.bytes(Region { start: BLOCK, len: 1 }), [0]);
    }

    #[test]
    fn only_whole_words_and_blocks_inside() {
        let mut bytes = [0xff; 8192];
        let mut flash = NorMemory::new(&mut bytes);
        let aligned = Err(NorError::Range(NorFlashErrorKind::NotAligned));
        let outside = Err(NorError::Range(NorFlashErrorKind::OutOfBounds));
        assert_eq!(flash.write(2, &[0; 4]), aligned);
        assert_eq!(flash.write(4, &[0; 3]), aligned);
        assert_eq!(flash.erase(0, 100), aligned);
        assert_eq!(flash.write(8192, &[0; 4]), outside);
        assert_eq!(flash.erase(BLOCK, 3 * BLOCK), outside);
    }

    #[test]
    fn what_is_read_in_place_is_not_written() {
        let mut bytes = [0xff; 3 * 4096];
        let mut flash = NorMemory::new(&mut bytes);
        flash.write(BLOCK, &[7; 4]).unwrap();
        let (read, mut rest) = flash.split(Region {
            start: BLOCK,
            len: BLOCK,
        });
        for (from, to) in [(BLOCK, 2 * BLOCK), (0, 2 * BLOCK), (BLOCK, 3 * BLOCK), (0, 3 * BLOCK)] {
            assert_eq!(rest.erase(from, to), Err(NorError::InUse { offset: from }));
        }
        assert_eq!(
            rest.write(BLOCK + 4, &[0; 4]),
            Err(NorError::InUse { offset: BLOCK + 4 })
        );
        assert_eq!(rest.write(0, &[1; 4]), Ok(()));
        assert_eq!(rest.write(2 * BLOCK, &[2; 4]), Ok(()));
        assert_eq!(
            rest.bytes(Region {
                start: 2 * BLOCK,
                len: 4
            }),
            [2; 4]
        );
        assert_eq!(read[..4], [7; 4]);
    }
}
