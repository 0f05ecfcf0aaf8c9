//! The workloads' layers as embedded-nn has them: int8, weights and biases in RAM, a scale per channel.

use embedded_nn::{
    Activation, ConvParams, Dims, DwConvParams, FcParams, Padding2D, PerChannelQuantParams, PoolParams, Tile,
    activations::sigmoid_s8, convolve_per_channel_s8, depthwise_conv_per_channel_s8, fully_connected_per_channel_s8,
    max_pool_s8,
};

use crate::start::Random;

const RELU: Activation = Activation::new(-128, 127);
const ZERO_POINT: i32 = -128;

/// Weights and biases of a layer with `W` weights and `C` output channels.
pub struct Layer<const W: usize, const C: usize> {
    weights: [i8; W],
    bias: [i32; C],
    multiplier: [i32; C],
    shift: [i32; C],
}

impl<const W: usize, const C: usize> Layer<W, C> {
    pub const EMPTY: Self = Self {
        weights: [0; W],
        bias: [0; C],
        multiplier: [0; C],
        shift: [0; C],
    };

    /// Draws the weights; sums are scaled back to about a byte.
    pub fn draw(&mut self, random: &mut Random) {
        self.weights.iter_mut().for_each(|weight| *weight = (random.next() >> 24) as i8);
        self.bias.iter_mut().for_each(|bias| *bias = random.next() as i32 >> 20);
        self.multiplier.fill(0x5000_0000);
        self.shift.fill(-8);
    }

    fn scales(&self) -> PerChannelQuantParams<'_> {
        PerChannelQuantParams::new(&self.multiplier, &self.shift)
    }

    pub fn linear(&self, input: &[i8], output: &mut [i8; C]) {
        let params = FcParams {
            input_offset: -ZERO_POINT,
            filter_offset: 0,
            output_offset: ZERO_POINT,
            activation: RELU,
        };
        let depth = input.len() as i32;
        fully_connected_per_channel_s8(
            &params,
            &self.scales(),
            &Dims::new(1, 1, 1, depth),
            input,
            &Dims::new(depth, 1, 1, C as i32),
            &self.weights,
            Some(&self.bias),
            &Dims::new(1, 1, 1, C as i32),
            output,
        )
        .expect("the shapes fit");
    }

    /// A convolution; `padding` is top, bottom, left, right.
    pub fn conv(&self, kernel: i32, stride: i32, padding: Padding2D, input: Map<'_>, output: &mut [i8]) -> [i32; 3] {
        let [h, w, c] = input.shape;
        let out = windows([h, w], kernel, stride, padding);
        let params = ConvParams {
            input_offset: -ZERO_POINT,
            output_offset: ZERO_POINT,
            stride: Tile::new(stride, stride),
            padding,
            dilation: Tile::new(1, 1),
            activation: RELU,
        };
        convolve_per_channel_s8(
            &params,
            &self.scales(),
            &Dims::new(1, h, w, c),
            input.codes,
            &Dims::new(C as i32, kernel, kernel, c),
            &self.weights,
            Some(&self.bias),
            &Dims::new(1, out[0], out[1], C as i32),
            output,
        )
        .expect("the shapes fit");
        [out[0], out[1], C as i32]
    }

    pub fn depthwise(&self, stride: i32, padding: Padding2D, input: Map<'_>, output: &mut [i8]) -> [i32; 3] {
        let [h, w, c] = input.shape;
        let out = windows([h, w], 3, stride, padding);
        let params = DwConvParams {
            input_offset: -ZERO_POINT,
            output_offset: ZERO_POINT,
            ch_mult: 1,
            stride: Tile::new(stride, stride),
            padding,
            dilation: Tile::new(1, 1),
            activation: RELU,
        };
        depthwise_conv_per_channel_s8(
            &params,
            &self.scales(),
            &Dims::new(1, h, w, c),
            input.codes,
            &Dims::new(1, 3, 3, c),
            &self.weights,
            Some(&self.bias),
            &Dims::new(1, out[0], out[1], c),
            output,
        )
        .expect("the shapes fit");
        [out[0], out[1], c]
    }
}

/// Codes and their shape: height, width, channels.
#[derive(Clone, Copy)]
pub struct Map<'a> {
    pub codes: &'a [i8],
    pub shape: [i32; 3],
}

pub fn max_pool(input: Map<'_>, output: &mut [i8]) -> [i32; 3] {
    let [h, w, c] = input.shape;
    let params = PoolParams {
        stride: Tile::new(2, 2),
        padding: Padding2D::default(),
        activation: RELU,
    };
    let out = Dims::new(1, h / 2, w / 2, c);
    max_pool_s8(&params, &Tile::new(2, 2), &Dims::new(1, h, w, c), input.codes, &out, output).expect("the shapes fit");
    [h / 2, w / 2, c]
}

/// Twice the height and width. embedded-nn has no such operator: this is a plain loop of ours.
pub fn upsample(input: Map<'_>, output: &mut [i8]) -> [i32; 3] {
    let [h, w, c] = input.shape.map(|extent| extent as usize);
    for (row, codes) in output.chunks_exact_mut(2 * w * c).take(2 * h).enumerate() {
        for (column, pixel) in codes.chunks_exact_mut(c).enumerate() {
            let from = (row / 2 * w + column / 2) * c;
            pixel.copy_from_slice(&input.codes[from..from + c]);
        }
    }
    [2 * input.shape[0], 2 * input.shape[1], input.shape[2]]
}

pub fn sigmoid(input: &[i8], output: &mut [i8]) {
    sigmoid_s8(input, output);
}

fn windows(extents: [i32; 2], kernel: i32, stride: i32, padding: Padding2D) -> [i32; 2] {
    let [h, w] = extents;
    [
        (h + padding.top + padding.bottom - kernel) / stride + 1,
        (w + padding.left + padding.right - kernel) / stride + 1,
    ]
}
