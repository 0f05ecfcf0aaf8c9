//! Which real numbers the 256 codes of a tensor stand for.
//!
//! A [`RangeRule`] says how to find them from calibration samples: the smallest and largest value, a share of the values that lies
//! inside, or whichever of many ranges has the least squared error.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The most samples that stand for the values of the middle.
const MAX_SAMPLES: usize = 100_000;
/// Share of the values, at either end, of which each counts.
const TAIL: f64 = 0.005;

/// `real = scale · (code − zero_point)`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quantization {
    /// Real step per code.
    pub scale: f32,
    /// The code of real zero.
    pub zero_point: i8,
}

/// How ranges are to be found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum RangeRule {
    /// Smallest to largest calibration value.
    MinMax,
    /// That share of the values lies inside, in per cent; as much is cut off at either end.
    Percentile(f32),
    /// Of these two and of ranges narrowed step by step, the one of least squared error, tensor by tensor.
    #[default]
    Mse,
}

/// How a range was found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Given: pixels and sigmoid outputs by the format, readings by their tables.
    Fixed,
    /// Smallest to largest calibration value.
    MinMax,
    /// That share of the values lies inside, in per cent.
    Percentile(f32),
    /// The smallest-to-largest range times that factor.
    Narrowed(f32),
    /// By training with rounded numbers: see [`crate::train::aware`].
    Learned,
}

/// A range, how it was found, and what rounding to its codes costs on the samples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// The range.
    pub quantization: Quantization,
    /// How it was found.
    pub method: Method,
    /// Mean squared error over the samples.
    pub mse: f64,
}

impl Quantization {
    /// The narrowest that holds `low..=high` and zero.
    pub fn of(low: f32, high: f32) -> Self {
        let (low, high) = (f64::from(low.min(0.0)), f64::from(high.max(0.0)));
        let scale = ((high - low) / 255.0).max(1e-9) as f32;
        let zero_point = (-128.0 - low / f64::from(scale)).round().clamp(-128.0, 127.0) as i8;
        Self { scale, zero_point }
    }

    /// The real number that a code stands for.
    pub fn real(&self, code: i8) -> f32 {
        self.scale * (f32::from(code) - f32::from(self.zero_point))
    }

    /// The code nearest to a real number.
    pub fn code(&self, real: f32) -> i8 {
        ((real / self.scale).round() + f32::from(self.zero_point)).clamp(-128.0, 127.0) as i8
    }

    fn squared_error(&self, values: &[f32]) -> f64 {
        let error = |&value: &f32| f64::from(value - self.real(self.code(value))).powi(2);
        values.iter().map(error).sum()
    }
}

/// Values that a range is judged by. Ranges differ most in what they do to the few largest and smallest values, and of those a
/// sample as large as this one holds a handful: so samples stand for the middle alone, and the rest is there as a whole.
struct Values {
    /// In ascending order, of all values.
    samples: Vec<f32>,
    /// How many of the samples lie before the middle, and how many up to its end.
    middle: [usize; 2],
    /// All values outside the middle.
    tails: Vec<f32>,
    total: usize,
}

impl Values {
    fn new(parts: &[&[f32]]) -> Self {
        let all = || parts.iter().flat_map(|part| part.iter().copied());
        let total: usize = parts.iter().map(|part| part.len()).sum();
        let step = total.div_ceil(MAX_SAMPLES).max(1);
        // One of each `step`, not always at the same place: a fixed step may meet some channels and never others.
        let place = |i: usize| (i as u32).wrapping_mul(0x9E37_79B9) as usize % step;
        let is_sample = |(i, _): &(usize, f32)| *i % step == place(*i / step);
        let mut samples: Vec<f32> = all().enumerate().filter(is_sample).map(|(_, x)| x).collect();
        samples.sort_unstable_by(f32::total_cmp);
        let cut = (samples.len() as f64 * TAIL) as usize;
        let ends = samples.get(cut).copied().zip(samples.iter().rev().nth(cut).copied());
        let (first, last) = ends.unwrap_or((0.0, 0.0));
        let middle = [
            samples.partition_point(|&x| x < first),
            samples.partition_point(|&x| x <= last),
        ];
        Self {
            middle,
            tails: all().filter(|&x| x < first || x > last).collect(),
            samples,
            total,
        }
    }

    /// What rounding to the codes of a range costs, the mean over all values.
    fn mse(&self, range: Quantization) -> f64 {
        let [first, end] = self.middle;
        let middle = &self.samples[first..end];
        let each_for = (self.total - self.tails.len()) as f64 / middle.len().max(1) as f64;
        (range.squared_error(middle) * each_for + range.squared_error(&self.tails)) / self.total.max(1) as f64
    }
}

impl fmt::Display for RangeRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MinMax => f.write_str("min-max"),
            Self::Percentile(percent) => write!(f, "percentile:{percent}"),
            Self::Mse => f.write_str("mse"),
        }
    }
}

impl FromStr for RangeRule {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word.split_once(':') {
            None if word == "min-max" => Ok(Self::MinMax),
            None if word == "mse" => Ok(Self::Mse),
            Some(("percentile", percent)) => match percent.parse() {
                Ok(percent) if percent > 50.0 && percent <= 100.0 => Ok(Self::Percentile(percent)),
                _ => Err(format!(
                    "`{percent}` is not a share above 50 up to 100, as in `percentile:99.9`"
                )),
            },
            _ => Err("there are `min-max`, `percentile:99.9` (or another share) and `mse`".to_owned()),
        }
    }
}

