//! Counts of values in bars of equal width.

use serde::Serialize;

/// How many bars there are, if the values are not all one.
const BARS: usize = 30;

/// Counts of values.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Histogram {
    /// Where the first bar begins.
    pub low: f64,
    /// Where the last bar ends.
    pub high: f64,
    /// Values per bar; one on an edge belongs to the bar above it, the largest to the last.
    pub counts: Vec<u64>,
    /// Mean of the values.
    pub mean: f64,
    /// Half of the values are no larger.
    pub median: f64,
}

impl Histogram {
    /// Of finite values.
    pub fn new(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (low, high) = (
            sorted.first().copied().unwrap_or(0.0),
            sorted.last().copied().unwrap_or(0.0),
        );
        let bars = if high > low { BARS } else { 1 };
        let mut counts = vec![0; bars];
        for value in values {
            let share = (value - low) / (high - low).max(f64::MIN_POSITIVE);
            counts[((share * bars as f64) as usize).min(bars - 1)] += 1;
        }
        Self {
            low,
            high,
            counts,
            mean: values.iter().sum::<f64>() / values.len().max(1) as f64,
            median: sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(0.0),
        }
    }

    /// Each bar: where it begins, where it ends, how many values it holds.
    pub fn bars(&self) -> impl Iterator<Item = (f64, f64, u64)> {
        let width = (self.high - self.low) / self.counts.len() as f64;
        let counts = self.counts.iter().enumerate();
        counts.map(move |(bar, &count)| {
            (
                self.low + bar as f64 * width,
                self.low + (bar + 1) as f64 * width,
                count,
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_counted_once() {
        let values: Vec<f64> = (0..=60).map(f64::from).collect();
        let histogram = Histogram::new(&values);
        // Two values per bar of width 2; the largest joins the last.
        assert_eq!(histogram.counts[..29], [2; 29]);
        assert_eq!(histogram.counts[29], 3);
        assert_eq!((histogram.mean, histogram.median), (30.0, 30.0));
        assert_eq!(histogram.bars().last(), Some((58.0, 60.0, 3)));
    }

    #[test]
    fn one_value_makes_one_bar() {
        assert_eq!(Histogram::new(&[4.0, 4.0]).counts, [2]);
        assert_eq!(Histogram::new(&[]).counts, [0]);
    }
}
