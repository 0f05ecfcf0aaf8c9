//! Layers by their definition: loops in `f64` over the device's layout, `[h, w, c]`, and the device's order of weights.

use trident::spec::{Activation, Layer, Padding, Shape};

/// What every output sums: weights and one bias per output channel, or per unit of a linear layer.
pub struct PlainWeights<'a> {
    pub weights: &'a [f64],
    /// Empty for none.
    pub bias: &'a [f64],
}

/// One layer on one row, before its activation: the numbers that it reads with their shapes, and the shape that it makes.
pub fn plain_sums(layer: &Layer, weights: Option<&PlainWeights>, read: &[(&[f64], Shape)], shape: Shape) -> Vec<f64> {
    let (from, input) = read[0];
    let [h, w, c] = [shape.h, shape.w, shape.c].map(usize::from);
    let at = |y: isize, x: isize, channel: usize| {
        let inside = (0..input.h as isize).contains(&y) && (0..input.w as isize).contains(&x);
        let index = (y * input.w as isize + x) as usize * usize::from(input.c) + channel;
        if inside { from[index] } else { 0.0 }
    };
    let before = |padding: Padding, side: u16, kernel, stride| padding.extent(side, kernel, stride).unwrap().1 as isize;
    let of = || weights.expect("a layer with weights").weights;
    let mut out = Vec::new();
    for (y, x, o) in (0..h).flat_map(|y| (0..w).flat_map(move |x| (0..c).map(move |o| (y, x, o)))) {
        let window = |kernel: u8, stride: u8, padding: Padding| {
            let top = y as isize * stride as isize - before(padding, input.h, kernel, stride);
            let left = x as isize * stride as isize - before(padding, input.w, kernel, stride);
            let k = usize::from(kernel);
            (0..k * k).map(move |tap| (tap, top + (tap / k) as isize, left + (tap % k) as isize))
        };
        let unit = (y * w + x) * c + o;
        let sum: f64 = match *layer {
            Layer::Linear { .. } => {
                let weights = &of()[unit * from.len()..(unit + 1) * from.len()];
                weights.iter().zip(from).map(|(w, v)| w * v).sum()
            }
            Layer::Conv2d {
                kernel,
                stride,
                padding,
                ..
            } => {
                let inputs = usize::from(input.c);
                let taps = usize::from(kernel).pow(2);
                let weights = &of()[o * taps * inputs..];
                let of_tap = |(tap, y, x)| {
                    (0..inputs)
                        .map(|i| weights[tap * inputs + i] * at(y, x, i))
                        .sum::<f64>()
                };
                window(kernel, stride, padding).map(of_tap).sum()
            }
            Layer::DepthwiseConv2d {
                kernel,
                stride,
                padding,
                ..
            } => {
                let of_tap = |(tap, y, x)| of()[tap * c + o] * at(y, x, o);
                window(kernel, stride, padding).map(of_tap).sum()
            }
            Layer::MaxPool2d { size } => {
                let reads = window(size, size, Padding::Valid).map(|(_, y, x)| at(y, x, o));
                reads.fold(f64::NEG_INFINITY, f64::max)
            }
            Layer::Upsample2d { factor } => at(
                (y / usize::from(factor)) as isize,
                (x / usize::from(factor)) as isize,
                o,
            ),
            Layer::Add { .. } => from[unit] + read[1].0[unit],
            Layer::Concat => {
                let first = usize::from(input.c);
                match o.checked_sub(first) {
                    None => at(y as isize, x as isize, o),
                    Some(rest) => read[1].0[(y * w + x) * (c - first) + rest],
                }
            }
        };
        let bias = weights.map_or(&[][..], |weights| weights.bias);
        let bias = match layer {
            Layer::Linear { .. } => bias.get(unit),
            _ => bias.get(o),
        };
        out.push(sum + bias.unwrap_or(&0.0));
    }
    out
}

/// What becomes of a sum.
pub fn plain_activation(activation: Activation, sum: f64) -> f64 {
    match activation {
        Activation::None => sum,
        Activation::Relu => sum.max(0.0),
        Activation::Sigmoid => 1.0 / (1.0 + (-sum).exp()),
    }
}