impl From<RangeRule> for String {
    fn from(rule: RangeRule) -> Self {
        rule.to_string()
    }
}

impl TryFrom<String> for RangeRule {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        word.parse()
    }
}

/// The range of all parts of the sample by a rule.
pub fn choose(rule: RangeRule, parts: &[&[f32]]) -> Choice {
    let all = || parts.iter().flat_map(|part| part.iter().copied());
    let (low, high) = all().fold((0f32, 0f32), |(low, high), x| (low.min(x), high.max(x)));
    let values = Values::new(parts);
    let samples = &values.samples;
    let percentile = |percent: f32| {
        let cut = (samples.len() as f32 * (1.0 - percent / 100.0) / 2.0) as usize;
        let inside = samples.get(cut..samples.len().saturating_sub(cut)).unwrap_or_default();
        Quantization::of(
            inside.first().copied().unwrap_or(0.0),
            inside.last().copied().unwrap_or(0.0),
        )
    };
    let candidates: Vec<(Method, Quantization)> = match rule {
        RangeRule::MinMax => vec![(Method::MinMax, Quantization::of(low, high))],
        RangeRule::Percentile(percent) => vec![(Method::Percentile(percent), percentile(percent))],
        RangeRule::Mse => {
            let percentiles = [99.99, 99.9, 99.5].map(|p| (Method::Percentile(p), percentile(p)));
            let narrowed = (8..20).map(|step| {
                let factor = step as f32 * 0.05;
                (Method::Narrowed(factor), Quantization::of(low * factor, high * factor))
            });
            [(Method::MinMax, Quantization::of(low, high))]
                .into_iter()
                .chain(percentiles)
                .chain(narrowed)
                .collect()
        }
    };
    candidates
        .into_iter()
        .map(|(method, quantization)| Choice {
            quantization,
            method,
            mse: values.mse(quantization),
        })
        .min_by(|a, b| a.mse.total_cmp(&b.mse))
        .expect("every rule has a candidate")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_has_a_code_of_its_own() {
        for (low, high) in [(-1.0, 3.0), (0.0, 7.3), (-5.5, -1.0), (2.0, 9.0), (0.0, 0.0)] {
            let range = Quantization::of(low, high);
            assert_eq!(range.real(range.zero_point), 0.0);
        }
    }

    #[test]
    fn evenly_spread_values_keep_their_whole_range() {
        let samples: Vec<f32> = (-128..128).map(|i| i as f32).collect();
        let choice = choose(RangeRule::Mse, &[&samples]);
        assert_eq!(choice.method, Method::MinMax);
        assert!(choice.mse < 1e-9);
    }

    #[test]
    fn a_lone_outlier_is_cut_off() {
        let mut samples: Vec<f32> = (0..20_000).map(|i| (i % 200) as f32 / 200.0).collect();
        samples.push(4.0);
        let choice = choose(RangeRule::Mse, &[&samples]);
        assert!(choice.quantization.scale < 4.0 / 255.0, "{choice:?}");
    }

    /// A map of 12 channels, one of which alone reaches far, and that seldom: samples at even steps would pass it by, or meet it too often.
    #[test]
    fn the_error_of_a_sample_is_that_of_all_values() {
        let value = |i: usize| {
            let noise = (i as u32).wrapping_mul(0x85EB_CA6B) >> 8;
            let small = noise as f32 / (1 << 24) as f32;
            match i % 12 {
                5 if noise.is_multiple_of(900) => 4.0 + 20.0 * small,
                _ => small,
            }
        };
        let all: Vec<f32> = (0..1_600_000).map(value).collect();
        assert_eq!(all.len().div_ceil(MAX_SAMPLES) % 4, 0);
        let values = Values::new(&[&all[..700_000], &all[700_000..]]);
        for high in [0.5, 1.0, 2.0, 6.0, 12.0, 24.0] {
            let range = Quantization::of(0.0, high);
            let (found, exact) = (values.mse(range), range.squared_error(&all) / all.len() as f64);
            assert!((found / exact - 1.0).abs() < 0.02, "{high}: {found} {exact}");
        }
    }

    #[test]
    fn rules_do_what_they_say() {
        // 1000 values from 0 to 999 and one of 5000.
        let mut samples: Vec<f32> = (0..1000).map(|i| i as f32).collect();
        samples.push(5000.0);
        let end = |rule: RangeRule| choose(rule, &[&samples]).quantization.real(127);
        assert_eq!(end(RangeRule::MinMax), 5000.0);
        // 1 % of 1001 values: five at either end.
        assert_eq!(end(RangeRule::Percentile(99.0)), 995.0);
        let mse = |rule: RangeRule| choose(rule, &[&samples]).mse;
        assert!(mse(RangeRule::Mse) <= mse(RangeRule::MinMax).min(mse(RangeRule::Percentile(99.9))));
    }

    #[test]
    fn rules_are_words() {
        for rule in [RangeRule::MinMax, RangeRule::Percentile(99.95), RangeRule::Mse] {
            assert_eq!(rule.to_string().parse(), Ok(rule));
        }
        for bad in [
            "",
            "minmax",
            "percentile",
            "percentile:",
            "percentile:50",
            "percentile:101",
            "percentile:NaN",
            "mse:1",
        ] {
            assert!(bad.parse::<RangeRule>().is_err(), "{bad}");
        }
    }
}
