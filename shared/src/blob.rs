//! The blob, `*.tri`: header, postcard metadata, raw parameters. `FORMAT.md` is its document.
//!
//! [`Blob::new_checked`] is the one door. What holding a [`Blob`] proves: length, magic, version and CRC are right, the metadata
//! decode, every name and golden vector lies inside, and the graph passed [`check`]: shapes fit, parameters
//! lie inside and are aligned, live tensors never overlap, work is bounded.

use core::marker::PhantomData;

use serde::{Deserialize, Serialize};

use crate::check::{self, GraphError};
use crate::graph::Graph;
use crate::parameters::Parameters;
use crate::spec::{Head, InputSlot, PixelScale, Shape};

/// Bytes of the header.
pub const HEADER_LEN: usize = 28;
/// The header's magic bytes.
pub const MAGIC: [u8; 4] = *b"TRI\0";
/// The format version that this crate writes.
pub const FORMAT_VERSION: u16 = 3;
/// The oldest format version that it reads, too.
pub const OLDEST_VERSION: u16 = 2;
/// Alignment of a blob's first byte and of its parameters, in bytes.
pub const ALIGNMENT: usize = 16;
/// The checksum of blobs and frames: CRC-32/ISO-HDLC.
pub const CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);

/// The fixed-size start of a blob, little-endian, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// CRC-32/ISO-HDLC over `[4, total_len)`.
    pub crc: u32,
    /// [`OLDEST_VERSION`] to [`FORMAT_VERSION`].
    pub version: u16,
    /// None is defined.
    pub flags: u16,
    /// Length of the whole blob, in bytes.
    pub total_len: u32,
    /// The model's sequence number: a newer model has a larger one.
    pub sequence: u32,
    /// Length of the metadata, which follow the header, in bytes.
    pub metadata_len: u32,
    /// Where the parameters begin, in bytes from the blob's start.
    pub parameters_offset: u32,
}

impl Header {
    /// The header's bytes.
    pub fn encode(&self) -> [u8; HEADER_LEN] {
        let mut out = [0; HEADER_LEN];
        out[0..4].copy_from_slice(&self.crc.to_le_bytes());
        out[4..8].copy_from_slice(&MAGIC);
        out[8..10].copy_from_slice(&self.version.to_le_bytes());
        out[10..12].copy_from_slice(&self.flags.to_le_bytes());
        out[12..16].copy_from_slice(&self.total_len.to_le_bytes());
        out[16..20].copy_from_slice(&self.sequence.to_le_bytes());
        out[20..24].copy_from_slice(&self.metadata_len.to_le_bytes());
        out[24..28].copy_from_slice(&self.parameters_offset.to_le_bytes());
        out
    }

    /// Reads the header at the start of `bytes`.
    ///
    /// # Errors
    /// [`BlobError::Truncated`], [`BlobError::Magic`] or [`BlobError::Version`]; nothing behind the header is looked at.
    pub fn decode(bytes: &[u8]) -> Result<Self, BlobError> {
        let Some(header) = bytes.first_chunk::<HEADER_LEN>() else {
            return Err(BlobError::Truncated {
                needed: HEADER_LEN,
                found: bytes.len(),
            });
        };
        let word = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let half = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
        let magic = [header[4], header[5], header[6], header[7]];
        if magic != MAGIC {
            return Err(BlobError::Magic { found: magic });
        }
        let version = half(8);
        if !(OLDEST_VERSION..=FORMAT_VERSION).contains(&version) {
            return Err(BlobError::Version { found: version });
        }
        Ok(Self {
            crc: word(0),
            version,
            flags: half(10),
            total_len: word(12),
            sequence: word(16),
            metadata_len: word(20),
            parameters_offset: word(24),
        })
    }
}

/// Postcard elements one behind the other, decoded as they are read.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Sequence<'a, T> {
    #[serde(borrow)]
    bytes: &'a [u8],
    #[serde(skip)]
    element: PhantomData<fn() -> T>,
}

