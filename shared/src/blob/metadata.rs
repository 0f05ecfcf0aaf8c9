//! What stands between header and parameters, read where it lies.

use core::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::reader::{Read, Reader};
use crate::spec::{Head, InputSlot, PixelScale, Shape};

/// Postcard elements one behind the other, decoded as they are read.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Sequence<'a, T> {
    #[serde(borrow)]
    bytes: &'a [u8],
    #[serde(skip)]
    element: PhantomData<fn() -> T>,
}

impl<'a, T> Sequence<'a, T> {
    /// A view of encoded elements.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            element: PhantomData,
        }
    }

    /// The encoded elements.
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

impl<'a, T: Read<'a>> Sequence<'a, T> {
    /// The elements; the first that does not decode ends the iteration.
    pub fn iter(&self) -> impl Iterator<Item = T> + use<'a, T> {
        let mut reader = Reader::new(self.bytes);
        core::iter::from_fn(move || if reader.is_empty() { None } else { T::read(&mut reader) })
    }

    /// How many elements there are; `None` if the bytes are not whole elements.
    pub fn checked_len(&self) -> Option<usize> {
        let (mut reader, mut count) = (Reader::new(self.bytes), 0);
        while !reader.is_empty() {
            let before = reader.len();
            T::read(&mut reader).filter(|_| reader.len() < before)?;
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

impl<'a> Metadata<'a> {
    /// What goes into a slot; `None` if the model has no such input.
    #[inline(never)]
    pub fn input(&self, slot: InputSlot) -> Option<InputDescription<'a>> {
        self.inputs.iter().find(|input| input.slot == slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
