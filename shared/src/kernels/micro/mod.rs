//! Register-blocked inner loops: one output tile each, over parameters in the order of [`layout`](crate::layout).
//!
//! The operators beside this module walk over pixels, borders and channel groups; what they call here does nothing but multiply
//! and store. Each instruction set supplies the same functions under the same names: `portable` in plain Rust, for any core,
//! and `dsp` in assembly for cores that have the Armv7E-M SIMD instructions. Both give the same bits for any bytes, and a
//! self-test on the target says so.
//!
//! # Units
//! A *word* holds two `i16`, the lower-numbered in the low half. Four codes `c0 c1 c2 c3` widen to the words `(c0, c2)`
//! and `(c1, c3)`, since that is what one byte-extracting instruction gives; parameters follow the same order.

pub mod portable;

#[cfg(dsp)]
pub mod dsp;

#[cfg(helium)]
pub mod helium;

#[cfg(all(dsp, not(helium)))]
pub use dsp::bytes;
#[cfg(dsp)]
pub use dsp::{depthwise, linear, narrow, tile, upsample, winograd};
#[cfg(helium)]
pub use helium::bytes;
#[cfg(not(dsp))]
pub use portable::{bytes, depthwise, linear, narrow, tile, upsample, winograd};

/// Words that four codes widen to.
pub const WORDS_PER_QUAD: usize = 2;

/// Where in an arena a layer reads one row of codes and writes another row.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    /// The first code that is read.
    pub from: usize,
    /// How many are read.
    pub columns: usize,
    /// The first output.
    pub to: usize,
    /// How many there are.
    pub rows: usize,
    /// Words of scratch memory.
    pub scratch: usize,
}

/// Where four neighbouring channels of a row of pixels lie: the first pixel's are `codes[..4]`, each further pixel's `pitch` bytes on.
///
/// A pitch of zero repeats the same four codes for every pixel: that is a row of padding.
#[derive(Clone, Copy, Debug)]
pub struct Quads<'a> {
    /// The codes, from the first pixel's four on.
    pub codes: &'a [i8],
    /// Bytes from pixel to pixel.
    pub pitch: usize,
}

/// Where the codes of one kernel row lie, under a row of windows.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// Codes that hold all that the windows cover.
    pub codes: &'a [i8],
    /// Where the first window's begin, behind as many codes as [`tile::codes_before`] tells.
    pub first: usize,
    /// Codes from one window's to the next; zero repeats the same for every window: that is a row of padding.
    pub step: usize,
}

/// Pairs of neighbouring windows.
#[derive(Clone, Copy, Debug)]
pub struct Windows<'a> {
    /// The kernel's rows, at most [`MAX_LINES`].
    pub lines: &'a [Line<'a>],
    /// Codes of a window in each of them.
    pub segment: usize,
    /// How many pairs.
    pub pairs: usize,
}

/// The most rows that a kernel has.
pub const MAX_LINES: usize = 7;

/// Columns of one code beside the pixels of a row, such as padding.
#[derive(Clone, Copy, Debug)]
pub struct Border {
    /// The code.
    pub code: i8,
    /// Columns before the first pixel.
    pub left: usize,
    /// Columns after the last pixel.
    pub right: usize,
}

impl<'a> Quads<'a> {
    /// The four channels from `first` on instead of the first four; padding is the same for all.
    #[inline(always)]
    pub(crate) fn at_channel(&self, first: usize) -> Quads<'a> {
        let codes = if self.pitch > 0 {
            &self.codes[first..]
        } else {
            self.codes
        };
        Quads { codes, ..*self }
    }
}

#[cfg(dsp)]
impl Quads<'_> {
    /// Whether so many pixels lie inside.
    pub(crate) const fn holds(&self, pixels: usize) -> bool {
        self.holds_all(4, pixels)
    }

    /// Whether so many channels, four at least, of so many pixels lie inside; of padding, four serve for all.
    const fn holds_all(&self, channels: usize, pixels: usize) -> bool {
        let channels = if self.pitch == 0 { 4 } else { channels };
        // A product that saturates is longer than any slice.
        pixels == 0 || (pixels - 1).saturating_mul(self.pitch).saturating_add(channels) <= self.codes.len()
    }

    /// Whether all rows do: see [`Quads::holds_all`].
    #[inline(never)]
    pub(crate) fn all_hold(rows: &[Self], channels: usize, pixels: usize) -> bool {
        rows.iter().all(|row| row.holds_all(channels, pixels))
    }
}
