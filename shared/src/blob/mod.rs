//! The blob, `*.tri`: header, postcard metadata, raw parameters. `FORMAT.md` is its document.
//!
//! [`Blob::new_checked`] is the one door. What holding a [`Blob`] proves: length, magic, version and CRC are right, the metadata
//! decode, every name and golden vector lies inside, and the graph passed [`check`]: shapes fit, parameters
//! lie inside and are aligned, live tensors never overlap, work is bounded.

mod calibration;
mod checksum;
mod error;
mod header;
mod metadata;
mod reader;

use crate::check;
use crate::graph::Graph;
use crate::parameters::Parameters;
use crate::pin::Pin;
use crate::signature::{PublicKey, SIGNATURE_LEN};
use crate::spec::{Head, InputSlot};

pub use calibration::{Calibration, MAX_CALIBRATED_PIXELS, ReadingStatistics};
pub use checksum::{CRC, Crc32};
pub use error::BlobError;
use header::WITH_CALIBRATION;
pub use header::{FORMAT_VERSION, HEADER_LEN, Header, MAGIC, OLDEST_VERSION, SIGNED};
pub use metadata::{Golden, HeadDescription, InputDescription, Metadata, Provenance, Sequence, Span};
pub use reader::{Read, Reader};

/// Alignment of a blob's first byte and of its parameters, in bytes.
pub const ALIGNMENT: usize = 16;

/// A checked blob, borrowed where it lies: in flash, in a slot, in a host's file buffer.
#[derive(Clone, Copy, Debug)]
pub struct Blob<'a> {
    bytes: &'a [u8],
    header: Header,
    graph: Graph<'a>,
    parameters: Parameters<'a>,
}

impl<'a> Blob<'a> {
    /// Checks the blob at the start of `bytes`, in order: length, magic, version, CRC, metadata, graph. What follows it is
    /// ignored, as in a flash slot. Whoever wants to know who made it asks [`Blob::new_signed`].
    ///
    /// # Errors
    /// The first check that fails. No input makes it panic, or loop longer than the blob and the steps of its bands, at most
    /// [`check::MAX_TURNS`].
    pub fn new_checked(bytes: &'a [u8]) -> Result<Self, BlobError> {
        Self::check(bytes, |_, _| Ok(()))
    }

    /// As [`Blob::new_checked`], and the blob must be signed by that key. The signature is checked behind the CRC, before
    /// anything that the bytes say is followed. That takes long; it calls `alive` every few kilobytes, which may feed a watchdog.
    ///
    /// # Errors
    /// [`BlobError::Unsigned`] and [`BlobError::Signature`] besides those.
    pub fn new_signed(bytes: &'a [u8], key: &PublicKey, mut alive: impl FnMut()) -> Result<Self, BlobError> {
        Self::check(bytes, |header, bytes| {
            let (signed, signature) = header
                .parameters_end()
                .filter(|_| header.is_signed())
                .and_then(|end| bytes.split_at_checked(end))
                .ok_or(BlobError::Unsigned)?;
            let message = signed.get(4..).ok_or(BlobError::Layout)?;
            match <&[u8; SIGNATURE_LEN]>::try_from(signature) {
                Ok(signature) if key.verifies(message, signature, &mut alive) => Ok(()),
                _ => Err(BlobError::Signature),
            }
        })
    }

    fn check(
        bytes: &'a [u8],
        trusted: impl FnOnce(&Header, &[u8]) -> Result<(), BlobError>,
    ) -> Result<Self, BlobError> {
        check_alignment(bytes)?;
        let header = Header::decode(bytes)?;
        let bytes = start_of(bytes, header.total_len)?;
        check_crc(bytes, header.crc)?;
        if header.flags & !header.known_flags() != 0 {
            return Err(BlobError::Flags { found: header.flags });
        }
        trusted(&header, bytes)?;
        let parameters_end = header.parameters_end().ok_or(BlobError::Layout)?;
        let parameters_offset = header.parameters_offset as usize;
        let metadata_end = HEADER_LEN
            .checked_add(header.metadata_len as usize)
            .ok_or(BlobError::Layout)?;
        if metadata_end > parameters_offset
            || parameters_offset > parameters_end
            || !parameters_offset.is_multiple_of(ALIGNMENT)
        {
            return Err(BlobError::Layout);
        }
        let (metadata, calibrations) =
            decode(&bytes[HEADER_LEN..metadata_end], header.version).ok_or(BlobError::Metadata)?;
        if metadata.arithmetic != crate::arithmetic::NAME {
            return Err(BlobError::Arithmetic);
        }
        let graph = Graph::new(metadata.tensors, metadata.nodes, metadata.arena_len).ok_or(BlobError::Metadata)?;
        let parameters = &bytes[parameters_offset..parameters_end];
        check::graph(&graph, parameters)?;
        check::lifetimes(&graph)?;
        check::descriptions(&graph, &metadata, &calibrations, parameters)?;
        Ok(Self {
            bytes,
            header,
            graph,
            parameters: Parameters::new(parameters),
        })
    }

