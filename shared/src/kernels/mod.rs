//! One file per operator, each a step: as many rows of its output as there is place for, from rows of its input. Shapes come from
//! the graph; nothing here can fail, since the blob's checks have proven that shapes, parameters and accumulators fit.
//!
//! An operator walks over pixels, borders and channels; the products are left to the inner loops in [`micro`].

pub mod conv2d;
pub mod depthwise;
pub mod elementwise;
pub mod linear;
pub mod micro;
pub mod resample;
pub mod upsampled;
pub mod winograd;

use crate::graph::{Element, Node, Op, Tensor};
use crate::layout::{self, narrow, rows, tiles, upsample};
use crate::spec::Shape;

/// The rows of a tensor of codes that the arena holds.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// Codes of the kept rows; row `y` is the `y mod kept`-th.
    pub codes: &'a [i8],
    /// `[h, w, c]` of the whole tensor.
    pub shape: Shape,
    /// How many rows are kept.
    pub kept: u16,
    /// The code that a border holds: that of real zero.
    pub pad_code: i8,
}

impl<'a> Rows<'a> {
    /// The tensor's rows in its bytes of the arena.
    pub fn of(tensor: &Tensor, codes: &'a [i8]) -> Self {
        Self {
            codes,
            shape: tensor.shape,
            kept: tensor.kept,
            pad_code: tensor.zero_point,
        }
    }

    /// Codes of a pixel.
    #[inline]
    pub const fn channels(&self) -> usize {
        self.shape.c as usize
    }

    /// A row; `None` above the first and below the last.
    #[inline]
    pub fn row(&self, y: isize) -> Option<&'a [i8]> {
        // A negative number, as `usize`, is past any height.
        let y = y as usize;
        if y >= usize::from(self.shape.h) {
            return None;
        }
        let len = usize::from(self.shape.w) * self.channels();
        Some(&self.codes[self.place(y) * len..][..len])
    }

    /// Where a row lies among those that are kept.
    #[inline(always)]
    const fn place(&self, y: usize) -> usize {
        if self.kept < self.shape.h {
            y % self.kept as usize
        } else {
            y
        }
    }

    /// So many codes from the start of a row on: of one row, or of several that are all kept.
    ///
    /// # Panics
    /// If there are fewer.
    #[inline]
    pub fn codes_from(&self, y: usize, len: usize) -> &'a [i8] {
        &self.codes[self.place(y) * usize::from(self.shape.w) * self.channels()..][..len]
    }

    /// The first four channels of `LINES` rows from the first pixel on; of those above the first row and below the last, as many
    /// codes of padding for every pixel.
    #[inline(never)]
    pub(crate) fn quads<const LINES: usize>(&self, top: isize, padding: &'a [i8; 4]) -> [micro::Quads<'a>; LINES] {
        let len = usize::from(self.shape.w) * self.channels();
        let mut place = self.place(usize::try_from(top).unwrap_or_default());
        let mut rows = [micro::Quads {
            codes: padding,
            pitch: 0,
        }; LINES];
        for (row, y) in rows.iter_mut().zip(top..) {
            if (y as usize) < usize::from(self.shape.h) {
                *row = micro::Quads {
                    codes: &self.codes[place * len..][..len],
                    pitch: self.channels(),
                };
                place += 1;
                if place == usize::from(self.kept) {
                    place = 0;
                }
            }
        }
        rows
    }
}

/// Where a square window stands: side, step, and padding above and to the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Side, in pixels.
    pub kernel: usize,
    /// Step, in pixels.
    pub stride: usize,
    /// Rows of padding above.
    pub pad_top: usize,
    /// Columns of padding to the left.
    pub pad_left: usize,
}

impl Window {
    /// The window of a node.
    pub fn of(node: &Node) -> Self {
        Self {
            kernel: node.kernel.into(),
            stride: node.stride.into(),
            pad_top: node.pad_top.into(),
            pad_left: node.pad_left.into(),
        }
    }

