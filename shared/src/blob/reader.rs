//! Postcard as far as metadata use it: what [`postcard`] itself reads by serde, in a quarter of the code.

use super::calibration::Calibration;
use super::metadata::{Golden, HeadDescription, InputDescription, Metadata, Provenance, Sequence, Span};
use crate::spec::{Head, InputSlot, PixelScale, Shape};

/// Bytes that are still to be read.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

/// What can be read from a blob's metadata.
pub trait Read<'a>: Sized {
    /// The value that the bytes begin with, as postcard encodes it; `None` if they begin with none.
    fn read(reader: &mut Reader<'a>) -> Option<Self>;
}

impl<'a> Reader<'a> {
    /// Reads these bytes.
    pub const fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    /// Whether nothing is left.
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// How many bytes are left.
    pub(super) const fn len(&self) -> usize {
        self.rest.len()
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*array)
    }

    /// Seven bits a byte, the lowest first; all but the last have their highest bit set.
    #[inline(never)]
    fn varint(&mut self, bits: u32) -> Option<u32> {
        let (mut value, mut shift) = (0, 0);
        while shift < bits {
            let [byte] = self.array()?;
            value |= u64::from(byte & 0x7F) << shift;
            shift += 7;
            if byte < 0x80 {
                return u32::try_from(value).ok().filter(|_| value >> bits == 0);
            }
        }
        None
    }

    /// A length, and as many bytes.
    #[inline(never)]
    fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = self.varint(32)?;
        let (bytes, rest) = self.rest.split_at_checked(len as usize)?;
        self.rest = rest;
        Some(bytes)
    }
}

impl Read<'_> for u32 {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.varint(32)
    }
}

impl Read<'_> for u16 {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.varint(16).map(|value| value as u16)
    }
}

impl Read<'_> for f32 {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.array().map(Self::from_le_bytes)
    }
}

impl<'a> Read<'a> for &'a [u8] {
    fn read(reader: &mut Reader<'a>) -> Option<Self> {
        reader.bytes()
    }
}

impl<'a> Read<'a> for &'a str {
    #[inline(never)]
    fn read(reader: &mut Reader<'a>) -> Option<Self> {
        core::str::from_utf8(reader.bytes()?).ok()
    }
}

impl<'a, T: Read<'a>> Read<'a> for Option<T> {
    fn read(reader: &mut Reader<'a>) -> Option<Self> {
        match reader.array()? {
            [0] => Some(None),
            [1] => T::read(reader).map(Some),
            _ => None,
        }
    }
}

impl<'a, T: Read<'a>, U: Read<'a>> Read<'a> for (T, U) {
    fn read(reader: &mut Reader<'a>) -> Option<Self> {
        Some((T::read(reader)?, U::read(reader)?))
    }
}

/// One of several, by its number.
fn one_of<T: Copy>(all: &[T], reader: &mut Reader<'_>) -> Option<T> {
    all.get(reader.varint(32)? as usize).copied()
}

impl Read<'_> for InputSlot {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        one_of(&Self::ALL, reader)
    }
}

impl Read<'_> for Head {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        one_of(&Self::ALL, reader)
    }
}

impl Read<'_> for PixelScale {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        one_of(&[Self::Centred, Self::Unit], reader)
    }
}

/// Reads a structure field by field, in the order of its bytes.
macro_rules! fields {
    ($($name:ty { $($field:ident,)* })*) => {
        $(impl<'a> Read<'a> for $name {
            fn read(reader: &mut Reader<'a>) -> Option<Self> {
                Some(Self { $($field: Read::read(reader)?,)* })
            }
        })*
    };
}

fields! {
    Shape { h, w, c, }
    Span { offset, len, }
    Calibration { slot, readings, }
    InputDescription<'a> { slot, shape, pixels, names, }
    HeadDescription<'a> { head, name, classes, threshold, }
    Golden { inputs, probabilities, logits_crc, value_bits, }
    Provenance<'a> { tool, model, data_sha256, metrics, }
    Metadata<'a> { arithmetic, arena_len, tensors, nodes, inputs, heads, golden, provenance, }
}

