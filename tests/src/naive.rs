//! The oracle: every operator as one would write it on a blackboard.
//!
//! All numbers are `i64` or wider, borders are padded by really building the padded picture, and nothing is shared with
//! `trident::kernels`. Slow on purpose.

use trident::graph::Op;
use trident::spec::Shape;

use crate::layer::Layer;

/// A picture, feature map or row: whole numbers in the layout `[h, w, c]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Map {
    /// Rows.
    pub h: usize,
    /// Columns.
    pub w: usize,
    /// Channels.
    pub c: usize,
    /// `h · w · c` numbers, channels innermost.
    pub numbers: Vec<i64>,
}

impl Map {
    /// A map of one number everywhere.
    pub fn filled(h: usize, w: usize, c: usize, number: i64) -> Self {
        Self {
            h,
            w,
            c,
            numbers: vec![number; h * w * c],
        }
    }

    /// A map of those codes.
    ///
    /// # Panics
    /// If they are not as many as the shape says.
    pub fn of_codes(shape: Shape, codes: &[i8]) -> Self {
        assert_eq!(shape.len(), codes.len());
        Self {
            h: shape.h.into(),
            w: shape.w.into(),
            c: shape.c.into(),
            numbers: codes.iter().map(|&code| code.into()).collect(),
        }
    }

    /// One number.
    pub fn at(&self, y: usize, x: usize, c: usize) -> i64 {
        assert!(y < self.h && x < self.w && c < self.c);
        self.numbers[(y * self.w + x) * self.c + c]
    }

    /// Writes one number.
    pub fn set(&mut self, y: usize, x: usize, c: usize, number: i64) {
        assert!(y < self.h && x < self.w && c < self.c);
        self.numbers[(y * self.w + x) * self.c + c] = number;
    }

    /// A map whose every number is `number(y, x, c)`.
    pub fn made(h: usize, w: usize, c: usize, mut number: impl FnMut(usize, usize, usize) -> i64) -> Self {
        let mut map = Self::filled(h, w, c, 0);
        for y in 0..h {
            for x in 0..w {
                for channel in 0..c {
                    map.set(y, x, channel, number(y, x, channel));
                }
            }
        }
        map
    }

    /// A larger map with this one at `(top, left)` and `border` elsewhere.
    fn padded(&self, h: usize, w: usize, (top, left): (usize, usize), border: i64) -> Self {
        let mut map = Self::filled(h, w, self.c, border);
        for y in 0..self.h {
            for x in 0..self.w {
                for channel in 0..self.c {
                    map.set(y + top, x + left, channel, self.at(y, x, channel));
                }
            }
        }
        map
    }

    /// The numbers as codes.
    ///
    /// # Panics
    /// If one is no code.
    pub fn codes(&self) -> Vec<i8> {
        self.numbers
            .iter()
            .map(|&number| i8::try_from(number).expect("the oracle made a number that is no code"))
            .collect()
    }
}

/// What happens to a sum, or to the sum of two codes, on its way to a code.
#[derive(Clone, Debug)]
pub struct Output {
    /// The output's zero point.
    pub zero_point: i64,
    /// Least code.
    pub lo: i64,
    /// Largest code.
    pub hi: i64,
    /// What each code then becomes, that of −128 first.
    pub table: Option<Vec<i8>>,
}

impl Output {
    /// `clamp(((acc·q + 2^31) >> 32) + zero_point, lo, hi)`, the shift written as a division that rounds down; then the table.
    pub fn requantize(&self, acc: i64, multiplier: i32) -> i64 {
        let one = 1i128 << 32;
        let rounded = (i128::from(acc) * i128::from(multiplier) + one / 2).div_euclid(one);
        let code = clamp(rounded + i128::from(self.zero_point), self.lo, self.hi);
        match &self.table {
            Some(table) => i64::from(table[(code + 128) as usize]),
            None => code,
        }
    }
}

fn clamp(number: i128, lo: i64, hi: i64) -> i64 {
    if number < lo.into() {
        lo
    } else if number > hi.into() {
        hi
    } else {
        number as i64
    }
}

/// A square window: side, step, padding above and to the left.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Side.
    pub kernel: usize,
    /// Step.
    pub stride: usize,
    /// Rows of padding above.
    pub top: usize,
    /// Columns of padding to the left.
    pub left: usize,
}

impl Window {
    /// The input inside as much border as `out_h × out_w` windows reach over.
    fn pad(&self, input: &Map, (out_h, out_w): (usize, usize), border: i64) -> Map {
        let side = |out: usize, before: usize, n: usize| ((out - 1) * self.stride + self.kernel).max(before + n);
        let h = side(out_h, self.top, input.h);
        let w = side(out_w, self.left, input.w);
        input.padded(h, w, (self.top, self.left), border)
    }
}

