//! The operators of a graph, and the numbers that stand for them.

use bytemuck::CheckedBitPattern;

use super::{BUILT_IN, OpSet};

/// What a node does. Fields of [`Node`](super::Node) that an operator does not name are zero.
///
/// Those that hold weights read them as a stream of one of the orders in [`layout`](crate::layout), from `weights` on; their codes
/// go through `table` if there is one, `p0` says where in the arena their scratch memory begins, and `p1` is the zero point of
/// requantisation: the output's own, unless a table follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, CheckedBitPattern)]
#[repr(u8)]
pub enum Op {
    /// Readings of slot `input` through the tables of the input step into codes. `weights`: one [`ModelInput`] per code;
    /// `table`: `p0` segments; `p1`: bits of the inverse scale; `p2`: readings per row.
    ///
    /// [`ModelInput`]: crate::input::ModelInput
    Readings = 0,
    /// The picture's bytes less 128 into codes.
    Picture = 1,
    /// Weighted sums of all inputs; [`layout::rows`](crate::layout::rows).
    Linear = 2,
    /// Convolution; [`layout::tiles`](crate::layout::tiles).
    Conv2d = 3,
    /// Convolution of each channel with itself. Plain bytes `[kernel][kernel][c]`, filled up to words, then `bias[c]`, `q[c]`.
    DepthwiseConv2d = 4,
    /// The largest of each window of side `kernel`, moved by `kernel`.
    MaxPool2d = 5,
    /// Each pixel repeated `kernel × kernel` times.
    Upsample2d = 6,
    /// Channels of `input`, then of `second`; one scale for all three.
    Concat = 7,
    /// Sum of codes, in its own place or exactly in that of `input` if nothing reads that later: `p0` is `qa`, `p1` is `qb`, `p2` the bias ([`AddCodes`](crate::arithmetic::AddCodes)).
    Add = 8,
    /// Each code looked up. `table`: 256 codes, that of −128 first.
    Lut = 9,
    /// Accumulators into probabilities, the classification head's output. `weights`: one `f32` scale per logit.
    Probabilities = 10,
    /// Codes that stay in the arena as the segmentation head's output.
    Logits = 11,
    /// One accumulator into the regression head's output: `acc · p0 + p1`, both `f32` bits.
    Value = 12,
    /// [`Op::DepthwiseConv2d`] with windows of 3×3; [`layout::depthwise`](crate::layout::depthwise).
    DepthwiseConv3x3 = 13,
    /// [`Op::Conv2d`] with weights of 8 bits; [`layout::rows`](crate::layout::rows), a window's weights one row.
    CompactConv2d = 14,
    /// Each pixel doubled in both directions, then a 3×3 convolution; [`layout::upsample`](crate::layout::upsample).
    UpsampledConv3x3 = 15,
    /// Each pixel doubled in both directions, then a depthwise 3×3 convolution; [`layout::depthwise`](crate::layout::depthwise).
    UpsampledDepthwiseConv3x3 = 16,
    /// A 3×3 convolution with stride 1 by Winograd's F(2×2, 3×3); [`layout::winograd`](crate::layout::winograd).
    WinogradConv3x3 = 17,
    /// [`Op::Linear`] of few inputs into codes; [`layout::narrow`](crate::layout::narrow).
    NarrowLinear = 18,
    /// [`Op::Add`] of `input` and `second`, each pixel of which is doubled in both directions.
    UpsampledAdd = 19,
}

impl Op {
    /// All operators, in order of their numbers.
    pub const ALL: [Self; 20] = [
        Self::Readings,
        Self::Picture,
        Self::Linear,
        Self::Conv2d,
        Self::DepthwiseConv2d,
        Self::MaxPool2d,
        Self::Upsample2d,
        Self::Concat,
        Self::Add,
        Self::Lut,
        Self::Probabilities,
        Self::Logits,
        Self::Value,
        Self::DepthwiseConv3x3,
        Self::CompactConv2d,
        Self::UpsampledConv3x3,
        Self::UpsampledDepthwiseConv3x3,
        Self::WinogradConv3x3,
        Self::NarrowLinear,
        Self::UpsampledAdd,
    ];

    /// The operator of a number, if there is one.
    #[inline(always)]
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        bytemuck::checked::try_cast(number).ok()
    }

    /// Whether it brings an input into the arena.
    pub const fn is_input(self) -> bool {
        self.is_one_of(&[Self::Readings, Self::Picture])
    }

    /// Whether it takes a head's result out.
    pub const fn is_output(self) -> bool {
        self.is_one_of(&[Self::Probabilities, Self::Logits, Self::Value])
    }

    /// Whether it reads two tensors.
    pub const fn is_binary(self) -> bool {
        self.is_sum() || self.is_one_of(&[Self::Concat])
    }

    /// Whether it adds two tensors up.
    pub const fn is_sum(self) -> bool {
        self.is_one_of(&[Self::Add, Self::UpsampledAdd])
    }

    /// Whether it writes rows, one after the other, and may share a band with others.
    pub const fn has_rows(self) -> bool {
        !(self.is_linear() || self.is_output() || matches!(self, Self::Readings))
    }

    /// Whether it holds weights.
    pub const fn is_weighted(self) -> bool {
        self.is_linear() || self.is_windowed()
    }

    /// Whether it sums all inputs, weighted.
    pub const fn is_linear(self) -> bool {
        self.is_one_of(&[Self::Linear, Self::NarrowLinear])
    }

    /// Whether it slides weighted windows over rows.
    pub const fn is_windowed(self) -> bool {
        self.is_one_of(&[
            Self::Conv2d,
            Self::CompactConv2d,
            Self::WinogradConv3x3,
            Self::UpsampledConv3x3,
            Self::DepthwiseConv2d,
            Self::DepthwiseConv3x3,
            Self::UpsampledDepthwiseConv3x3,
        ])
    }

    /// Whether each channel is convolved with itself alone.
    pub const fn is_depthwise(self) -> bool {
        self.is_one_of(&[
            Self::DepthwiseConv2d,
            Self::DepthwiseConv3x3,
            Self::UpsampledDepthwiseConv3x3,
        ])
    }

    /// Whether its windows slide over doubled pixels.
    pub const fn is_upsampled(self) -> bool {
        self.is_one_of(&[Self::UpsampledConv3x3, Self::UpsampledDepthwiseConv3x3])
    }

    /// Whether it is built in and one of these: what is asked only for others vanishes.
    #[inline(always)]
    const fn is_one_of(self, ops: &[Self]) -> bool {
        OpSet::of(ops).and(BUILT_IN).contains(self)
    }
}
