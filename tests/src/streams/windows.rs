//! Windows whose weights stand in their stream as they are.

use super::{Filled, QUAD, Words, of_channels};
use crate::layer::Layer;

pub(super) fn tiles(words: &mut Words<'_>, filters: usize, lines: usize, line: usize) -> Layer {
    let padded = line.next_multiple_of(4);
    let mut filled = Filled::new(filters.next_multiple_of(4), lines * padded);
    for group in (0..filters).step_by(4) {
        filled.bias[group..group + 4].copy_from_slice(&words.numbers(4));
        for quad in (0..lines * padded).step_by(4) {
            for columns in QUAD {
                for filter in group..group + 4 {
                    for (column, weight) in columns.into_iter().zip(words.halves()) {
                        filled.weights[filter][quad + column] = weight;
                    }
                }
            }
        }
        filled.multipliers[group..group + 4].copy_from_slice(&words.numbers(4));
    }
    // Every line of a window is filled up for itself.
    for weights in &mut filled.weights {
        let unfilled = weights.chunks(padded).flat_map(|filled| {
            assert!(filled[line..].iter().all(|&weight| weight == 0));
            &filled[..line]
        });
        *weights = unfilled.copied().collect();
    }
    filled.cut(filters, lines * line)
}

pub(super) fn bytes(words: &mut Words<'_>, kernel: usize, channels: usize) -> Layer {
    let count = kernel * kernel * channels;
    let bytes: Vec<i8> = words
        .numbers(count.div_ceil(4))
        .iter()
        .flat_map(|word| word.to_le_bytes())
        .map(|byte| byte as i8)
        .collect();
    assert!(bytes[count..].iter().all(|&byte| byte == 0));
    Layer {
        weights: bytes[..count].to_vec(),
        bias: words.numbers(channels),
        multipliers: words.numbers(channels),
    }
}

pub(super) fn depthwise(words: &mut Words<'_>, channels: usize) -> Layer {
    let mut filled = Filled::new(channels.next_multiple_of(4), 9);
    for channel in 0..channels.next_multiple_of(4) {
        let window = &mut filled.weights[channel];
        for x in 0..3 {
            [window[x], window[3 + x]] = words.halves();
        }
        [window[6], window[7]] = words.halves();
        let unused;
        [window[8], unused] = words.halves();
        assert_eq!(unused, 0);
        filled.bias[channel] = words.word();
        filled.multipliers[channel] = words.word();
    }
    of_channels(filled, channels)
}
