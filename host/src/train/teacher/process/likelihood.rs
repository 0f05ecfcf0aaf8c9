//! How likely the targets are under a kernel, and which way they become likelier.

use ndarray::Array2;
use rayon::prelude::*;

use super::cholesky::Factor;
use super::kernel::Kernel;

/// Points and what was observed there.
#[derive(Clone, Debug, Default)]
pub struct Observations {
    /// `targets × axes` coordinates.
    pub points: Vec<f64>,
    /// In standard deviations from the mean.
    pub targets: Vec<f64>,
}

impl Observations {
    /// One point.
    pub fn point(&self, index: usize) -> &[f64] {
        let axes = self.axes();
        &self.points[index * axes..(index + 1) * axes]
    }

    /// How many axes a point has.
    pub fn axes(&self) -> usize {
        self.points.len() / self.targets.len()
    }

    /// The logarithm of the targets' likelihood, and its derivatives by [`Kernel::logarithms`]; `None` where the kernel is too flat
    /// for this arithmetic. Rasmussen and Williams, equations 5.8 and 5.9.
    pub fn likelihood(&self, kernel: &Kernel) -> Option<(f64, Vec<f64>)> {
        let factor = self.factor(kernel)?;
        let weights = factor.solve(&self.targets);
        let likelihood = self.of_factor(&factor, &weights);
        let inverse = factor.inverse();
        let of_row = |row: usize| {
            let mut sums = vec![0.0; 2 * self.axes() + 3];
            let own = self.point(row);
            for other in 0..row {
                let weight = weights[row] * weights[other] - inverse[[row, other]];
                kernel.add_derivatives(own, self.point(other), weight, &mut sums);
            }
            let weight = weights[row] * weights[row] - inverse[[row, row]];
            kernel.add_diagonal_derivatives(0.5 * weight, &mut sums);
            sums
        };
        // Rows are added up in their order, however many threads made them.
        let rows: Vec<Vec<f64>> = (0..self.targets.len()).into_par_iter().map(of_row).collect();
        let gradient = rows.into_iter().reduce(|mut sum, row| {
            sum.iter_mut().zip(row).for_each(|(sum, number)| *sum += number);
            sum
        })?;
        Some((likelihood, gradient))
    }

    /// The logarithm of the likelihood, and what each observation weighs in a prediction.
    pub fn weights(&self, kernel: &Kernel) -> Option<(f64, Vec<f64>)> {
        let factor = self.factor(kernel)?;
        let weights = factor.solve(&self.targets);
        Some((self.of_factor(&factor, &weights), weights))
    }

    fn of_factor(&self, factor: &Factor, weights: &[f64]) -> f64 {
        let fit: f64 = self
            .targets
            .iter()
            .zip(weights)
            .map(|(target, weight)| target * weight)
            .sum();
        -0.5 * (fit + factor.log_determinant() + self.targets.len() as f64 * std::f64::consts::TAU.ln())
    }

    fn factor(&self, kernel: &Kernel) -> Option<Factor> {
        let rows = self.targets.len();
        let mut covariance = vec![0.0; rows * rows];
        covariance.par_chunks_mut(rows).enumerate().for_each(|(row, numbers)| {
            let own = self.point(row);
            for (other, number) in numbers[..row].iter_mut().enumerate() {
                *number = kernel.value(own, self.point(other));
            }
            numbers[row] = kernel.diagonal();
        });
        Factor::of(Array2::from_shape_vec([rows, rows], covariance).expect("a square"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::teacher::process::kernel::Component;

    fn kernel() -> Kernel {
        Kernel {
            matern: Component {
                variance: 0.5,
                lengths: vec![0.7, 2.0],
            },
            rbf: Component {
                variance: 1.5,
                lengths: vec![3.0, 0.5],
            },
            noise: 0.1,
        }
    }

    fn observations(count: usize) -> Observations {
        let number = |i: usize| ((i * 7919 + i * i * 31) % 1000) as f64 / 250.0 - 2.0;
        Observations {
            points: (0..2 * count).map(number).collect(),
            targets: (0..count).map(|i| number(i).sin() + 0.1 * number(i + 500)).collect(),
        }
    }

    #[test]
    fn two_observations_by_hand() {
        let (kernel, observations) = (kernel(), observations(2));
        let ([a, b], c, d) = (
            [observations.targets[0], observations.targets[1]],
            kernel.value(observations.point(0), observations.point(1)),
            kernel.diagonal(),
        );
        let determinant = d * d - c * c;
        let expected = -0.5 * ((d * a * a - 2.0 * c * a * b + d * b * b) / determinant + determinant.ln())
            - std::f64::consts::TAU.ln();
        let (likelihood, weights) = observations.weights(&kernel).unwrap();
        assert!((likelihood - expected).abs() < 1e-12, "{likelihood} {expected}");
        assert!((weights[0] - (d * a - c * b) / determinant).abs() < 1e-12);
        assert!((weights[1] - (d * b - c * a) / determinant).abs() < 1e-12);
    }

    #[test]
    fn the_gradient_is_that_of_finite_differences() {
        let observations = observations(90);
        let start = kernel().logarithms();
        let (likelihood, gradient) = observations.likelihood(&kernel()).unwrap();
        assert_eq!(observations.weights(&kernel()).unwrap().0, likelihood);
        for (index, &derivative) in gradient.iter().enumerate() {
            let at = |step: f64| {
                let mut moved = start.clone();
                moved[index] += step;
                observations.weights(&Kernel::of_logarithms(&moved)).unwrap().0
            };
            let difference = (at(1e-5) - at(-1e-5)) / 2e-5;
            let off = (difference - derivative).abs() / derivative.abs().max(1.0);
            assert!(off < 1e-6, "number {index}: {derivative}, by differences {difference}");
        }
    }

    #[test]
    fn one_point_seen_twice_needs_noise() {
        let twice = Observations {
            points: vec![1.0, 2.0, 1.0, 2.0],
            targets: vec![0.5, 0.7],
        };
        assert!(twice.likelihood(&kernel()).is_some());
        // All variances together are 4, whose root is exact.
        let silent = Kernel {
            rbf: Component {
                variance: 3.5,
                lengths: vec![3.0, 0.5],
            },
            noise: 0.0,
            ..kernel()
        };
        assert!(twice.likelihood(&silent).is_none());
    }
}
