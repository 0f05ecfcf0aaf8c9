//! An update: into the slot that is not served, block by block, verified whole, then noted as the next boot's trial.

use core::fmt;

use embedded_storage::nor_flash::NorFlash;

use super::{Entry, Mapped, Region, SlotId, Slots, State, StateError, Trial};
use crate::blob::{CRC, HEADER_LEN, Header};
use crate::check::{self, GraphError};
use crate::{Blob, BlobError};

/// Longest unit in which flash is programmed, in bytes; every flash's [`WRITE_SIZE`](NorFlash::WRITE_SIZE) divides it.
const MAX_WRITE_SIZE: usize = 32;

/// Why an update does not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UpdateError<E> {
    /// Nothing can be written on this board.
    ReadOnly,
    /// The blob is longer than a slot.
    TooLarge {
        /// Its length, in bytes.
        needed: u32,
        /// The slot's.
        available: u32,
    },
    /// A blob with that number, or a higher one, was confirmed before.
    NotNewer {
        /// The blob's sequence number.
        sequence: u32,
        /// The highest confirmed.
        floor: u32,
    },
    /// No update has begun.
    NotBegun,
    /// The chunk does not follow on what was written.
    Gap {
        /// Bytes that are there.
        written: u32,
        /// Where the chunk begins.
        offset: u32,
    },
    /// Other bytes were written there before.
    Differs {
        /// Where the chunk begins.
        offset: u32,
    },
    /// Not whole words, or not at the beginning of an erase block.
    Unaligned {
        /// Where.
        offset: u32,
    },
    /// Some bytes are still to come.
    Incomplete {
        /// Bytes that are there.
        written: u32,
        /// The blob's length.
        needed: u32,
    },
    /// The bytes are not the blob that was announced.
    OtherBlob,
    /// The blob is refused.
    Blob(BlobError),
    /// Its weights could overflow an accumulator.
    Graph(GraphError),
    /// It takes more arena than there is.
    Arena {
        /// What it takes, in bytes.
        needed: u32,
        /// What there is.
        available: u32,
    },
    /// The state could not be written.
    State(StateError<E>),
    /// The flash failed.
    Flash(E),
}

impl<E: fmt::Debug> fmt::Display for UpdateError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReadOnly => write!(f, "this board's slots can only be read"),
            Self::TooLarge { needed, available } => {
                write!(f, "the blob has {needed} bytes, a slot has {available}")
            }
            Self::NotNewer { sequence, floor } => write!(
                f,
                "its sequence number is {sequence}, and {floor} was confirmed before; only a higher one is taken"
            ),
            Self::NotBegun => write!(f, "no update has begun"),
            Self::Gap { written, offset } => write!(f, "a chunk begins at {offset}, but {written} bytes are there"),
            Self::Differs { offset } => write!(f, "other bytes were written at {offset} before"),
            Self::Unaligned { offset } => write!(f, "{offset} is in the middle of a word or block of this flash"),
            Self::Incomplete { written, needed } => write!(f, "{written} of {needed} bytes are there"),
            Self::OtherBlob => write!(f, "the bytes are not the blob that was announced"),
            Self::Blob(error) => write!(f, "{error}"),
            Self::Graph(error) => write!(f, "{error}"),
            Self::Arena { needed, available } => {
                write!(f, "it takes an arena of {needed} bytes, this device has {available}")
            }
            Self::State(error) => write!(f, "{error}"),
            Self::Flash(error) => write!(f, "the flash failed: {error:?}"),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for UpdateError<E> {}

impl<E> From<BlobError> for UpdateError<E> {
    fn from(error: BlobError) -> Self {
        Self::Blob(error)
    }
}

/// A blob on its way into a slot. Dropping one leaves the slot unfinished, which nothing refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Update {
    slot: SlotId,
    region: Region,
    header: Header,
    written: u32,
}

impl Update {
    /// The slot that an update would go to: the one that is not served, else the one that nothing is known of.
    pub fn target(slots: &Slots, served: Option<SlotId>) -> SlotId {
        let confirmed = slots.state().confirmed.map(|entry| entry.slot);
        served.or(confirmed).map_or(SlotId::A, SlotId::other)
    }

    /// Begins with the blob's header, or goes on at byte `from`, a whole number of erase blocks, with what lies before it taken as
    /// written. Whether that is so shows when the whole is verified; [`Update::digest`] tells a host beforehand.
    ///
    /// From here on nothing refers to the slot's former weights. They are erased block by block, as the chunks come.
    ///
    /// # Errors
    /// [`UpdateError`]: what the header alone tells against the blob; the state could not be written.
    pub fn begin<F: Mapped>(
        slots: &mut Slots,
        flash: &mut F,
        served: Option<SlotId>,
        header: &[u8; HEADER_LEN],
        from: u32,
    ) -> Result<Self, UpdateError<F::Error>> {
        const { assert!(F::WRITE_SIZE <= MAX_WRITE_SIZE && MAX_WRITE_SIZE.is_multiple_of(F::WRITE_SIZE)) };
        if !F::WRITABLE {
            return Err(UpdateError::ReadOnly);
        }
        let header = Header::decode(header)?;
        let slot = Self::target(slots, served);
        let region = slots.map().slot(slot);
        if header.total_len > region.len {
            return Err(UpdateError::TooLarge {
                needed: header.total_len,
                available: region.len,
            });
        }
        if slots.key().is_some() && !header.is_signed() {
            return Err(UpdateError::Blob(BlobError::Unsigned));
        }
        newer(slots, &header)?;
        if !(from as usize).is_multiple_of(F::ERASE_SIZE) || from > header.total_len {
            return Err(UpdateError::Unaligned { offset: from });
        }
        slots
            .set(flash, slots.state().without(slot))
            .map_err(UpdateError::State)?;
        Ok(Self {
            slot,
            region,
            header,
            written: from,
        })
    }

