//! Parameters and blob as bytes.

use bytemuck::NoUninit;
use serde::Serialize;
use trident::blob::{ALIGNMENT, CRC, FORMAT_VERSION, HEADER_LEN, Header};
use trident::blob::{Calibration, Metadata, Sequence, Span};

/// Bytes that begin on the boundary a blob needs.
#[derive(Clone, Debug, Default)]
pub struct AlignedBytes {
    words: Vec<u128>,
    len: usize,
}

impl AlignedBytes {
    /// Zeros.
    pub fn zeroed(len: usize) -> Self {
        Self {
            words: vec![0; len.div_ceil(size_of::<u128>())],
            len,
        }
    }

    /// A copy on the right boundary.
    pub fn copy_of(bytes: &[u8]) -> Self {
        let mut aligned = Self::zeroed(bytes.len());
        aligned.as_mut().copy_from_slice(bytes);
        aligned
    }
}

impl AsRef<[u8]> for AlignedBytes {
    fn as_ref(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.len]
    }
}

impl AsMut<[u8]> for AlignedBytes {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.words)[..self.len]
    }
}

/// Collects weights and tables in the order the kernels read them.
#[derive(Clone, Debug, Default)]
pub struct ParameterWriter {
    bytes: Vec<u8>,
}

impl ParameterWriter {
    /// Appends elements on a 4-byte boundary and says where they begin.
    pub fn push<T: NoUninit>(&mut self, elements: &[T]) -> u32 {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        let offset = self.bytes.len();
        self.bytes.extend_from_slice(bytemuck::cast_slice(elements));
        u32::try_from(offset).expect("parameters stay below 4 GiB")
    }

    /// As [`ParameterWriter::push`], as a span.
    pub fn span<T: NoUninit>(&mut self, elements: &[T]) -> Span {
        let offset = self.push(elements);
        Span {
            offset,
            len: size_of_val(elements) as u32,
        }
    }

    /// What was written.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Postcard elements one behind the other, as [`trident::blob::Sequence`] reads them.
pub fn sequence<T: Serialize>(elements: impl IntoIterator<Item = T>) -> Vec<u8> {
    let encode = |element: T| postcard::to_stdvec(&element).expect("plain data always encode");
    elements.into_iter().flat_map(encode).collect()
}

/// A table of records behind as many zeros as make them begin at a word, where `before` stands before it in the metadata.
pub fn on_words(before: &impl Serialize, mut records: Vec<u8>) -> Vec<u8> {
    let encoded = |len: usize| postcard::to_stdvec(&len).expect("plain data always encode").len();
    let before = HEADER_LEN + postcard::to_stdvec(before).expect("plain data always encode").len();
    let begins_at = |zeros: &usize| before + encoded(records.len() + zeros) + zeros;
    let zeros = (0..4).find(|zeros| begins_at(zeros).is_multiple_of(4)).unwrap_or(0);
    records.splice(0..0, vec![0; zeros]);
    records
}

/// A whole blob: header, metadata, padding, parameters, checksum.
pub fn blob(metadata: &Metadata<'_>, calibrations: &[Calibration], parameters: &[u8], number: u32) -> AlignedBytes {
    let calibrations = sequence(calibrations);
    let calibrations: Sequence<'_, Calibration> = Sequence::new(&calibrations);
    let metadata = postcard::to_stdvec(&(metadata, calibrations)).expect("plain data always encode");
    let parameters_offset = (HEADER_LEN + metadata.len()).next_multiple_of(ALIGNMENT);
    let total_len = parameters_offset + parameters.len();
    let mut header = Header {
        crc: 0,
        version: FORMAT_VERSION,
        flags: 0,
        total_len: u32::try_from(total_len).expect("blobs stay below 4 GiB"),
        sequence: number,
        metadata_len: metadata.len() as u32,
        parameters_offset: parameters_offset as u32,
    };
    let mut out = AlignedBytes::zeroed(total_len);
    let bytes = out.as_mut();
    bytes[HEADER_LEN..HEADER_LEN + metadata.len()].copy_from_slice(&metadata);
    bytes[parameters_offset..].copy_from_slice(parameters);
    bytes[..HEADER_LEN].copy_from_slice(&header.encode());
    header.crc = CRC.checksum(&bytes[4..]);
    bytes[..HEADER_LEN].copy_from_slice(&header.encode());
    out
}
