//! Typed views into a blob's parameters, read where they lie.

use bytemuck::AnyBitPattern;

/// The parameters' bytes; their start is aligned to [`ALIGNMENT`](crate::blob::ALIGNMENT).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameters<'a> {
    bytes: &'a [u8],
    /// The same bytes, as far as they are whole words; none of them if they are misaligned.
    words: &'a [u32],
}

impl<'a> Parameters<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        let whole = &bytes[..bytes.len() & !3];
        let words = bytemuck::try_cast_slice(whole).unwrap_or_default();
        Self { bytes, words }
    }

    pub(crate) const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// `count` elements from `offset` on; `None` if they are misaligned or not all inside.
    pub(crate) fn slice<T: AnyBitPattern>(&self, offset: u32, count: usize) -> Option<&'a [T]> {
        let start = offset as usize;
        let end = start.checked_add(count.checked_mul(size_of::<T>())?)?;
        bytemuck::try_cast_slice(self.bytes.get(start..end)?).ok()
    }

    /// All words from `offset` on, where the blob's checks have proven that some begin there.
    ///
    /// # Panics
    /// If none can.
    #[inline(always)]
    pub(crate) fn words_from(&self, offset: u32) -> &'a [u32] {
        match self.words.get(offset as usize / 4..) {
            Some(words) => words,
            None => unreachable!("checked when the blob was opened or pinned"),
        }
    }

    /// As [`Parameters::slice`], where the blob's checks have proven it.
    ///
    /// # Panics
    /// If it was not proven.
    pub(crate) fn proven<T: AnyBitPattern>(&self, offset: u32, count: usize) -> &'a [T] {
        match self.slice(offset, count) {
            Some(slice) => slice,
            None => unreachable!("checked when the blob was opened or pinned"),
        }
    }
}
