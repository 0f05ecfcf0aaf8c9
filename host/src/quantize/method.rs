//! How a trained model is made ready for int8 without training it further.
//!
//! None of this costs the device anything: bytes and instructions stay what they are. So the cheapest method is the plainest one.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::range::RangeRule;

/// A way of post-training quantisation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PostTraining {
    /// How ranges are found.
    pub ranges: RangeRule,
    /// Whether channels are rescaled first: see [`equalize`](super::equalize).
    pub equalize: bool,
    /// Whether the mean error of each channel is taken back: see [`bias`](super::bias).
    pub correct_bias: bool,
}

impl PostTraining {
    /// Every combination that a search tries, the plainest first.
    pub fn all() -> Vec<Self> {
        let rules = [
            RangeRule::MinMax,
            RangeRule::Percentile(99.99),
            RangeRule::Percentile(99.9),
            RangeRule::Mse,
        ];
        let each = |ranges| {
            [(false, false), (true, false), (false, true), (true, true)].map(move |(equalize, correct_bias)| Self {
                ranges,
                equalize,
                correct_bias,
            })
        };
        let mut all: Vec<Self> = rules.into_iter().flat_map(each).collect();
        all.sort_by_key(Self::steps);
        all
    }

    /// How many things it does beyond taking the smallest and largest value: what a search calls its cost.
    pub fn steps(&self) -> u32 {
        let ranges = match self.ranges {
            RangeRule::MinMax => 0,
            RangeRule::Percentile(_) | RangeRule::Mse => 1,
        };
        ranges + u32::from(self.equalize) + u32::from(self.correct_bias)
    }
}

impl fmt::Display for PostTraining {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ranges.fmt(f)?;
        f.write_str(if self.equalize { " + equalize" } else { "" })?;
        f.write_str(if self.correct_bias { " + correct-bias" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_methods_come_first() {
        let all = PostTraining::all();
        assert_eq!(all.len(), 16);
        assert_eq!(all[0].to_string(), "min-max");
        assert_eq!(all[15].to_string(), "mse + equalize + correct-bias");
        assert!(all.windows(2).all(|pair| pair[0].steps() <= pair[1].steps()));
        assert!(all.contains(&PostTraining::default()));
    }
}
