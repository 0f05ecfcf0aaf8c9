//! From real multipliers to the integers of `trident.int8.v1`: weight scales, requantisation, addition.

use trident::arithmetic::ADD_SHIFT;
use trident::graph::Node;
use trident::spec::Layer;

use super::range::Quantization;
use crate::model::LayerWeights;

/// The output channel that a weight belongs to, in the device's order.
pub(crate) fn channel_of(layer: &Layer, index: usize, weights: usize, channels: usize) -> usize {
    match layer {
        Layer::DepthwiseConv2d { .. } => index % channels,
        _ => index / (weights / channels),
    }
}

/// `max|w| / 127` per output channel. A channel whose bias would not fit its accumulator gets a coarser scale; its weights are
/// then far too small to matter beside it.
pub(crate) fn weight_scales(layer: &Layer, weights: &LayerWeights, input_scale: f32) -> Vec<f32> {
    let channels = weights.bias.len();
    let mut largest = vec![0f32; channels];
    for (index, weight) in weights.weights.iter().enumerate() {
        let channel = channel_of(layer, index, weights.weights.len(), channels);
        largest[channel] = largest[channel].max(weight.abs());
    }
    let most = 2f32.powi(30);
    let scale = |(largest, bias): (&f32, &f32)| (largest / 127.0).max(bias.abs() / (input_scale * most)).max(1e-12);
    largest.iter().zip(&weights.bias).map(scale).collect()
}

/// Every weight's code, by the scale of its channel: rounded half away from zero.
pub(crate) fn weight_codes(layer: &Layer, weights: &[f32], scales: &[f32]) -> Vec<i8> {
    let code = |(index, weight): (usize, &f32)| {
        let scale = scales[channel_of(layer, index, weights.len(), scales.len())];
        (weight * (1.0 / scale)).round().clamp(-127.0, 127.0) as i8
    };
    weights.iter().enumerate().map(code).collect()
}

/// A bias in the steps that its channel's sums are counted in, the input's zero point not yet folded in.
pub(crate) fn bias_code(bias: f32, input_scale: f32, weight_scale: f32) -> i64 {
    (f64::from(bias) / (f64::from(input_scale) * f64::from(weight_scale))).round() as i64
}

/// `round(multiplier · 2^32)`, in `1..2^31`.
pub(super) fn requantization(multiplier: f64) -> i32 {
    (multiplier * 2f64.powi(32)).round().clamp(1.0, f64::from(i32::MAX)) as i32
}

/// Fills in the multipliers of an addition: by [`ADD_SHIFT`] if what is in between stays in 32 bits with the zero point too, else by
/// the largest shift with which it does so.
pub(super) fn add_rule(node: &mut Node, terms: [Quantization; 2], output: Quantization) {
    let ratios = terms.map(|term| f64::from(term.scale) / f64::from(output.scale));
    let rule = |shift: u8| {
        let q = ratios.map(|ratio| (ratio * 2f64.powi(shift.into())).round() as i64);
        let zero: i64 = terms
            .iter()
            .zip(q)
            .map(|(term, q)| i64::from(term.zero_point) * q)
            .sum();
        let bias = (1i64 << (shift - 1)) - zero;
        let reach = 128 * (q[0].abs() + q[1].abs()) + bias.abs();
        let room = if shift == ADD_SHIFT { 128 << shift } else { 0 };
        (reach + room < 1 << 31).then_some((shift, [q[0] as i32, q[1] as i32, bias as i32]))
    };
    if let Some((shift, words)) = rule(ADD_SHIFT).or_else(|| (1..=30).rev().find_map(rule)) {
        (node.right_shift, node.p) = (shift, words);
    }
}

#[cfg(test)]
mod tests {
    use trident::graph::Op;
    use trident::spec::HeadSet;

    use super::*;

    #[test]
    fn multipliers_count_in_parts_of_two_to_the_32() {
        assert_eq!(requantization(0.25), 1 << 30);
        assert_eq!(requantization(0.001), 4_294_967); // 0.001 · 2^32 = 4,294,967.296
        assert_eq!(requantization(1e-12), 1);
        assert_eq!(requantization(0.5), i32::MAX);
    }

    #[test]
    fn a_sum_of_equal_scales_is_the_sum_of_codes() {
        let range = Quantization {
            scale: 0.5,
            zero_point: 3,
        };
        let mut node = Node::new(Op::Add, HeadSet::ALL);
        add_rule(&mut node, [range; 2], range);
        let rule = trident::arithmetic::AddCodes {
            qa: node.p[0],
            qb: node.p[1],
            bias: node.p[2],
            right_shift: node.right_shift,
            zero_point: 3,
            lo: -128,
            hi: 127,
        };
        // real 0.5·(13−3) + 0.5·(−7−3) = 0 → code 3
        assert_eq!(rule.apply(13, -7), 3);
        assert_eq!(rule.apply(127, 127), 127);
        assert_eq!(rule.apply(-128, -128), -128);
    }
}