    /// As [`Blob::new_checked`], and nothing may follow the blob, as in a file.
    ///
    /// # Errors
    /// [`BlobError::Trailing`] besides those.
    pub fn new_exact(bytes: &'a [u8]) -> Result<Self, BlobError> {
        let blob = Self::new_checked(bytes)?;
        if blob.bytes.len() != bytes.len() {
            return Err(BlobError::Trailing {
                total_len: blob.bytes.len(),
                found: bytes.len(),
            });
        }
        Ok(blob)
    }

    /// The blob at the start of `bytes` that [`Pin`] knows by its checksum, and that was checked when it was pinned.
    pub(crate) fn new_pinned(bytes: &'a [u8], pin: &Pin) -> Result<Self, BlobError> {
        check_alignment(bytes)?;
        let bytes = start_of(bytes, pin.header.total_len)?;
        let found = bytes.first_chunk().map_or(0, |crc| u32::from_le_bytes(*crc));
        if found != pin.header.crc {
            return Err(BlobError::NotPinned {
                pinned: pin.header.crc,
                found,
            });
        }
        check_crc(bytes, found)?;
        let part = |span: &Span| span.of(bytes).ok_or(BlobError::Layout);
        let graph = Graph::new(part(&pin.tensors)?, part(&pin.nodes)?, pin.arena_len).ok_or(BlobError::Metadata)?;
        let parameters = pin.header.parameters_end();
        let parameters = parameters.and_then(|end| bytes.get(pin.header.parameters_offset as usize..end));
        Ok(Self {
            bytes,
            header: pin.header,
            graph,
            parameters: Parameters::new(parameters.ok_or(BlobError::Layout)?),
        })
    }

    /// The header.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The blob's bytes, without what follows it.
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The graph.
    pub const fn graph(&self) -> Graph<'a> {
        self.graph
    }

    /// Weights and tables, as the kernels read them.
    pub const fn parameters(&self) -> &'a [u8] {
        self.parameters.bytes()
    }

    /// The same in their types.
    pub(crate) const fn typed_parameters(&self) -> &Parameters<'a> {
        &self.parameters
    }

    /// The metadata, decoded anew.
    pub fn metadata(&self) -> Metadata<'a> {
        self.decoded().0
    }

    /// Where the statistics of training lie; none before version 4.
    pub fn calibrations(&self) -> Sequence<'a, Calibration> {
        self.decoded().1
    }

    /// What the readings of a slot were like in training: one for each, of a picture one for each colour. `None` if the blob does
    /// not tell, as before version 4.
    pub fn calibration(&self, slot: InputSlot) -> Option<&'a [ReadingStatistics]> {
        let readings = self
            .calibrations()
            .iter()
            .find(|calibration| calibration.slot == slot)?
            .readings;
        let count = readings.len as usize / size_of::<ReadingStatistics>();
        Some(self.parameters.proven(readings.offset, count))
    }

    fn decoded(&self) -> (Metadata<'a>, Sequence<'a, Calibration>) {
        let end = HEADER_LEN + self.header.metadata_len as usize;
        match decode(&self.bytes[HEADER_LEN..end], self.header.version) {
            Some(decoded) => decoded,
            None => unreachable!("decoded when the blob was checked"),
        }
    }

    /// What goes into a slot; `None` if the model has no such input.
    pub fn input(&self, slot: InputSlot) -> Option<InputDescription<'a>> {
        self.metadata().input(slot)
    }

    /// What comes out of a head; `None` if the model has no such head.
    pub fn head(&self, head: Head) -> Option<HeadDescription<'a>> {
        self.metadata()
            .heads
            .iter()
            .find(|description| description.head == head)
    }
}

fn check_alignment(bytes: &[u8]) -> Result<(), BlobError> {
    if (bytes.as_ptr() as usize).is_multiple_of(ALIGNMENT) {
        Ok(())
    } else {
        Err(BlobError::Misaligned)
    }
}

/// A blob's bytes, without what follows it.
fn start_of(bytes: &[u8], total_len: u32) -> Result<&[u8], BlobError> {
    let needed = total_len as usize;
    bytes.get(..needed).ok_or(BlobError::Truncated {
        needed,
        found: bytes.len(),
    })
}

fn check_crc(bytes: &[u8], stored: u32) -> Result<(), BlobError> {
    let computed = CRC.checksum(bytes.get(4..).ok_or(BlobError::Layout)?);
    if computed == stored {
        Ok(())
    } else {
        Err(BlobError::Crc { stored, computed })
    }
}

/// All that stands between header and parameters; nothing may follow it. One body for all that ask, since it is a large one.
#[inline(never)]
fn decode(bytes: &[u8], version: u16) -> Option<(Metadata<'_>, Sequence<'_, Calibration>)> {
    let mut reader = Reader::new(bytes);
    let metadata = Metadata::read(&mut reader)?;
    let calibrations = if version < WITH_CALIBRATION {
        Sequence::new(&[])
    } else {
        Sequence::read(&mut reader)?
    };
    reader.is_empty().then_some((metadata, calibrations))
}
