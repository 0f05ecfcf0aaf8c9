//! Whether probabilities come true: of all cases that were given 80 %, eight in ten should be so.
//!
//! Cases are put into ten bins of equal width by the probability that they were given. The expected calibration error is the mean
//! distance between what was given and what came true, each bin weighted by its cases (Guo et al., "On Calibration of Modern
//! Neural Networks", 2017).

use serde::Serialize;

/// How many bins the probabilities from 0 to 1 are divided into.
const BINS: usize = 10;

/// How far given probabilities are from what came true.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Calibration {
    /// How many cases were judged.
    pub cases: u64,
    /// The expected calibration error.
    pub expected_error: f64,
    /// Bins that hold cases, from low to high.
    pub bins: Vec<Bin>,
}

/// Cases that were given about the same probability.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bin {
    /// Where it begins.
    pub low: f64,
    /// Where the next one begins.
    pub high: f64,
    /// How many cases it holds.
    pub cases: u64,
    /// Mean of the probabilities that they were given.
    pub given: f64,
    /// Share of them that came true.
    pub came_true: f64,
}

/// Sums per bin, to be filled case by case.
#[derive(Clone, Debug, Default)]
pub struct Sums([(u64, f64, u64); BINS]);

impl Sums {
    /// Adds a case that was given a probability.
    pub fn add(&mut self, probability: f32, came_true: bool) {
        let bin = ((f64::from(probability) * BINS as f64) as usize).min(BINS - 1);
        let (cases, given, hits) = &mut self.0[bin];
        *cases += 1;
        *given += f64::from(probability);
        *hits += u64::from(came_true);
    }

    /// What they say; `None` without cases.
    pub fn calibration(&self) -> Option<Calibration> {
        let cases: u64 = self.0.iter().map(|(cases, ..)| cases).sum();
        let full = self.0.iter().enumerate().filter(|(_, (cases, ..))| *cases > 0);
        let bins: Vec<Bin> = full
            .map(|(number, &(cases, given, hits))| Bin {
                low: number as f64 / BINS as f64,
                high: (number + 1) as f64 / BINS as f64,
                cases,
                given: given / cases as f64,
                came_true: hits as f64 / cases as f64,
            })
            .collect();
        let distance = |bin: &Bin| bin.cases as f64 * (bin.given - bin.came_true).abs();
        (cases > 0).then(|| Calibration {
            cases,
            expected_error: bins.iter().map(distance).sum::<f64>() / cases as f64,
            bins,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_worked_by_hand() {
        let mut sums = Sums::default();
        for (probability, came_true) in [(0.25, false), (0.25, true), (0.75, true), (1.0, true), (0.0, false)] {
            sums.add(probability, came_true);
        }
        let calibration = sums.calibration().unwrap();
        let bins: Vec<_> = calibration
            .bins
            .iter()
            .map(|bin| (bin.low, bin.cases, bin.given, bin.came_true))
            .collect();
        let expected = [
            (0.0, 1, 0.0, 0.0),
            (0.2, 2, 0.25, 0.5),
            (0.7, 1, 0.75, 1.0),
            (0.9, 1, 1.0, 1.0),
        ];
        assert_eq!(bins, expected);
        // (2 · 0.25 + 1 · 0.25) / 5
        assert!((calibration.expected_error - 0.15).abs() < 1e-12);
        assert_eq!(calibration.cases, 5);
    }

    #[test]
    fn without_cases_there_is_nothing_to_say() {
        assert_eq!(Sums::default().calibration(), None);
    }
}
