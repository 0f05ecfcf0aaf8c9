//! The plain numbers of a layer with weights, and the stream that the engine reads them from.

use trident::graph::Op;
use trident::layout::{Plain, depthwise, narrow, rows, tiles, upsample, winograd};

use crate::noise::Noise;

/// A layer's numbers in plain order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// `[channel][column]`; of windows `[channel][kernel][kernel][input channel]`, depthwise `[kernel][kernel][channel]`.
    pub weights: Vec<i8>,
    /// One per output channel.
    pub bias: Vec<i32>,
    /// One per output channel, of 2^−32 each; none if the sums are kept.
    pub multipliers: Vec<i32>,
}

impl Layer {
    /// A layer of so many output channels, each of `columns` weights.
    pub fn random(noise: &mut Noise, channels: usize, columns: usize) -> Self {
        Self {
            weights: noise.weights(channels * columns),
            bias: noise.biases(channels),
            multipliers: noise.multipliers(channels),
        }
    }

    /// One whose sums are kept.
    pub fn of_sums(weights: &[i8], bias: &[i32]) -> Self {
        Self {
            weights: weights.to_vec(),
            bias: bias.to_vec(),
            multipliers: Vec::new(),
        }
    }

    /// Its words in the order of that operator.
    ///
    /// # Panics
    /// If the operator holds no weights.
    pub fn stream(&self, op: Op, kernel: usize, input_channels: usize) -> Vec<u32> {
        let plain = Plain {
            weights: &self.weights,
            bias: &self.bias,
            multipliers: &self.multipliers,
        };
        let mut words = Vec::new();
        let push = |word| words.push(word);
        match op {
            Op::Linear | Op::CompactConv2d => rows::pack(&plain, push),
            Op::NarrowLinear => narrow::pack(&plain, push),
            Op::Conv2d => tiles::pack(&plain, kernel * input_channels, push),
            Op::WinogradConv3x3 => winograd::pack(&plain, input_channels, push),
            Op::UpsampledConv3x3 => upsample::pack(&plain, input_channels, push),
            Op::DepthwiseConv3x3 => depthwise::pack_windows(&plain, push),
            Op::UpsampledDepthwiseConv3x3 => depthwise::pack_doubled(&plain, push),
            Op::DepthwiseConv2d => return self.plain_bytes(),
            _ => panic!("{op:?} holds no weights"),
        }
        words
    }

    /// Bytes filled up to words, biases, multipliers.
    fn plain_bytes(&self) -> Vec<u32> {
        let mut bytes: Vec<u8> = self.weights.iter().map(|&weight| weight as u8).collect();
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        let weights = bytes
            .chunks(4)
            .map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
        let numbers = self.bias.iter().chain(&self.multipliers).map(|&number| number as u32);
        weights.chain(numbers).collect()
    }
}
