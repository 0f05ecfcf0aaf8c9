//! Repeatable random numbers for tests: SplitMix64 (Steele, Lea, Flood 2014).

use std::ops::RangeInclusive;

/// A generator; equal seeds give equal numbers.
#[derive(Clone, Debug)]
pub struct Noise(u64);

impl Noise {
    /// The generator of that seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A whole number in that range.
    ///
    /// # Panics
    /// If the range is empty or spans more than 2^63 numbers.
    pub fn int(&mut self, range: RangeInclusive<i64>) -> i64 {
        let span = range.end() - range.start() + 1;
        assert!(span > 0, "empty range {range:?}");
        range.start() + (self.bits() % span as u64) as i64
    }

    /// A number in `0..len`.
    pub fn index(&mut self, len: usize) -> usize {
        self.int(0..=len as i64 - 1) as usize
    }

    /// Any code.
    pub fn code(&mut self) -> i8 {
        self.bits() as i8
    }

    /// A real number in [−1, 1).
    pub fn unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }

    /// Activation codes: mostly of every kind, at times all at one extreme.
    pub fn codes(&mut self, len: usize) -> Vec<i8> {
        match self.int(0..=7) {
            0 => vec![-128; len],
            1 => vec![127; len],
            _ => (0..len).map(|_| self.code()).collect(),
        }
    }

    /// Weights in [−127, 127]: mostly of every kind, at times only the extremes.
    pub fn weights(&mut self, len: usize) -> Vec<i8> {
        match self.int(0..=7) {
            0 => vec![127; len],
            1 => vec![-127; len],
            2 => (0..len)
                .map(|_| if self.bits() & 1 == 0 { 127 } else { -127 })
                .collect(),
            _ => (0..len).map(|_| self.int(-127..=127) as i8).collect(),
        }
    }

    /// Biases up to 2^24 in magnitude.
    pub fn biases(&mut self, len: usize) -> Vec<i32> {
        let most = 1 << self.int(0..=24);
        (0..len).map(|_| self.int(-most..=most) as i32).collect()
    }

    /// Multipliers in `1..2^31`, of every magnitude but mostly large, as the quantiser makes them.
    pub fn multipliers(&mut self, len: usize) -> Vec<i32> {
        (0..len)
            .map(|_| {
                let least = if self.int(0..=3) == 0 { 1 } else { 1 << 29 };
                self.int(least..=i64::from(i32::MAX)) as i32
            })
            .collect()
    }

    /// Least and largest output code: mostly all codes, at times a part of them.
    pub fn code_range(&mut self) -> (i8, i8) {
        if self.int(0..=2) > 0 {
            return (-128, 127);
        }
        let (a, b) = (self.code(), self.code());
        (a.min(b), a.max(b))
    }
}
