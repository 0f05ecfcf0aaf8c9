//! Parameters in the order that the inner loops read them: one file per order, with its size and the packer that makes it.
//!
//! Each stream is a row of little-endian words and holds all that a layer needs: biases, weights, multipliers. Channels and columns
//! are filled up to whole blocks with zeros (and a multiplier of 1), so that loops need no remainders. The quantiser packs; the device only reads.

pub mod depthwise;
pub mod narrow;
pub mod rows;
pub mod tiles;
pub mod upsample;
pub mod winograd;

/// A layer's numbers in plain order, as they are packed.
#[derive(Clone, Copy, Debug)]
pub struct Plain<'a> {
    /// Weights of each output channel in turn: `[channel][column]`, for windows `[channel][kernel][kernel][input channel]`; depthwise
    /// `[kernel][kernel][channel]`.
    pub weights: &'a [i8],
    /// Per output channel, the input's zero point folded in.
    pub bias: &'a [i32],
    /// Multiplier of requantisation per output channel, of 2^−32 each; none for a layer that keeps its sums.
    pub multipliers: &'a [i32],
}

impl Plain<'_> {
    fn bias(&self, channel: usize) -> u32 {
        self.bias.get(channel).copied().unwrap_or(0) as u32
    }

    fn multiplier(&self, channel: usize) -> u32 {
        self.multipliers.get(channel).copied().unwrap_or(1) as u32
    }

    /// Weights per output channel.
    fn columns(&self) -> usize {
        self.weights.len() / self.bias.len().max(1)
    }

    /// A weight of `[channel][column]`; zero beyond the last of either.
    fn weight(&self, channel: usize, column: usize) -> i32 {
        let columns = self.columns();
        let inside = channel < self.bias.len() && column < columns;
        if inside {
            i32::from(self.weights[channel * columns + column])
        } else {
            0
        }
    }
}

/// The word of two halves.
fn word(low: i32, high: i32) -> u32 {
    (low as u32 & 0xFFFF) | (high as u32) << 16
}

/// The two words of columns `first..first + 4`, in the order that codes widen to.
fn quad(first: usize, weight: impl Fn(usize) -> i32) -> [u32; 2] {
    let pair = |column: usize| word(weight(first + column), weight(first + column + 2));
    [pair(0), pair(1)]
}
