//! Plain numbers back out of the streams, by the tables of `shared/FORMAT.md` alone.
//!
//! What a stream holds twice or fills up with is checked on the way: corrections, sums of weights, Winograd's transform, zeros. A
//! blob whose streams unpack here holds exactly one plain layer per node.

mod rows;
mod squares;
mod windows;

use trident::graph::{Element, Node, Op, Tensor};

use crate::layer::Layer;

/// The layer of a node with weights, and how many words its stream has.
///
/// # Panics
/// If the words are not what some plain layer packs to, or end too early.
pub fn unpack(node: &Node, input: &Tensor, output: &Tensor, parameters: &[u8]) -> (Layer, usize) {
    let mut words = Words {
        bytes: &parameters[node.weights as usize..],
        read: 0,
    };
    let kernel = usize::from(node.kernel);
    let (channels, filters) = (usize::from(input.shape.c), usize::from(output.shape.c));
    let layer = match node.op {
        Op::Linear => {
            let (units, columns) = (output.shape.len(), input.shape.len());
            rows::rows(&mut words, units, columns, output.element == Element::I8)
        }
        Op::NarrowLinear => rows::narrow(&mut words, output.shape.len(), input.shape.len()),
        Op::CompactConv2d => rows::rows(&mut words, filters, kernel * kernel * channels, true),
        Op::Conv2d => windows::tiles(&mut words, filters, kernel, kernel * channels),
        Op::WinogradConv3x3 => squares::winograd(&mut words, filters, channels),
        Op::UpsampledConv3x3 => squares::upsampled(&mut words, filters, channels),
        Op::DepthwiseConv2d => windows::bytes(&mut words, kernel, channels),
        Op::DepthwiseConv3x3 => windows::depthwise(&mut words, channels),
        Op::UpsampledDepthwiseConv3x3 => squares::doubled(&mut words, channels),
        op => panic!("{op:?} holds no weights"),
    };
    (layer, words.read)
}

/// Words that are read one after the other.
struct Words<'a> {
    bytes: &'a [u8],
    read: usize,
}

impl Words<'_> {
    fn word(&mut self) -> i32 {
        let (word, rest) = self.bytes.split_first_chunk().expect("the stream goes on");
        self.bytes = rest;
        self.read += 1;
        i32::from_le_bytes(*word)
    }

    fn halves(&mut self) -> [i32; 2] {
        let word = self.word();
        [i32::from(word as i16), word >> 16]
    }

    fn numbers(&mut self, count: usize) -> Vec<i32> {
        (0..count).map(|_| self.word()).collect()
    }
}

/// Numbers per channel, filled up to whole blocks of channels and quads of columns.
struct Filled {
    weights: Vec<Vec<i32>>,
    bias: Vec<i32>,
    multipliers: Vec<i32>,
}

impl Filled {
    fn new(channels: usize, columns: usize) -> Self {
        Self {
            weights: vec![vec![0; columns]; channels],
            bias: vec![0; channels],
            multipliers: vec![1; channels],
        }
    }

    /// The first channels, of each the first columns; the rest must be zeros, with multipliers of one.
    fn cut(self, channels: usize, columns: usize) -> Layer {
        for (channel, weights) in self.weights.iter().enumerate() {
            let kept = if channel < channels { columns } else { 0 };
            assert!(weights[kept..].iter().all(|&weight| weight == 0), "channel {channel}");
        }
        assert!(self.bias[channels..].iter().all(|&bias| bias == 0));
        assert!(self.multipliers[channels..].iter().all(|&multiplier| multiplier == 1));
        let weights = self.weights[..channels].iter().flat_map(|weights| &weights[..columns]);
        Layer {
            weights: weights.map(|&weight| eight_bits(weight)).collect(),
            bias: self.bias[..channels].to_vec(),
            multipliers: self.multipliers[..channels].to_vec(),
        }
    }
}

fn eight_bits(weight: i32) -> i8 {
    i8::try_from(weight).expect("a weight of 8 bits")
}

/// Columns that the two halves of a quad's words hold.
const QUAD: [[usize; 2]; 2] = [[0, 2], [1, 3]];

/// Windows of one channel each, as `[kernel][kernel][channel]`.
fn of_channels(filled: Filled, channels: usize) -> Layer {
    let by_channel = filled.cut(channels, 9);
    let by_tap = (0..9).flat_map(|tap| (0..channels).map(move |channel| 9 * channel + tap));
    Layer {
        weights: by_tap.map(|at| by_channel.weights[at]).collect(),
        ..by_channel
    }
}
