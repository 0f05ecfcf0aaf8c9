//! The arithmetic `trident.int8.v1`: every rounding and every float step that host and device share.
//!
//! `real = scale · (code − zero_point)`, codes in −128..=127. Weights are symmetric per output channel, in −127..=127;
//! activations are asymmetric per tensor; accumulators are `i32`. This is the 8-bit scheme of LiteRT
//! (<https://ai.google.dev/edge/litert/models/quantization_spec>) with one rounding in requantisation instead of two.
//!
//! Float steps are compare, +, −, × and ÷ on `f32`, which IEEE 754 rounds alike on every core, with or without an FPU, and
//! [`micromath`]'s exponential, called by path so that the host's `std` cannot stand in for it.

/// The name of this arithmetic, carried in every blob.
pub const NAME: &str = "trident.int8.v1";

/// From an accumulator to a code: `clamp(((acc · multiplier + 2^31) >> 32) + zero_point, −128, 127)`, one rounding, half up.
///
/// `multiplier` is `round(scale · 2^32)`, in `1..2^31`: a layer's real multiplier lies below one half.
#[inline(always)]
pub const fn requantize(acc: i32, multiplier: i32, zero_point: i8) -> i8 {
    let high = ((acc as i64 * multiplier as i64 + (1 << 31)) >> 32) as i32;
    let code = high + zero_point as i32;
    if code < -128 {
        -128
    } else if code > 127 {
        127
    } else {
        code as i8
    }
}

/// From two codes to the code of their sum: `clamp(((a · qa + b · qb + bias) >> s) + zero_point, lo, hi)` in 32 bits, both
/// zero points and the rounding in `bias`.
#[derive(Clone, Copy, Debug)]
pub struct AddCodes {
    /// Multiplier of the first input.
    pub qa: i32,
    /// Multiplier of the second input.
    pub qb: i32,
    /// `2^(s−1) − zero_point_a · qa − zero_point_b · qb`.
    pub bias: i32,
    /// `s`, in 1..=30.
    pub right_shift: u8,
    /// The output's zero point.
    pub zero_point: i8,
    /// Least output code.
    pub lo: i8,
    /// Largest output code.
    pub hi: i8,
}

/// The right shift that the quantiser gives an addition wherever it can: cores that shift and saturate at once have it in one instruction. Multipliers
/// move a sum by less than 0.0003 of a code.
pub const ADD_SHIFT: u8 = 20;

impl AddCodes {
    /// The output code.
    #[inline(always)]
    pub fn apply(&self, a: i8, b: i8) -> i8 {
        let sum = i32::from(a) * self.qa + i32::from(b) * self.qb + self.bias;
        clamp((sum >> self.right_shift) + i32::from(self.zero_point), self.lo, self.hi)
    }
}

#[inline(always)]
fn clamp(value: i32, lo: i8, hi: i8) -> i8 {
    value.clamp(i32::from(lo), i32::from(hi)) as i8
}

/// The code of a real number: `round(real · inverse_scale) + zero_point`, half away from zero, saturating.
///
/// `real` is finite; a product beyond `i32` saturates as `as` does.
pub fn quantize(real: f32, inverse_scale: f32, zero_point: i8) -> i8 {
    let scaled = real * inverse_scale;
    let whole = scaled as i32;
    let rest = scaled - whole as f32;
    let rounded = if rest >= 0.5 {
        whole.saturating_add(1)
    } else if rest <= -0.5 {
        whole.saturating_sub(1)
    } else {
        whole
    };
    rounded.saturating_add(i32::from(zero_point)).clamp(-128, 127) as i8
}

/// Logits beyond ±[`LOGIT_LIMIT`] are cut there: the sigmoid is 0 or 1 to `f32` precision long before.
pub const LOGIT_LIMIT: f32 = 40.0;