impl<'a, T: Deserialize<'a>> Sequence<'a, T> {
    /// A view of encoded elements.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            element: PhantomData,
        }
    }

    /// The elements; the first that does not decode ends the iteration.
    pub fn iter(&self) -> impl Iterator<Item = T> + use<'a, T> {
        let mut rest = self.bytes;
        core::iter::from_fn(move || {
            let (element, after) = postcard::take_from_bytes(rest).ok().filter(|_| !rest.is_empty())?;
            rest = after;
            Some(element)
        })
    }

    /// How many elements there are; `None` if the bytes are not whole elements.
    pub fn checked_len(&self) -> Option<usize> {
        let (mut rest, mut count) = (self.bytes, 0);
        while !rest.is_empty() {
            let (_, after) = postcard::take_from_bytes::<T>(rest)
                .ok()
                .filter(|(_, after)| after.len() < rest.len())?;
            rest = after;
            count += 1;
        }
        Some(count)
    }
}

/// What goes into a slot.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct InputDescription<'a> {
    /// The slot.
    pub slot: InputSlot,
    /// What the caller hands over: `[1, 1, readings]` or `[h, w, 3]`.
    pub shape: Shape,
    /// What a pixel's byte stands for; without meaning for readings.
    pub pixels: PixelScale,
    /// Names of the readings, in order, or none for a picture.
    #[serde(borrow)]
    pub names: Sequence<'a, &'a str>,
}

/// What comes out of a head.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct HeadDescription<'a> {
    /// The head.
    pub head: Head,
    /// What it tells: the label's or target's name.
    #[serde(borrow)]
    pub name: &'a str,
    /// Class names in order, or none for regression.
    #[serde(borrow)]
    pub classes: Sequence<'a, &'a str>,
    /// With two classes: the second is told from this probability on.
    pub threshold: f32,
}

/// Bytes inside the parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Where they begin, from the parameters' start.
    pub offset: u32,
    /// How many they are.
    pub len: u32,
}

impl Span {
    /// Its bytes; `None` if they do not lie inside.
    pub fn of<'a>(&self, parameters: &'a [u8]) -> Option<&'a [u8]> {
        let start = self.offset as usize;
        parameters.get(start..start.checked_add(self.len as usize)?)
    }
}

/// One golden vector: inputs as they are handed over, and what every head must answer, to the bit.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Golden {
    /// Inputs per slot, by the slot's number: `f32` readings or picture bytes; empty where the model has no such slot.
    pub inputs: [Span; 3],
    /// Probabilities of the classification head, `f32`; empty without that head.
    pub probabilities: Span,
    /// CRC-32/ISO-HDLC of the segmentation head's codes.
    pub logits_crc: Option<u32>,
    /// Bits of the regression head's value.
    pub value_bits: Option<u32>,
}

/// Where a model comes from.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Provenance<'a> {
    /// Name and version of the tool that wrote the blob.
    pub tool: &'a str,
    /// The model's preset or name.
    pub model: &'a str,
    /// SHA-256 of the data it was trained on.
    pub data_sha256: [u8; 32],
    /// Figures of the int8 model on the test split at export: name and value.
    #[serde(borrow)]
    pub metrics: Sequence<'a, (&'a str, f32)>,
}

/// All that stands between header and parameters.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Metadata<'a> {
    /// [`arithmetic::NAME`](crate::arithmetic::NAME).
    pub arithmetic: &'a str,
    /// Bytes of arena that the graph needs.
    pub arena_len: u32,
    /// Tensor records, behind zeros that make them begin at a word.
    pub tensors: &'a [u8],
    /// Node records, likewise.
    pub nodes: &'a [u8],
    /// One per input slot.
    #[serde(borrow)]
    pub inputs: Sequence<'a, InputDescription<'a>>,
    /// One per head.
    #[serde(borrow)]
    pub heads: Sequence<'a, HeadDescription<'a>>,
    /// The boot self-test.
    #[serde(borrow)]
    pub golden: Sequence<'a, Golden>,
    /// Where the model comes from.
    #[serde(borrow)]
    pub provenance: Provenance<'a>,
}

