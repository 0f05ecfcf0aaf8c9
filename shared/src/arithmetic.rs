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

/// Right shifts that [`Requantize`] may use: only the high word of the product is ever needed.
pub const SHIFTS: core::ops::RangeInclusive<u8> = 32..=54;

/// From accumulators to codes: `clamp(((acc · q + 2^(s−1)) >> s) + zero_point, lo, hi)`, one rounding, half up.
#[derive(Clone, Copy, Debug)]
pub struct Requantize<'a> {
    /// `q` per channel, in `1..2^31`: the real multiplier is `q / 2^right_shift`.
    pub multipliers: &'a [i32],
    /// `s`, one per layer, in [`SHIFTS`].
    pub right_shift: u8,
    /// The output's zero point.
    pub zero_point: i8,
    /// Least output code; carries ReLU.
    pub lo: i8,
    /// Largest output code.
    pub hi: i8,
}

impl Requantize<'_> {
    /// The output code of one channel.
    ///
    /// # Panics
    /// If there is no multiplier for that channel.
    #[inline(always)]
    pub fn apply(&self, acc: i32, channel: usize) -> i8 {
        let product = i64::from(acc) * i64::from(self.multipliers[channel]);
        let rounded = (product + (1 << (self.right_shift - 1))) >> self.right_shift;
        clamp(rounded as i32 + i32::from(self.zero_point), self.lo, self.hi)
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

/// `1 / (1 + e^−x)`, with micromath's exponential: within 7e-4 of the exact value.
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
