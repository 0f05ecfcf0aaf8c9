//! No sum can overflow.
//!
//! `Σ|w| · 128 + |bias| < 2^31` for every channel, padded borders included, and every multiplier in `1..2^31`. Weights of 16 bits are
//! scanned once for it; those of 8 bits are bounded by how many there are. Bytes that no packer makes are thereby refused or
//! harmless: inner loops wrap, alike on every core.

use super::GraphError;
use crate::graph::{Element, Graph, Node, Op, Tensor};
use crate::kernels;
use crate::layout::{depthwise, narrow, rows, tiles, upsample, winograd};
use crate::parameters::Parameters;

/// Largest magnitude of a code.
const CODE: u64 = 128;

/// Scans the weights of all nodes.
pub(crate) fn accumulators(graph: &Graph<'_>, parameters: &[u8]) -> Result<(), GraphError> {
    let parameters = Parameters::new(parameters);
    for (index, node) in graph.nodes().enumerate().filter(|(_, node)| node.op.is_weighted()) {
        let fault = GraphError::Parameters { node: index };
        let (Some(input), Some(output)) = (graph.tensor(node.input.into()), graph.tensor(node.output.into())) else {
            return Err(fault);
        };
        let words = kernels::stream_words(&node, &input, &output);
        let stream = parameters.slice::<u32>(node.weights, words).ok_or(fault)?;
        let groups = Groups::of(&node, &input, words);
        let requantized = output.element != Element::I32;
        if requantized && !groups.multipliers_fit(stream) {
            return Err(fault);
        }
        let fits = match node.op.built_in() {
            Op::Linear => rows_fit(stream, input.shape.len(), requantized),
            Op::CompactConv2d => rows_fit(stream, window(&node) * usize::from(input.shape.c), true),
            Op::DepthwiseConv2d => {
                // At most 7 × 7 bytes of at most 128 each: only the bias can be too large.
                let products = window(&node) as u64 * CODE * CODE;
                let biases = &stream[groups.biases..][..groups.channels];
                biases.iter().all(|&bias| bounded(bias, products))
            }
            _ => groups.sums_fit(stream),
        };
        if !fits {
            return Err(GraphError::Overflow { node: index });
        }
    }
    Ok(())
}

/// Pixels of a window.
fn window(node: &Node) -> usize {
    usize::from(node.kernel) * usize::from(node.kernel)
}

fn bounded(bias: u32, products: u64) -> bool {
    u64::from((bias as i32).unsigned_abs()).saturating_add(products) < 1 << 31
}

/// How a stream is made of equal groups of words, each of some channels side by side: a bias of each, their words of weights in turns,
/// and last a multiplier of each.
struct Groups {
    /// Words of a group.
    len: usize,
    /// Channels of a group.
    channels: usize,
    /// Where its biases begin.
    biases: usize,
    /// Where its weights begin.
    weights: usize,
    /// Words of weights of a channel.
    words: usize,
    /// By how much products are larger than what they add to an accumulator.
    factor: u64,
}

impl Groups {
    fn of(node: &Node, input: &Tensor, stream_words: usize) -> Self {
        let (kernel, channels) = (usize::from(node.kernel), usize::from(input.shape.c));
        let last = |len: usize, channels: usize| Self::biases_last(len, channels);
        match node.op.built_in() {
            // A column that is named twice counts twice.
            Op::NarrowLinear => Self::biases_first(narrow::row_words(input.shape.len()), 1),
            Op::Conv2d => {
                let words = tiles::window_words(kernel, kernel * channels);
                Self::biases_first(tiles::group_words(words), tiles::CHANNELS)
            }
            Op::UpsampledConv3x3 => {
                let words = upsample::pixel_words(channels);
                Self::biases_first(upsample::group_words(words), upsample::CHANNELS)
            }
            // Transformed inputs are sums of four codes; the products' sum is four times the accumulator.
            Op::WinogradConv3x3 => Self {
                factor: 4,
                ..last(winograd::group_words(channels), winograd::CHANNELS)
            },
            Op::DepthwiseConv3x3 => last(depthwise::WINDOW_WORDS, 1),
            // Weights of doubled pixels are those of two windows, which is a bound of each.
            Op::UpsampledDepthwiseConv3x3 => last(depthwise::DOUBLED_WORDS, 1),
            // Of what follows, the multipliers alone are looked for here.
            Op::Linear => last(rows::block_words(input.shape.len(), true), rows::BLOCK),
            Op::CompactConv2d => last(rows::block_words(kernel * kernel * channels, true), rows::BLOCK),
            _ => last(stream_words, channels),
        }
    }

    const fn biases_first(len: usize, channels: usize) -> Self {
        Self {
            len,
            channels,
            biases: 0,
            weights: channels,
            words: len / channels - 2,
            factor: 1,
        }
    }

    const fn biases_last(len: usize, channels: usize) -> Self {
        Self {
            biases: len - 2 * channels,
            weights: 0,
            ..Self::biases_first(len, channels)
        }
    }

    fn multipliers_fit(&self, stream: &[u32]) -> bool {
        let multipliers = |group: &[u32]| group[self.len - self.channels..].iter().all(|&word| word as i32 > 0);
        stream.chunks_exact(self.len).all(multipliers)
    }

    fn sums_fit(&self, stream: &[u32]) -> bool {
        stream.chunks_exact(self.len).all(|group| {
            (0..self.channels).all(|channel| {
                let weights = &group[self.weights + channel..];
                let products = self.factor * CODE * magnitudes(weights, self.channels, self.words);
                products < 1 << 31 && bounded(group[self.biases + channel], products / self.factor)
            })
        })
    }
}

/// Sum of the magnitudes of both halves of every `step`-th word, `count` of them.
#[inline(never)]
fn magnitudes(words: &[u32], step: usize, count: usize) -> u64 {
    let magnitude = |word: u32| {
        let [low, high] = [word as i16, (word >> 16) as i16];
        u32::from(low.unsigned_abs()) + u32::from(high.unsigned_abs())
    };
    (0..count)
        .map(|number| u64::from(magnitude(words[number * step])))
        .sum()
}

/// Blocks of [`layout::rows`](crate::layout::rows), by their length alone: weights have 8 bits whatever the bytes are. The biases and
/// what corrects an even row's neighbours may be any numbers that leave room for the products.
fn rows_fit(stream: &[u32], columns: usize, requantized: bool) -> bool {
    let block_words = rows::block_words(columns, requantized);
    let neighbours = columns as u64 / 2 * CODE * CODE;
    let products = columns as u64 * CODE * CODE + neighbours;
    stream.chunks_exact(block_words).all(|block| {
        let mut words = block.iter().copied();
        let mut total = [0u64; 2]; // of what the chunks add to rows 0 and 2
        let mut fits = true;
        for start in (0..columns).step_by(rows::CHUNK) {
            let head = if start == 0 { 4 } else { 2 };
            for (position, word) in words.by_ref().take(head).enumerate() {
                // The first chunk has each row's bias twice, as two sums begin with it.
                if head == 2 || position % 2 == 0 {
                    total[position * 2 / head] += u64::from((word as i32).unsigned_abs());
                }
                fits &= bounded(word, products);
            }
            words.nth((columns - start).min(rows::CHUNK).div_ceil(4) * 4 - 1);
        }
        fits && words.take(2).all(|bias| bounded(bias, products))
            && total.iter().all(|total| total + products < 1 << 31)
    })
}
