//! Why bytes are not a blob.

use super::{ALIGNMENT, FORMAT_VERSION, OLDEST_VERSION};
use crate::check::GraphError;

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
    /// A blob, but not the one that this firmware was built for: [`Pin`](crate::Pin).
    NotPinned {
        /// The checksum of the one that it was built for.
        pinned: u32,
        /// The checksum that stands here.
        found: u32,
    },
    /// It carries no signature, and one is required.
    Unsigned,
    /// Its signature is not the required key's, or not of these bytes.
    Signature,
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
            Self::NotPinned { pinned, found } => {
                write!(
                    f,
                    "not the model that this firmware was built for: CRC-32 {found:#010x} instead of {pinned:#010x}"
                )
            }
            Self::Unsigned => write!(f, "not signed, and this reader takes only signed blobs"),
            Self::Signature => write!(f, "not signed by the key that this reader trusts"),
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