impl Read<'_> for [Span; 3] {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some([Read::read(reader)?, Read::read(reader)?, Read::read(reader)?])
    }
}

impl Read<'_> for [u8; 32] {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.array()
    }
}

impl<'a, T> Read<'a> for Sequence<'a, T> {
    fn read(reader: &mut Reader<'a>) -> Option<Self> {
        reader.bytes().map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;
    use std::vec::Vec;

    use serde::Deserialize;

    use super::*;

    /// What this reader makes of bytes, and how many it leaves, is what postcard does.
    fn read_alike<'a, T: Read<'a> + Deserialize<'a> + Debug>(bytes: &'a [u8]) {
        let mut reader = Reader::new(bytes);
        let own = T::read(&mut reader).map(|value| (std::format!("{value:?}"), reader.len()));
        let reference = postcard::take_from_bytes::<T>(bytes).ok();
        let reference = reference.map(|(value, rest)| (std::format!("{value:?}"), rest.len()));
        assert_eq!(own, reference, "{bytes:02x?}");
    }

    #[test]
    fn numbers_are_those_of_postcard_overlong_ones_too() {
        for first in [0x00, 0x03, 0x7F, 0x80, 0x83, 0xFF] {
            for second in [0x00, 0x7F, 0x80, 0xFF] {
                for last in [0x00, 0x03, 0x04, 0x0F, 0x10, 0x7F, 0x80, 0xFF] {
                    for bytes in [
                        &[first, second, last][..],
                        &[first, second, last, last],
                        &[first, second, 0x80, 0x80, last],
                        &[first, second, 0xFF, 0xFF, last, 0],
                    ] {
                        read_alike::<u16>(bytes);
                        read_alike::<u32>(bytes);
                        read_alike::<Option<u32>>(bytes);
                        read_alike::<InputSlot>(bytes);
                        read_alike::<PixelScale>(bytes);
                    }
                }
            }
        }
    }

    #[test]
    fn metadata_are_those_of_postcard_whole_cut_and_changed() {
        let span = |offset| Span { offset, len: 300 };
        let golden = Golden {
            inputs: [span(0), span(200), span(70_000)],
            probabilities: span(1 << 31),
            logits_crc: Some(0xCBF4_3926),
            value_bits: None,
        };
        let golden = postcard::to_extend(&golden, Vec::new()).unwrap();
        let metadata = Metadata {
            arithmetic: crate::arithmetic::NAME,
            arena_len: 7808,
            tensors: &[1; 20],
            nodes: &[2; 32],
            inputs: Sequence::new(&[1, 32, 32, 3, 1, 0]),
            heads: Sequence::new(&[1, 2, 0xC3, 0xA9, 0, 0, 0, 0, 0x3F]),
            golden: Sequence::new(&golden),
            provenance: Provenance {
                tool: "trident 0.1.0",
                model: "edge",
                data_sha256: [7; 32],
                metrics: Sequence::new(&[]),
            },
        };
        let bytes = postcard::to_extend(&metadata, Vec::new()).unwrap();
        for len in 0..=bytes.len() {
            read_alike::<Metadata<'_>>(&bytes[..len]);
        }
        for at in 0..bytes.len() {
            for value in [0, 1, 0x7F, 0x80, 0xFF] {
                let mut changed = bytes.clone();
                changed[at] = value;
                read_alike::<Metadata<'_>>(&changed);
            }
        }
        for at in 0..golden.len() {
            let mut changed = golden.clone();
            changed[at] ^= 0xFF;
            read_alike::<Golden>(&changed);
            read_alike::<Golden>(&golden[..at]);
        }
        read_alike::<InputDescription<'_>>(metadata_bytes(&metadata.inputs));
        read_alike::<HeadDescription<'_>>(metadata_bytes(&metadata.heads));
        read_alike::<(&str, f32)>(&[1, b'x', 0, 0, 0x80, 0x3F]);
        read_alike::<Calibration>(&[2, 0x80, 0x01, 16]);
    }

    fn metadata_bytes<'a, T>(sequence: &Sequence<'a, T>) -> &'a [u8] {
        sequence.bytes()
    }
}