    /// Bytes that are there.
    pub const fn written(&self) -> u32 {
        self.written
    }

    /// The blob's CRC.
    pub const fn crc(&self) -> u32 {
        self.header.crc
    }

    /// The slot that it goes to.
    pub const fn slot(&self) -> SlotId {
        self.slot
    }

    /// Writes the next chunk, whole words unless it is the last. A chunk that has been written may come again.
    ///
    /// # Errors
    /// [`UpdateError`]. A flash that fails ends the update: begin again.
    pub fn write<F: Mapped>(&mut self, flash: &mut F, offset: u32, bytes: &[u8]) -> Result<(), UpdateError<F::Error>> {
        if !F::WRITABLE {
            return Err(UpdateError::ReadOnly);
        }
        let end = (offset as usize)
            .checked_add(bytes.len())
            .filter(|&end| end <= self.header.total_len as usize)
            .ok_or(UpdateError::TooLarge {
                needed: offset.saturating_add(bytes.len() as u32),
                available: self.header.total_len,
            })? as u32;
        if end <= self.written {
            let there = flash.bytes(Region {
                start: self.region.start + offset,
                len: bytes.len() as u32,
            });
            return if there == bytes {
                Ok(())
            } else {
                Err(UpdateError::Differs { offset })
            };
        }
        if offset != self.written {
            let written = self.written;
            return Err(UpdateError::Gap { written, offset });
        }
        let (words, last) = bytes.split_at(bytes.len() - bytes.len() % F::WRITE_SIZE);
        if !last.is_empty() && end != self.header.total_len {
            return Err(UpdateError::Unaligned { offset: end });
        }
        let start = self.region.start + offset;
        self.erase(flash, start, start + bytes.len() as u32)?;
        flash.write(start, words).map_err(UpdateError::Flash)?;
        if !last.is_empty() {
            let mut word = [0xff; MAX_WRITE_SIZE];
            word[..last.len()].copy_from_slice(last);
            flash
                .write(start + words.len() as u32, &word[..F::WRITE_SIZE])
                .map_err(UpdateError::Flash)?;
        }
        self.written = end;
        Ok(())
    }

    /// Erases the blocks that begin in `[start, end)`, which are the ones that writing there reaches first.
    fn erase<F: NorFlash>(&self, flash: &mut F, start: u32, end: u32) -> Result<(), UpdateError<F::Error>> {
        let block = F::ERASE_SIZE as u32;
        let (from, to) = (start.next_multiple_of(block), end.next_multiple_of(block));
        if from < to {
            flash.erase(from, to).map_err(UpdateError::Flash)?;
        }
        Ok(())
    }

    /// Verifies the whole blob where it lies, and notes it as the next boot's trial. Asked again, it says the same again. A signature
    /// takes long to check; it calls `alive` every few kilobytes of that.
    ///
    /// # Errors
    /// [`UpdateError`]: the first check that the blob fails. The device goes on with what it has.
    pub fn finish<F: Mapped>(
        &self,
        slots: &mut Slots,
        flash: &mut F,
        arena_capacity: usize,
        alive: impl FnMut(),
    ) -> Result<(), UpdateError<F::Error>> {
        if !F::WRITABLE {
            return Err(UpdateError::ReadOnly);
        }
        let (written, needed) = (self.written, self.header.total_len);
        if written != needed {
            return Err(UpdateError::Incomplete { written, needed });
        }
        let bytes = flash.bytes(self.region);
        let blob = match slots.key() {
            Some(key) => Blob::new_signed(bytes, key, alive)?,
            None => Blob::new_checked(bytes)?,
        };
        if *blob.header() != self.header {
            return Err(UpdateError::OtherBlob);
        }
        newer(slots, blob.header())?;
        let graph = blob.graph();
        if graph.arena_len() > arena_capacity {
            return Err(UpdateError::Arena {
                needed: graph.arena_len() as u32,
                available: arena_capacity as u32,
            });
        }
        check::accumulators(&graph, blob.parameters()).map_err(UpdateError::Graph)?;
        let entry = Entry {
            slot: self.slot,
            crc: self.header.crc,
            sequence: self.header.sequence,
        };
        let trial = Some(Trial { entry, begun: false });
        let state = State {
            trial,
            ..*slots.state()
        };
        slots.set(flash, state).map_err(UpdateError::State)
    }

    /// CRC-32/ISO-HDLC of bytes in the slot that an update would go to, by which a host finds out how far one came that was cut short.
    ///
    /// # Errors
    /// [`UpdateError::TooLarge`] if they are not inside.
    pub fn digest<F: Mapped>(
        slots: &Slots,
        flash: &F,
        served: Option<SlotId>,
        offset: u32,
        len: u32,
    ) -> Result<u32, UpdateError<F::Error>> {
        let region = slots.map().slot(Self::target(slots, served));
        let needed = offset.saturating_add(len);
        if needed > region.len {
            let available = region.len;
            return Err(UpdateError::TooLarge { needed, available });
        }
        let start = region.start + offset;
        Ok(CRC.checksum(flash.bytes(Region { start, len })))
    }
}

/// Refuses what was confirmed before, and what is older.
fn newer<E>(slots: &Slots, header: &Header) -> Result<(), UpdateError<E>> {
    let sequence = header.sequence;
    match slots.state().floor {
        Some(floor) if sequence <= floor => Err(UpdateError::NotNewer { sequence, floor }),
        _ => Ok(()),
    }
}
