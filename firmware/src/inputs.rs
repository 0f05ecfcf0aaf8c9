//! Where inputs are gathered, chunk by chunk, until a run reads them.

use bytemuck::Pod;
use trident::wire::Refusal;
use trident::{InputSlot, Inputs, MAX_READINGS};

/// Buffers for all three inputs. An input counts as there once it has the model's length.
pub struct InputBuffers<const PICTURE_LEN: usize> {
    classification: Buffer<f32, MAX_READINGS>,
    picture: Buffer<u8, PICTURE_LEN>,
    regression: Buffer<f32, MAX_READINGS>,
}

impl<const PICTURE_LEN: usize> InputBuffers<PICTURE_LEN> {
    /// Empty buffers.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Self {
            classification: Buffer::new(0.0),
            picture: Buffer::new(0),
            regression: Buffer::new(0.0),
        }
    }

    /// Takes a chunk that begins `offset` bytes into an input.
    ///
    /// # Errors
    /// It leaves a gap, or reaches behind the buffer.
    pub fn put(&mut self, slot: InputSlot, offset: u32, bytes: &[u8]) -> Result<(), Refusal> {
        match slot {
            InputSlot::Classification => self.classification.put(slot, offset, bytes),
            InputSlot::Picture => self.picture.put(slot, offset, bytes),
            InputSlot::Regression => self.regression.put(slot, offset, bytes),
        }
    }

    /// What has arrived. An input that nothing arrived for is absent.
    pub fn inputs(&self) -> Inputs<'_> {
        Inputs {
            classification: self.classification.filled(),
            picture: self.picture.filled(),
            regression: self.regression.filled(),
        }
    }
}

/// One input's buffer; its first `filled_len` bytes have arrived, without gaps.
struct Buffer<T, const LEN: usize> {
    elements: [T; LEN],
    filled_len: usize,
}

impl<T: Pod, const LEN: usize> Buffer<T, LEN> {
    const fn new(zero: T) -> Self {
        let elements = [zero; LEN];
        Self {
            elements,
            filled_len: 0,
        }
    }

    fn put(&mut self, slot: InputSlot, offset: u32, bytes: &[u8]) -> Result<(), Refusal> {
        let filled_len = if offset == 0 { 0 } else { self.filled_len };
        let start = offset as usize;
        if start > filled_len {
            return Err(Refusal::InputGap {
                slot,
                filled: filled_len as u32,
                offset,
            });
        }
        let end = start.saturating_add(bytes.len());
        let memory: &mut [u8] = bytemuck::cast_slice_mut(&mut self.elements);
        let capacity = memory.len() as u32;
        let space = memory.get_mut(start..end).ok_or(Refusal::InputTooLarge {
            slot,
            needed: end as u32,
            capacity,
        })?;
        space.copy_from_slice(bytes);
        self.filled_len = filled_len.max(end);
        Ok(())
    }

    /// Whole elements only: a reading of which some bytes are missing does not count.
    fn filled(&self) -> Option<&[T]> {
        let len = self.filled_len / size_of::<T>();
        (len > 0).then(|| &self.elements[..len])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_add_up_to_an_input() {
        let mut buffers = InputBuffers::<8>::new();
        assert_eq!(buffers.inputs().picture, None);
        assert_eq!(buffers.put(InputSlot::Picture, 0, &[1, 2, 3]), Ok(()));
        assert_eq!(buffers.put(InputSlot::Picture, 3, &[4]), Ok(()));
        assert_eq!(buffers.put(InputSlot::Picture, 3, &[5]), Ok(()));
        assert_eq!(buffers.inputs().picture, Some(&[1, 2, 3, 5][..]));
        let readings = [1.5_f32, -2.0].map(f32::to_le_bytes).concat();
        assert_eq!(buffers.put(InputSlot::Regression, 0, &readings), Ok(()));
        assert_eq!(buffers.inputs().regression, Some(&[1.5, -2.0][..]));
        assert_eq!(buffers.put(InputSlot::Regression, 0, &readings[..3]), Ok(()));
        assert_eq!(buffers.inputs().regression, None);
    }

    #[test]
    fn gaps_and_overlong_inputs_are_refused() {
        let slot = InputSlot::Picture;
        let mut buffers = InputBuffers::<8>::new();
        assert_eq!(buffers.put(slot, 0, &[7; 4]), Ok(()));
        let (filled, offset) = (4, 5);
        assert_eq!(
            buffers.put(slot, offset, &[0]),
            Err(Refusal::InputGap { slot, filled, offset })
        );
        let (needed, capacity) = (9, 8);
        let too_large = Refusal::InputTooLarge { slot, needed, capacity };
        assert_eq!(buffers.put(slot, 4, &[0; 5]), Err(too_large));
        assert_eq!(buffers.inputs().picture, Some(&[7; 4][..]));
        assert!(buffers.put(slot, u32::MAX, &[0]).is_err());
    }
}