/// `1 / (1 + e^−x)`, with micromath's exponential: within 5.3e-4 of the exact value, worst at ±ln 2.
///
/// It never falls from one logit to the next where they are 2^−10 apart or more; closer together it may, by 3e-6, where the
/// exponential changes its formula.
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x.clamp(-LOGIT_LIMIT, LOGIT_LIMIT)))
}

/// Turns logits into probabilities that sum to 1, in place. The largest logit is subtracted first.
pub fn softmax(logits: &mut [f32]) {
    let mut largest = f32::NEG_INFINITY;
    for &logit in logits.iter() {
        if logit > largest {
            largest = logit;
        }
    }
    let mut sum = 0.0;
    for logit in logits.iter_mut() {
        let below = *logit - largest;
        *logit = exp(if below < -LOGIT_LIMIT { -LOGIT_LIMIT } else { below });
        sum += *logit;
    }
    for probability in logits {
        *probability /= sum;
    }
}

fn exp(x: f32) -> f32 {
    micromath::F32Ext::exp(x)
}

/// Index of the largest code; the lowest index where several are equal.
///
/// # Panics
/// If `codes` is empty.
pub fn argmax(codes: &[i8]) -> usize {
    let mut best = 0;
    for (index, &code) in codes.iter().enumerate() {
        if code > codes[best] {
            best = index;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requantize_rounds_half_up() {
        // 2^30 / 2^32 is a quarter: 2 · ¼ = 0.5 goes up to 1, −2 · ¼ = −0.5 goes up to 0.
        let quarters = [(1, 0), (2, 1), (3, 1), (4, 1), (5, 1), (6, 2), (10, 3)];
        let below = [
            (-1, 0),
            (-2, 0),
            (-3, -1),
            (-5, -1),
            (-6, -1),
            (-7, -2),
            (-10, -2),
            (-11, -3),
        ];
        for (acc, code) in quarters.into_iter().chain(below) {
            assert_eq!(requantize(acc, 1 << 30, 0), code, "{acc} / 4");
        }
    }

    #[test]
    fn requantize_rounds_once() {
        // 2^8 / 2^32 is 2^−24: half a code is 2^23 accumulator steps.
        let half = 1 << 23;
        assert_eq!(requantize(half, 1 << 8, 0), 1);
        assert_eq!(requantize(half - 1, 1 << 8, 0), 0);
        assert_eq!(requantize(-half, 1 << 8, 0), 0);
        assert_eq!(requantize(-half - 1, 1 << 8, 0), -1);
    }

    #[test]
    fn requantize_adds_the_zero_point_and_saturates() {
        assert_eq!(requantize(40, 1 << 30, -10), 0);
        assert_eq!(requantize(40, 1 << 29, -10), -5);
        assert_eq!(requantize(-40, 1 << 30, -120), -128);
        assert_eq!(requantize(508, 1 << 30, 0), 127);
        assert_eq!(requantize(512, 1 << 30, 0), 127);
    }

    #[test]
    fn requantize_takes_every_accumulator() {
        // (−2^31) · (2^31 − 1) >> 32 is about −2^30, and so far from overflowing.
        assert_eq!(requantize(i32::MIN, i32::MAX, -128), -128);
        assert_eq!(requantize(i32::MAX, i32::MAX, 127), 127);
        assert_eq!(requantize(i32::MIN, 1, 0), 0); // −0.5 goes up
    }

    #[test]
    fn add_codes_rounds_half_up() {
        // Means: ½a + ½b, with ½ as 2^19 / 2^20; the bias is the rounding, 2^19, as both zero points are 0.
        let (zero_point, lo, hi) = (0, -100, 100);
        let mut rule = AddCodes {
            qa: 1 << 19,
            qb: 1 << 19,
            bias: 1 << 19,
            right_shift: 20,
            zero_point,
            lo,
            hi,
        };
        assert_eq!(rule.apply(1, 2), 2); // 1.5
        assert_eq!(rule.apply(-1, -2), -1); // −1.5
        assert_eq!(rule.apply(-2, -2), -2);
        assert_eq!(rule.apply(-128, -128), -100);
        assert_eq!(rule.apply(127, 127), 100);
        // Zero points −4 and 6 for the inputs, 3 for the output: ½·(0 + 4) + ½·(8 − 6) + 3 = 6.
        rule.bias = (1 << 19) + 4 * (1 << 19) - 6 * (1 << 19);
        rule.zero_point = 3;
        assert_eq!(rule.apply(0, 8), 6);
    }

    #[test]
    fn quantize_rounds_half_away_from_zero() {
        let cases = [
            (0.0, 0),
            (0.499_999_97, 0), // the largest f32 below a half; adding 0.5 to it would give 1
            (0.5, 1),
            (1.5, 2),
            (2.5, 3),
            (2.499_999_8, 2),
            (1e-45, 0),
            (126.5, 127),
        ];
        for (real, code) in cases {
            assert_eq!(quantize(real, 1.0, 0), code, "{real}");
            assert_eq!(quantize(-real, 1.0, 0), -code, "−{real}");
        }
        assert_eq!(quantize(0.25, 2.0, 10), 11);
        assert_eq!(quantize(-0.25, 2.0, 10), 9);
    }

    #[test]
    fn quantize_saturates() {
        assert_eq!(quantize(127.5, 1.0, 0), 127);
        assert_eq!(quantize(-128.5, 1.0, 0), -128);
        for zero_point in [-128, 0, 127] {
            for (real, inverse_scale) in [
                (1e30, 1.0),
                (f32::MAX, 2.0),
                (f32::INFINITY, 1.0),
                (2_147_483_648.0, 1.0),
            ] {
                assert_eq!(quantize(real, inverse_scale, zero_point), 127, "{real}");
                assert_eq!(quantize(-real, inverse_scale, zero_point), -128, "−{real}");
            }
        }
    }

    #[test]
    fn sigmoid_is_near_the_exact_one_and_never_falls() {
        let mut last = 0.0;
        for step in -45 * 1024..=45 * 1024 {
            let x = step as f32 / 1024.0;
            let exact = 1.0 / (1.0 + f64::exp(-f64::from(x)));
            let probability = sigmoid(x);
            let error = f64::from(probability) - exact;
            assert!(error.abs() < 5.3e-4, "{x}: off by {error}");
            assert!(probability >= last, "falls at {x}");
            last = probability;
        }
        assert_eq!(sigmoid(0.0), 0.5);
        assert_eq!((sigmoid(f32::MAX), sigmoid(1e3)), (1.0, 1.0));
        assert!(sigmoid(f32::MIN) > 0.0 && sigmoid(f32::MIN) < 1e-17);
    }

    #[test]
    fn softmax_sums_to_one() {
        let rows: [&mut [f32]; 5] = [
            &mut [0.0],
            &mut [3.0, -1.0],
            &mut [1e30, -1e30, 5.0],
            &mut [-700.0, -700.5, -701.0, -699.0],
            &mut [0.25; 16],
        ];
        for row in rows {
            let largest = row
                .iter()
                .enumerate()
                .fold(0, |best, (i, x)| if *x > row[best] { i } else { best });
            softmax(row);
            let sum: f32 = row.iter().sum();
            assert!((sum - 1.0).abs() < 1e-6, "{row:?}");
            assert!(
                row.iter().all(|probability| (0.0..=row[largest]).contains(probability)),
                "{row:?}"
            );
        }
        let mut even = [7.0; 4];
        softmax(&mut even);
        assert_eq!(even, [0.25; 4]);
    }

    #[test]
    fn argmax_ties_go_to_the_lowest() {
        assert_eq!(argmax(&[5]), 0);
        assert_eq!(argmax(&[-128, -128, -128]), 0);
        assert_eq!(argmax(&[-1, 3, 3, -128]), 1);
        assert_eq!(argmax(&[0, 1, 127, 126, 127]), 2);
    }
}
