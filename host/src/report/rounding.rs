//! What rounding to int8 changed: outputs of the int8 model against those of the float model, row by row.

use serde::Serialize;

use super::histogram::Histogram;
use super::thin::thin;

/// One head.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rounding {
    /// What is compared.
    pub of: String,
    /// How many values were compared.
    pub values: usize,
    /// The most that an int8 value is away from its float value.
    pub largest_difference: f64,
    /// Mean distance of an int8 value from its float value.
    pub mean_difference: f64,
    /// Decisions that differ, and of how many; none where nothing is decided.
    pub decisions: Option<Decisions>,
    /// int8 less float.
    pub differences: Histogram,
    /// `[float, int8]`: all, or those furthest apart and others evenly spread.
    pub points: Vec<[f64; 2]>,
}

/// Rows or pixels whose class changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Decisions {
    /// Of how many.
    pub all: usize,
    /// Those that changed.
    pub changed: usize,
}

impl Rounding {
    /// Of values in the same order.
    ///
    /// # Panics
    /// If one model gave more than the other.
    pub fn new(of: String, float: &[f64], int8: &[f64], decisions: Option<Decisions>) -> Self {
        assert_eq!(float.len(), int8.len(), "one int8 value per float value");
        let differences: Vec<f64> = int8.iter().zip(float).map(|(int8, float)| int8 - float).collect();
        let points = thin(float.len(), |index| differences[index].abs());
        Self {
            of,
            values: float.len(),
            largest_difference: differences
                .iter()
                .fold(0.0, |most, difference| difference.abs().max(most)),
            mean_difference: differences.iter().map(|difference| difference.abs()).sum::<f64>()
                / differences.len().max(1) as f64,
            decisions,
            differences: Histogram::new(&differences),
            points: points.into_iter().map(|index| [float[index], int8[index]]).collect(),
        }
    }
}

impl Decisions {
    /// Of classes in the same order.
    pub fn new<T: PartialEq>(float: &[T], int8: &[T]) -> Self {
        Self {
            all: float.len(),
            changed: float.iter().zip(int8).filter(|(float, int8)| float != int8).count(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_worked_by_hand() {
        let decisions = Decisions::new(&[1, 0, 1], &[1, 1, 1]);
        assert_eq!((decisions.all, decisions.changed), (3, 1));
        let rounding = Rounding::new("x".into(), &[1.0, 2.0, 3.0], &[1.5, 1.75, 3.0], Some(decisions));
        assert_eq!((rounding.largest_difference, rounding.mean_difference), (0.5, 0.25));
        assert_eq!(rounding.points, [[1.0, 1.5], [2.0, 1.75], [3.0, 3.0]]);
        assert_eq!(rounding.differences.counts.iter().sum::<u64>(), 3);
    }
}
