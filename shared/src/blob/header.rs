//! The fixed-size start of a blob.

use super::BlobError;
use crate::signature::SIGNATURE_LEN;

/// Bytes of the header.
pub const HEADER_LEN: usize = 28;
/// The header's magic bytes.
pub const MAGIC: [u8; 4] = *b"TRI\0";
/// The format version that this crate writes.
pub const FORMAT_VERSION: u16 = 4;
/// The oldest format version that it reads, too.
pub const OLDEST_VERSION: u16 = 2;
/// The flag of a blob that ends in a signature; from version 4 on.
pub const SIGNED: u16 = 1 << 0;
/// The first version with signatures, and with calibration statistics behind the metadata.
pub(super) const WITH_CALIBRATION: u16 = 4;

/// The fixed-size start of a blob, little-endian, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// CRC-32/ISO-HDLC over `[4, total_len)`.
    pub crc: u32,
    /// [`OLDEST_VERSION`] to [`FORMAT_VERSION`].
    pub version: u16,
    /// [`SIGNED`], or 0.
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
    /// The flags that its version knows.
    pub const fn known_flags(&self) -> u16 {
        if self.version < WITH_CALIBRATION { 0 } else { SIGNED }
    }

    /// Whether the blob ends in a signature.
    pub const fn is_signed(&self) -> bool {
        self.flags & SIGNED != 0
    }

    /// Where the parameters end and the signature begins, if there is one; `None` if the blob is shorter than that.
    pub const fn parameters_end(&self) -> Option<usize> {
        let total_len = self.total_len as usize;
        if self.is_signed() {
            total_len.checked_sub(SIGNATURE_LEN)
        } else {
            Some(total_len)
        }
    }

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
}