    /// The input row that the window of an output row begins with.
    #[inline]
    pub const fn top(&self, row: usize) -> isize {
        (row * self.stride) as isize - self.pad_top as isize
    }

    /// The input column that the window of an output column begins with.
    #[inline]
    pub const fn left(&self, column: usize) -> isize {
        (column * self.stride) as isize - self.pad_left as isize
    }
}

/// A step of a layer with weights: all but its codes.
#[derive(Clone, Copy, Debug)]
pub struct Weighted<'a> {
    /// Parameters, in the operator's order.
    pub stream: &'a [u32],
    /// What requantisation adds.
    pub zero_point: i8,
    /// The window; without meaning where an operator has a window of its own.
    pub window: Window,
    /// `[h, w, c]` of the whole output.
    pub output: Shape,
    /// The first row that the step writes.
    pub row: usize,
}

impl Weighted<'_> {
    /// Codes of an output row.
    #[inline]
    pub const fn row_len(&self) -> usize {
        self.output.w as usize * self.output.c as usize
    }
}

/// Words of a node's stream of parameters; zero of an operator without weights.
pub fn stream_words(node: &Node, input: &Tensor, output: &Tensor) -> usize {
    let (kernel, channels, outputs) = (
        usize::from(node.kernel),
        usize::from(input.shape.c),
        usize::from(output.shape.c),
    );
    match node.op.built_in() {
        Op::Linear => rows::stream_words(output.shape.len(), input.shape.len(), output.element == Element::I8),
        Op::NarrowLinear => narrow::stream_words(output.shape.len(), input.shape.len()),
        Op::CompactConv2d => rows::stream_words(outputs, kernel * kernel * channels, true),
        Op::Conv2d => tiles::stream_words(outputs, tiles::window_words(kernel, kernel * channels)),
        Op::WinogradConv3x3 => layout::winograd::stream_words(outputs, channels),
        Op::UpsampledConv3x3 => {
            let words = upsample::pixel_words(channels);
            upsample::phase_words(outputs, words).saturating_mul(upsample::PHASES)
        }
        Op::DepthwiseConv3x3 => layout::depthwise::window_words(channels),
        Op::UpsampledDepthwiseConv3x3 => 2 * layout::depthwise::doubled_words(channels),
        Op::DepthwiseConv2d => depthwise::plain_words(kernel, channels),
        _ => 0,
    }
}

/// A node's scratch memory, in bytes of the arena: from `p0` on, or nothing if it needs none.
#[inline]
pub fn scratch(node: &Node, input: &Tensor, output: &Tensor) -> core::ops::Range<usize> {
    let words = scratch_words(node, input, output);
    if words == 0 {
        return 0..0;
    }
    let start = node.p[0] as u32 as usize;
    start..start.saturating_add(words.saturating_mul(4))
}

/// Words of scratch memory that a step of a node needs: place for widened input.
#[inline(always)]
pub fn scratch_words(node: &Node, input: &Tensor, output: &Tensor) -> usize {
    // Nothing by reference: neither records nor shapes are laid into memory for it.
    words_of(
        (node.op, node.kernel, node.stride),
        input.element,
        input.shape,
        output.shape,
    )
}

#[inline(never)]
fn words_of((op, kernel, stride): (Op, u8, u8), element: Element, input: Shape, output: Shape) -> usize {
    match op.built_in() {
        Op::Linear if element == Element::I8 => linear::scratch_words(input.len()),
        Op::Conv2d => conv2d::scratch_words(kernel.into(), input, output),
        Op::CompactConv2d => conv2d::compact_scratch_words(kernel.into(), input, output),
        Op::DepthwiseConv3x3 => depthwise::scratch_words(stride.into(), output),
        Op::UpsampledConv3x3 => upsampled::scratch_words(input),
        Op::UpsampledDepthwiseConv3x3 => depthwise::doubled_scratch_words(input),
        Op::WinogradConv3x3 => winograd::scratch_words(input),
        _ => 0,
    }
}
