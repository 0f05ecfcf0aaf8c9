//! A Gaussian process as teacher of a head of one number, fitted to the head's own training rows.
//!
//! ```text
//! training rows ─► axes ─► kernel of highest likelihood ─► weights ─► soft labels of rows and of points beside them
//! ```
//!
//! A reading's axis is its first model input: standardised, and a logarithm where the head takes one. The kernel is Matérn 3/2 plus
//! squared exponential with a length scale per reading, and noise; its numbers are those of the highest marginal likelihood, found
//! on at most [`FITTED`] rows, first on [`SKETCHED`] of them. Rows that judge the head are never looked at. The same seed gives the
//! same bits, whatever the number of threads. Start with [`Fit`].
//!
//! Carl Edward Rasmussen and Christopher Williams, "Gaussian processes for machine learning", 2006.

mod ascent;
mod cholesky;
mod kernel;
mod likelihood;

use rayon::prelude::*;

use ascent::Ascent;
pub use kernel::{Component, Kernel};
pub(super) use likelihood::Observations;

/// Fewer rows tell nothing of length scales.
pub(super) const FEWEST: usize = 20;

/// With more rows than this the time of the exact process, which grows with their cube, is better spent on the pupil.
pub(super) const MOST: usize = 4_000;

/// The most rows that the kernel's numbers are fitted to.
const FITTED: usize = 1_500;

/// Of these many rows the fit begins with.
const SKETCHED: usize = 400;

/// The most steps of the fit, and of its second part.
const STEPS: usize = 120;
const FEW_STEPS: usize = 40;

/// Bounds of variances and of length scales, in standard deviations.
const VARIANCES: (f64, f64) = (1e-4, 1e4);
const LENGTHS: (f64, f64) = (1e-2, 1e3);
const NOISE: (f64, f64) = (1e-6, 1e1);

/// With this much noise no kernel within the bounds is too flat for any observations.
const MOST_NOISE: f64 = 1e4;

/// A Gaussian process that has seen its observations.
#[derive(Debug)]
pub(super) struct Process {
    /// Its kernel.
    pub kernel: Kernel,
    observations: Observations,
    weights: Vec<f64>,
    /// The logarithm of the likelihood of its observations.
    pub likelihood: f64,
}

impl Process {
    /// `None` if the kernel is too flat for the observations in this arithmetic.
    pub fn new(kernel: Kernel, observations: Observations) -> Option<Self> {
        let (likelihood, weights) = observations.weights(&kernel)?;
        Some(Self {
            kernel,
            observations,
            weights,
            likelihood,
        })
    }

    /// With more noise than `kernel` has if there is no other way: one that suits some rows may be too flat for all of them. `None` if
    /// no fit can have ended in this kernel.
    pub fn noisier(mut kernel: Kernel, observations: &Observations) -> Option<Self> {
        if !kernel.is_within(observations.axes(), [VARIANCES, LENGTHS, (NOISE.0, MOST_NOISE)]) {
            return None;
        }
        while kernel.noise <= MOST_NOISE {
            let process = Self::new(kernel.clone(), observations.clone());
            if process.as_ref().is_some_and(|process| process.likelihood.is_finite()) {
                return process;
            }
            kernel.noise *= 10.0;
        }
        None
    }

    /// What it expects at points, in standard deviations of the target.
    pub fn means(&self, points: &[f64]) -> Vec<f64> {
        let mean = |point: &[f64]| -> f64 {
            let weights = self.weights.iter().enumerate();
            weights
                .map(|(row, weight)| weight * self.kernel.value(point, self.observations.point(row)))
                .sum()
        };
        points.par_chunks(self.observations.axes()).map(mean).collect()
    }
}

/// The search for the likeliest kernel.
#[derive(Debug)]
pub(super) struct Fit {
    /// What is left to do, last first: on which observations, in how many steps at most.
    stages: Vec<(Observations, usize)>,
    ascent: Ascent,
}

impl Fit {
    /// On observations in an order that means nothing.
    pub fn new(observations: &Observations) -> Self {
        let rows = observations.targets.len();
        let first = |count: usize| Observations {
            points: observations.points[..count * observations.axes()].to_vec(),
            targets: observations.targets[..count].to_vec(),
        };
        let all = first(rows.min(FITTED));
        let stages = match rows > 2 * SKETCHED {
            true => vec![(all, FEW_STEPS), (first(SKETCHED), STEPS)],
            false => vec![(all, STEPS)],
        };
        Self {
            ascent: ascent(&Kernel::start(observations.axes())),
            stages,
        }
    }

    /// The most steps that it can take from here.
    pub fn steps_left(&self) -> usize {
        self.stages.iter().map(|(_, steps)| steps).sum()
    }

    /// Takes a step; the kernel once there is none left to take.
    ///
    /// # Panics
    /// If there is none left to take.
    pub fn step(&mut self) -> Option<Kernel> {
        let (observations, steps_left) = self.stages.last_mut().expect("a step to take");
        let here = Kernel::of_logarithms(self.ascent.numbers());
        self.ascent.go(observations.likelihood(&here));
        *steps_left -= 1;
        if *steps_left > 0 && !self.ascent.is_settled() {
            return None;
        }
        self.stages.pop();
        let best = self.ascent.best().map_or(here, Kernel::of_logarithms);
        self.ascent = ascent(&best);
        self.stages.is_empty().then_some(best)
    }
}

fn ascent(start: &Kernel) -> Ascent {
    let component = std::iter::once(VARIANCES).chain(std::iter::repeat_n(LENGTHS, start.matern.lengths.len()));
    let bounds = component.clone().chain(component).chain([NOISE]);
    let bounds = bounds.map(|(least, most)| (least.ln(), most.ln()));
    Ascent::new(start.logarithms(), bounds.collect())
}

#[cfg(test)]
mod tests;
