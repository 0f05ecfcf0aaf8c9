//! Typed views into a blob's parameters, read where they lie.

use bytemuck::AnyBitPattern;

/// The parameters' bytes; their start is aligned to [`ALIGNMENT`](crate::blob::ALIGNMENT).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameters<'a>(&'a [u8]);

impl<'a> Parameters<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// `count` elements from `offset` on; `None` if they are misaligned or not all inside.
    pub(crate) fn slice<T: AnyBitPattern>(&self, offset: u32, count: usize) -> Option<&'a [T]> {
        let start = offset as usize;
        let end = start.checked_add(count.checked_mul(size_of::<T>())?)?;
        bytemuck::try_cast_slice(self.0.get(start..end)?).ok()
    }

    /// All words from `offset` on, as far as they are whole, where the blob's checks have proven that some begin there.
    ///
    /// # Panics
    /// If none can.
    #[inline]
    pub(crate) fn words_from(&self, offset: u32) -> &'a [u32] {
        let end = self.0.len() & !3;
        match self.0.get(offset as usize..end).map(bytemuck::try_cast_slice) {
            Some(Ok(words)) => words,
            _ => unreachable!("checked when the blob was opened"),
        }
    }

    /// As [`Parameters::slice`], where the blob's checks have proven it.
    ///
    /// # Panics
    /// If it was not proven.
    pub(crate) fn proven<T: AnyBitPattern>(&self, offset: u32, count: usize) -> &'a [T] {
        match self.slice(offset, count) {
            Some(slice) => slice,
            None => unreachable!("checked when the blob was opened"),
        }
    }
}
