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
        if !multipliers_fit(&node, &input, &output, stream) {
            return Err(fault);
        }
        if !sums_fit(&node, &input, &output, stream) {
            return Err(GraphError::Overflow { node: index });
        }
    }
    Ok(())
}

/// Sums of magnitudes of the low and the high halves of words.
fn halves<'w>(words: impl IntoIterator<Item = &'w u32>) -> u64 {
    let magnitude = |word: &u32| {
        let [low, high] = [*word as i16, (*word >> 16) as i16];
        u32::from(low.unsigned_abs()) + u32::from(high.unsigned_abs())
    };
    words.into_iter().map(|word| u64::from(magnitude(word))).sum()
}

fn bounded(bias: u32, products: u64) -> bool {
    u64::from((bias as i32).unsigned_abs()).saturating_add(products) < 1 << 31
}

fn positive(words: &[u32]) -> bool {
    words.iter().all(|&word| (word as i32) > 0)
}

/// The last words of each of equal groups.
fn trailers(stream: &[u32], group: usize, trailer: usize) -> impl Iterator<Item = &[u32]> {
    stream
        .chunks_exact(group.max(1))
        .map(move |words| &words[words.len() - trailer..])
}

fn multipliers_fit(node: &Node, input: &Tensor, output: &Tensor, stream: &[u32]) -> bool {
    let (kernel, channels) = (usize::from(node.kernel), usize::from(input.shape.c));
    let columns = kernel * kernel * channels;
    let mut groups = match node.op {
        Op::Linear if output.element == Element::I32 => return true,
        Op::Linear => trailers(stream, rows::block_words(input.shape.len(), true), rows::BLOCK),
        Op::NarrowLinear => trailers(stream, narrow::row_words(input.shape.len()), 1),
        Op::CompactConv2d => trailers(stream, rows::block_words(columns, true), rows::BLOCK),
        Op::Conv2d => {
            let words = tiles::window_words(kernel, kernel * channels);
            trailers(stream, tiles::group_words(words), tiles::CHANNELS)
        }
        Op::WinogradConv3x3 => trailers(stream, winograd::group_words(channels), winograd::CHANNELS),
        Op::UpsampledConv3x3 => {
            let words = upsample::pixel_words(channels);
            trailers(stream, upsample::group_words(words), upsample::CHANNELS)
        }
        Op::DepthwiseConv3x3 => trailers(stream, depthwise::WINDOW_WORDS, 1),
        Op::UpsampledDepthwiseConv3x3 => trailers(stream, depthwise::DOUBLED_WORDS, 1),
        _ => trailers(stream, stream.len(), channels),
    };
    groups.all(positive)
}

fn sums_fit(node: &Node, input: &Tensor, output: &Tensor, stream: &[u32]) -> bool {
    let (kernel, channels) = (usize::from(node.kernel), usize::from(input.shape.c));
    match node.op {
        Op::Linear => rows_fit(stream, input.shape.len(), output.element != Element::I32),
        Op::NarrowLinear => stream
            .chunks_exact(narrow::row_words(input.shape.len()))
            .all(narrow_fits),
        Op::CompactConv2d => rows_fit(stream, kernel * kernel * channels, true),
        Op::Conv2d => {
            let words = tiles::window_words(kernel, kernel * channels);
            stream
                .chunks_exact(tiles::group_words(words))
                .all(|group| lanes_fit::<{ tiles::CHANNELS }>(group, words))
        }
        Op::UpsampledConv3x3 => {
            let words = upsample::pixel_words(channels);
            let groups = stream.chunks_exact(upsample::group_words(words));
            groups
                .into_iter()
                .all(|group| lanes_fit::<{ upsample::CHANNELS }>(group, 4 * words))
        }
        Op::WinogradConv3x3 => stream.chunks_exact(winograd::group_words(channels)).all(winograd_fits),
        Op::DepthwiseConv3x3 => depthwise_fits::<{ depthwise::WINDOW_WORDS }>(stream),
        Op::UpsampledDepthwiseConv3x3 => depthwise_fits::<{ depthwise::DOUBLED_WORDS }>(stream),
        _ => {
            // At most 7 × 7 bytes of at most 128 each: only the bias can be too large.
            let bias = &stream[stream.len() - 2 * channels..stream.len() - channels];
            bias.iter()
                .all(|&bias| bounded(bias, (kernel * kernel) as u64 * CODE * CODE))
        }
    }
}

/// Biases, `words` words of each channel in turn, multipliers.
fn lanes_fit<const CHANNELS: usize>(group: &[u32], words: usize) -> bool {
    let (bias, rest) = group.split_at(CHANNELS);
    let weights = &rest[..words * CHANNELS];
    (0..CHANNELS).all(|channel| {
        bounded(
            bias[channel],
            CODE * halves(weights[channel..].iter().step_by(CHANNELS)),
        )
    })
}

/// A row's bias, weights, multiplier; a column that is named twice counts twice.
fn narrow_fits(row: &[u32]) -> bool {
    bounded(row[0], CODE * halves(&row[1..row.len() - 1]))
}

/// Per channel its weights, bias, multiplier; weights of doubled pixels are those of two windows, which is a bound of each.
fn depthwise_fits<const WORDS: usize>(stream: &[u32]) -> bool {
    stream
        .chunks_exact(WORDS)
        .all(|words| bounded(words[WORDS - 2], CODE * halves(&words[..WORDS - 2])))
}

/// Transformed inputs are sums of four codes; the products' sum is four times the accumulator.
fn winograd_fits(group: &[u32]) -> bool {
    let (weights, trailer) = group.split_at(group.len() - 2 * winograd::CHANNELS);
    (0..winograd::CHANNELS).all(|channel| {
        let products = 4 * CODE * halves(weights[channel..].iter().step_by(winograd::CHANNELS));
        products < 1 << 31 && bounded(trailer[channel], products / 4)
    })
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