/// `sums[o] = bias[o] + Σ weights[o][i] · input[i]`.
pub fn linear_sums(input: &Map, layer: &Layer) -> Vec<i64> {
    let n = input.numbers.len();
    let mut sums = Vec::new();
    for (o, &bias) in layer.bias.iter().enumerate() {
        let mut sum = i64::from(bias);
        for i in 0..n {
            sum += input.numbers[i] * i64::from(layer.weights[o * n + i]);
        }
        sums.push(sum);
    }
    sums
}

/// Convolution; weights `[filter][ky][kx][c]`, the border holds `border`.
pub fn conv2d(input: &Map, border: i64, window: Window, layer: &Layer, output: &Output, sides: (usize, usize)) -> Map {
    let (k, channels) = (window.kernel, input.c);
    let padded = window.pad(input, sides, border);
    Map::made(sides.0, sides.1, layer.bias.len(), |y, x, filter| {
        let mut sum = i64::from(layer.bias[filter]);
        for ky in 0..k {
            for kx in 0..k {
                for c in 0..channels {
                    let weight = layer.weights[((filter * k + ky) * k + kx) * channels + c];
                    sum += padded.at(y * window.stride + ky, x * window.stride + kx, c) * i64::from(weight);
                }
            }
        }
        output.requantize(sum, layer.multipliers[filter])
    })
}

/// Convolution of each channel with itself; weights `[ky][kx][c]`, the border holds `border`.
pub fn depthwise(
    input: &Map,
    border: i64,
    window: Window,
    layer: &Layer,
    output: &Output,
    sides: (usize, usize),
) -> Map {
    let (k, channels) = (window.kernel, input.c);
    let padded = window.pad(input, sides, border);
    Map::made(sides.0, sides.1, channels, |y, x, c| {
        let mut sum = i64::from(layer.bias[c]);
        for ky in 0..k {
            for kx in 0..k {
                let weight = layer.weights[(ky * k + kx) * channels + c];
                sum += padded.at(y * window.stride + ky, x * window.stride + kx, c) * i64::from(weight);
            }
        }
        output.requantize(sum, layer.multipliers[c])
    })
}

/// Any operator that slides weighted windows, as the plain one that it stands for.
///
/// # Panics
/// If `op` is another.
pub fn windows(
    op: Op,
    input: &Map,
    border: i64,
    window: Window,
    layer: &Layer,
    output: &Output,
    sides: (usize, usize),
) -> Map {
    match op {
        Op::Conv2d | Op::CompactConv2d | Op::WinogradConv3x3 => conv2d(input, border, window, layer, output, sides),
        Op::DepthwiseConv2d | Op::DepthwiseConv3x3 => depthwise(input, border, window, layer, output, sides),
        Op::UpsampledConv3x3 => conv2d(&upsample2d(input, 2), border, window, layer, output, sides),
        Op::UpsampledDepthwiseConv3x3 => depthwise(&upsample2d(input, 2), border, window, layer, output, sides),
        _ => panic!("{op:?} has no windows with weights"),
    }
}

/// The largest of each `size × size` window, moved by `size`.
pub fn max_pool2d(input: &Map, size: usize) -> Map {
    Map::made(input.h / size, input.w / size, input.c, |y, x, c| {
        let mut largest = i64::MIN;
        for dy in 0..size {
            for dx in 0..size {
                largest = largest.max(input.at(y * size + dy, x * size + dx, c));
            }
        }
        largest
    })
}

/// Each pixel repeated `factor × factor` times.
pub fn upsample2d(input: &Map, factor: usize) -> Map {
    Map::made(input.h * factor, input.w * factor, input.c, |y, x, c| {
        input.at(y / factor, x / factor, c)
    })
}

/// Channels of `a`, then of `b`.
pub fn concat(a: &Map, b: &Map) -> Map {
    Map::made(a.h, a.w, a.c + b.c, |y, x, c| {
        if c < a.c { a.at(y, x, c) } else { b.at(y, x, c - a.c) }
    })
}

/// `clamp(((a·qa + b·qb + bias) >> s) + zero_point, lo, hi)`, the shift written as a division that rounds down.
pub fn add(a: &Map, b: &Map, [qa, qb, bias]: [i32; 3], right_shift: u8, output: &Output) -> Map {
    Map::made(a.h, a.w, a.c, |y, x, c| {
        let sum = a.at(y, x, c) * i64::from(qa) + b.at(y, x, c) * i64::from(qb) + i64::from(bias);
        let shifted = sum.div_euclid(1 << right_shift);
        clamp(i128::from(shifted + output.zero_point), output.lo, output.hi)
    })
}

/// Each code looked up; the table begins with that of −128.
pub fn lut(input: &Map, table: &[i8]) -> Map {
    Map::made(input.h, input.w, input.c, |y, x, c| {
        i64::from(table[(input.at(y, x, c) + 128) as usize])
    })
}
