//! Random shapes and bytes, the same ones on every run.

/// Marsaglia's xorshift with 32 bits of state.
pub struct Random(u32);

impl Random {
    /// From a fixed seed.
    pub fn new() -> Self {
        Self(0x2026_1125)
    }

    /// Any word.
    pub fn word(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        ((u64::from(self.word()) * end as u64) >> 32) as usize
    }

    /// Fills with codes: mostly any, sometimes all of an extreme.
    pub fn codes(&mut self, codes: &mut [i8]) {
        let kind = self.below(8);
        for code in codes {
            *code = match kind {
                0 => -128,
                1 => 127,
                2 => *self.of(&[-128, 127]),
                _ => self.word() as i8,
            };
        }
    }

    /// Fills with words: any, those of two halves as far out as weights go, or all of one extreme.
    pub fn words(&mut self, words: &mut [u32]) {
        let kind = self.below(8);
        let extreme = *self.of(&[0x7FFF_7FFF, 0x8000_8000, 0x8080_8080, 0x7F7F_7F7F, 0, u32::MAX]);
        for word in words {
            *word = match kind {
                0 => extreme,
                1 => *self.of(&[0x7FFF_7FFF, 0x8000_8000, 0x7FFF_8000, 0x8080_7F7F]),
                2 => self.word() & 0x00FF_00FF,
                _ => self.word(),
            };
        }
    }

    /// Any zero point.
    pub fn zero_point(&mut self) -> i8 {
        match self.below(4) {
            0 => *self.of(&[-128, 127, 0]),
            _ => self.word() as i8,
        }
    }

    fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }
}