/// Why bytes are not a blob, in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BlobError {
    /// The first byte is not aligned to [`ALIGNMENT`].
    Misaligned,
    /// Fewer bytes than the header or `total_len` asks for.
    Truncated {
        /// Bytes that should be there.
        needed: usize,
        /// Bytes that are.
        found: usize,
    },
    /// Not a blob at all.
    Magic {
        /// What stands where the magic belongs.
        found: [u8; 4],
    },
    /// A format version that this crate does not read.
    Version {
        /// The version.
        found: u16,
    },
    /// Flags that this crate does not know.
    Flags {
        /// The flags.
        found: u16,
    },
    /// The checksum differs: bytes are damaged.
    Crc {
        /// What the header says.
        stored: u32,
        /// What the bytes give.
        computed: u32,
    },
    /// Lengths or offsets in the header contradict each other.
    Layout,
    /// The metadata do not decode.
    Metadata,
    /// Another arithmetic than [`arithmetic::NAME`](crate::arithmetic::NAME).
    Arithmetic,
    /// Bytes follow the blob where none may.
    Trailing {
        /// The blob's own length.
        total_len: usize,
        /// Bytes that are there.
        found: usize,
    },
    /// The graph breaks a rule.
    Graph(GraphError),
}

impl core::fmt::Display for BlobError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Misaligned => write!(f, "the blob does not begin on a {ALIGNMENT}-byte boundary"),
            Self::Truncated { needed, found } => write!(f, "truncated: {needed} bytes needed, {found} found"),
            Self::Magic { found } => write!(f, "not a trident blob: magic bytes are {found:02x?}"),
            Self::Version { found } => write!(
                f,
                "format version {found}, this reader knows {OLDEST_VERSION} to {FORMAT_VERSION}"
            ),
            Self::Flags { found } => write!(f, "unknown flags {found:#06x}"),
            Self::Crc { stored, computed } => {
                write!(f, "damaged: CRC-32 stored {stored:#010x}, computed {computed:#010x}")
            }
            Self::Layout => write!(f, "lengths in the header contradict each other"),
            Self::Metadata => write!(f, "the metadata do not decode"),
            Self::Arithmetic => write!(f, "made for another arithmetic than {}", crate::arithmetic::NAME),
            Self::Trailing { total_len, found } => {
                write!(
                    f,
                    "{} bytes follow the blob of {total_len}",
                    found.saturating_sub(*total_len)
                )
            }
            Self::Graph(error) => write!(f, "{error}"),
        }
    }
}

impl core::error::Error for BlobError {}

