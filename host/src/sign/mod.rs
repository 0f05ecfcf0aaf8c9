//! Signs blobs with ed25519 and numbers them, so that a device takes only what its owner made, and nothing older than it has.
//!
//! ```text
//! trident key new KEY       KEY, readable by its owner only, and KEY.pub
//! trident sign -k KEY FILE  blob ─► header: signed flag, number │ … │ signature ─► checksum
//! ```
//!
//! Keys are PEM files as other tools write them: PKCS #8 and SPKI (RFC 8410).

mod key;

use trident::blob::{ALIGNMENT, CRC, FORMAT_VERSION, HEADER_LEN, Header, SIGNED};
use trident::signature::SIGNATURE_LEN;
use trident::{Blob, BlobError};

pub use key::{KeyError, SecretKey, public_key};

use crate::quantize::writer::AlignedBytes;

/// The blob with that sequence number; a signature, which would not hold any more, is taken off.
///
/// # Errors
/// The bytes are no blob.
pub fn renumbered(bytes: &[u8], sequence: u32) -> Result<Vec<u8>, BlobError> {
    let (mut header, mut out) = unsigned(bytes)?;
    header.sequence = sequence;
    seal(&mut header, &mut out);
    Ok(out)
}

/// The blob, signed. A former signature is replaced. A blob of a version that knows no signatures becomes one of the present version.
///
/// # Errors
/// The bytes are no blob.
pub fn signed(bytes: &[u8], key: &SecretKey) -> Result<Vec<u8>, BlobError> {
    let (mut header, mut out) = unsigned(bytes)?;
    if header.known_flags() & SIGNED == 0 {
        raise(&mut header, &mut out);
    }
    header.flags |= SIGNED;
    header.total_len = u32::try_from(out.len() + SIGNATURE_LEN).map_err(|_| BlobError::Layout)?;
    out[..HEADER_LEN].copy_from_slice(&header.encode());
    let signature = key.sign(&out[4..]);
    out.extend_from_slice(&signature);
    seal(&mut header, &mut out);
    Ok(out)
}

/// A blob's header and bytes without signature; the checksum is still that of the blob as it was.
fn unsigned(bytes: &[u8]) -> Result<(Header, Vec<u8>), BlobError> {
    let bytes = AlignedBytes::copy_of(bytes);
    let mut header = *Blob::new_exact(bytes.as_ref())?.header();
    let end = header.parameters_end().ok_or(BlobError::Layout)?;
    header.flags &= !SIGNED;
    header.total_len = end as u32;
    Ok((header, bytes.as_ref()[..end].to_vec()))
}

/// Makes a blob of before version 4 one of version 4, which has one field more behind the metadata: no calibration statistics.
fn raise(header: &mut Header, bytes: &mut Vec<u8>) {
    let metadata_end = HEADER_LEN + header.metadata_len as usize;
    if metadata_end == header.parameters_offset as usize {
        bytes.splice(metadata_end..metadata_end, [0; ALIGNMENT]);
        header.parameters_offset += ALIGNMENT as u32;
    }
    bytes[metadata_end] = 0;
    header.metadata_len += 1;
    header.version = FORMAT_VERSION;
}

/// Writes the header, and the checksum last of all.
fn seal(header: &mut Header, bytes: &mut [u8]) {
    bytes[..HEADER_LEN].copy_from_slice(&header.encode());
    header.crc = CRC.checksum(&bytes[4..]);
    bytes[..HEADER_LEN].copy_from_slice(&header.encode());
}