impl From<GraphError> for BlobError {
    fn from(error: GraphError) -> Self {
        Self::Graph(error)
    }
}

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
    /// ignored, as in a flash slot.
    ///
    /// # Errors
    /// The first check that fails. No input makes it panic, or loop longer than the blob and the steps of its bands, at most
    /// [`check::MAX_TURNS`].
    pub fn new_checked(bytes: &'a [u8]) -> Result<Self, BlobError> {
        if !(bytes.as_ptr() as usize).is_multiple_of(ALIGNMENT) {
            return Err(BlobError::Misaligned);
        }
        let header = Header::decode(bytes)?;
        let total_len = header.total_len as usize;
        let bytes = bytes.get(..total_len).ok_or(BlobError::Truncated {
            needed: total_len,
            found: bytes.len(),
        })?;
        let computed = CRC.checksum(bytes.get(4..).ok_or(BlobError::Layout)?);
        if computed != header.crc {
            return Err(BlobError::Crc {
                stored: header.crc,
                computed,
            });
        }
        if header.flags != 0 {
            return Err(BlobError::Flags { found: header.flags });
        }
        let parameters_offset = header.parameters_offset as usize;
        let metadata_end = HEADER_LEN
            .checked_add(header.metadata_len as usize)
            .ok_or(BlobError::Layout)?;
        if metadata_end > parameters_offset
            || parameters_offset > total_len
            || !parameters_offset.is_multiple_of(ALIGNMENT)
        {
            return Err(BlobError::Layout);
        }
        let (metadata, []) = postcard::take_from_bytes::<Metadata<'a>>(&bytes[HEADER_LEN..metadata_end])
            .map_err(|_| BlobError::Metadata)?
        else {
            return Err(BlobError::Metadata);
        };
        if metadata.arithmetic != crate::arithmetic::NAME {
            return Err(BlobError::Arithmetic);
        }
        let graph = Graph::new(metadata.tensors, metadata.nodes, metadata.arena_len).ok_or(BlobError::Metadata)?;
        let parameters = &bytes[parameters_offset..];
        check::graph(&graph, parameters)?;
        check::descriptions(&graph, &metadata, parameters)?;
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
        let end = HEADER_LEN + self.header.metadata_len as usize;
        match postcard::from_bytes(&self.bytes[HEADER_LEN..end]) {
            Ok(metadata) => metadata,
            Err(_) => unreachable!("new_checked decoded these bytes"),
        }
    }

    /// What goes into a slot; `None` if the model has no such input.
    pub fn input(&self, slot: InputSlot) -> Option<InputDescription<'a>> {
        self.metadata().inputs.iter().find(|input| input.slot == slot)
    }

    /// What comes out of a head; `None` if the model has no such head.
    pub fn head(&self, head: Head) -> Option<HeadDescription<'a>> {
        self.metadata()
            .heads
            .iter()
            .find(|description| description.head == head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: Header = Header {
        crc: 0x0403_0201,
        version: 2,
        flags: 0x0605,
        total_len: 0x0A09_0807,
        sequence: 0x0E0D_0C0B,
        metadata_len: 0x1211_100F,
        parameters_offset: 0x1615_1413,
    };
    const HEADER_BYTES: [u8; HEADER_LEN] = [
        1, 2, 3, 4, b'T', b'R', b'I', 0, 2, 0, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
    ];

    #[test]
    fn the_header_is_these_bytes() {
        assert_eq!(HEADER.encode(), HEADER_BYTES);
        assert_eq!(Header::decode(&HEADER_BYTES), Ok(HEADER));
    }

    #[test]
    fn the_checksum_is_iso_hdlc() {
        assert_eq!(CRC.checksum(b"123456789"), 0xCBF4_3926); // the catalogue's check value
    }

    #[test]
    fn headers_are_refused_in_order() {
        let (needed, found) = (HEADER_LEN, HEADER_LEN - 1);
        assert_eq!(
            Header::decode(&[0; HEADER_LEN - 1]),
            Err(BlobError::Truncated { needed, found })
        );
        let mut bytes = HEADER_BYTES;
        bytes[8] = 1;
        assert_eq!(Header::decode(&bytes), Err(BlobError::Version { found: 1 }));
        bytes[4] = b'X';
        assert_eq!(Header::decode(&bytes), Err(BlobError::Magic { found: *b"XRI\0" }));
    }

    #[test]
    fn sequences_decode_as_they_are_read() {
        let words: Sequence<'_, &str> = Sequence::new(&[2, b'o', b'h', 0, 1, b'!']);
        assert!(words.iter().eq(["oh", "", "!"]));
        assert_eq!(words.checked_len(), Some(3));
        let none: Sequence<'_, &str> = Sequence::new(&[]);
        assert_eq!((none.iter().count(), none.checked_len()), (0, Some(0)));
        // The second string lacks a byte; and is no text.
        for bytes in [&[1, b'a', 2, b'b'][..], &[1, b'a', 1, 0xFF]] {
            let broken: Sequence<'_, &str> = Sequence::new(bytes);
            assert!(broken.iter().eq(["a"]));
            assert_eq!(broken.checked_len(), None);
        }
        // Elements of no bytes would never end.
        assert_eq!(Sequence::<'_, ()>::new(&[0]).checked_len(), None);
    }

    #[test]
    fn spans_lie_inside_or_give_nothing() {
        let span = |offset, len| Span { offset, len };
        let bytes = [1, 2, 3];
        assert_eq!(span(1, 2).of(&bytes), Some(&[2, 3][..]));
        assert_eq!(span(3, 0).of(&bytes), Some(&[][..]));
        for outside in [span(4, 0), span(3, 1), span(0, 4), span(u32::MAX, u32::MAX)] {
            assert_eq!(outside.of(&bytes), None);
        }
    }
}
