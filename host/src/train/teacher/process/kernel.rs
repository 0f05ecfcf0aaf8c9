//! How alike two points are: `matern(a, b) + rbf(a, b)`, each with a length scale of its own along every axis, and the noise of one
//! observation. Rasmussen and Williams, "Gaussian processes for machine learning", 2006, chapter 4.

use serde::{Deserialize, Serialize};

/// Variances and length scales. Targets are in standard deviations, axes as the caller has them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kernel {
    /// Matérn 3/2: what is rough.
    pub matern: Component,
    /// Squared exponential: what is smooth.
    pub rbf: Component,
    /// Variance of what no reading explains.
    pub noise: f64,
}

/// One summand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Component {
    /// Its variance.
    pub variance: f64,
    /// How far points may lie apart along each axis before they have little to do with each other.
    pub lengths: Vec<f64>,
}

/// What a component is before its variance: of the squared scaled distance, its value and minus twice its slope there.
type Profile = fn(f64) -> [f64; 2];

impl Kernel {
    /// Where a fit begins.
    pub fn start(axes: usize) -> Self {
        let component = |variance, length| Component {
            variance,
            lengths: vec![length; axes],
        };
        Self {
            matern: component(0.2, 1.0),
            rbf: component(2.0, 2.0),
            noise: 0.01,
        }
    }

    /// Whether it is a kernel for so many axes whose variances, lengths and noise lie within these bounds, but for rounding.
    pub fn is_within(&self, axes: usize, [variances, lengths, noise]: [(f64, f64); 3]) -> bool {
        let within = |number: f64, (least, most): (f64, f64)| number >= least * 0.999 && number <= most * 1.001;
        let sound = |component: &Component| {
            component.lengths.len() == axes
                && within(component.variance, variances)
                && component.lengths.iter().all(|&length| within(length, lengths))
        };
        sound(&self.matern) && sound(&self.rbf) && within(self.noise, noise)
    }

    /// Logarithms of all numbers: variance and lengths of the Matérn, of the squared exponential, noise.
    pub fn logarithms(&self) -> Vec<f64> {
        let of = |component: &Component| {
            let numbers = std::iter::once(component.variance).chain(component.lengths.iter().copied());
            numbers.map(f64::ln).collect::<Vec<_>>()
        };
        [of(&self.matern), of(&self.rbf), vec![self.noise.ln()]].concat()
    }

    /// The kernel of these logarithms.
    ///
    /// # Panics
    /// If there are not three and an even number of them.
    pub fn of_logarithms(logarithms: &[f64]) -> Self {
        let numbers: Vec<f64> = logarithms.iter().map(|number| number.exp()).collect();
        let (noise, components) = numbers.split_last().expect("a noise");
        let (matern, rbf) = components.split_at(components.len() / 2);
        let component = |numbers: &[f64]| Component {
            variance: numbers[0],
            lengths: numbers[1..].to_vec(),
        };
        Self {
            matern: component(matern),
            rbf: component(rbf),
            noise: *noise,
        }
    }

    /// How alike two points are, noise apart.
    pub fn value(&self, one: &[f64], other: &[f64]) -> f64 {
        self.parts()
            .iter()
            .map(|(component, profile)| component.variance * profile(component.distance(one, other))[0])
            .sum()
    }

    /// Of a point and itself, as one observation has it.
    pub fn diagonal(&self) -> f64 {
        self.matern.variance + self.rbf.variance + self.noise
    }

    /// Adds `weight` times the derivatives of [`Kernel::value`] by [`Kernel::logarithms`] to `sums`.
    pub fn add_derivatives(&self, one: &[f64], other: &[f64], weight: f64, sums: &mut [f64]) {
        let axes = one.len();
        for ((component, profile), sums) in self.parts().iter().zip(sums.chunks_mut(axes + 1)) {
            let [value, slope] = profile(component.distance(one, other));
            let weight = weight * component.variance;
            sums[0] += weight * value;
            for axis in 0..axes {
                let scaled = (one[axis] - other[axis]) / component.lengths[axis];
                sums[axis + 1] += weight * slope * scaled * scaled;
            }
        }
    }

    /// Adds `weight` times the derivatives of [`Kernel::diagonal`].
    pub fn add_diagonal_derivatives(&self, weight: f64, sums: &mut [f64]) {
        let axes = self.matern.lengths.len();
        sums[0] += weight * self.matern.variance;
        sums[axes + 1] += weight * self.rbf.variance;
        sums[2 * axes + 2] += weight * self.noise;
    }

    fn parts(&self) -> [(&Component, Profile); 2] {
        [(&self.matern, matern), (&self.rbf, rbf)]
    }
}

impl Component {
    /// The squared distance in length scales.
    fn distance(&self, one: &[f64], other: &[f64]) -> f64 {
        let scaled = one.iter().zip(other).zip(&self.lengths);
        scaled
            .map(|((one, other), length)| ((one - other) / length).powi(2))
            .sum()
    }
}

fn matern(squared: f64) -> [f64; 2] {
    let root = (3.0 * squared).sqrt();
    let decay = (-root).exp();
    [(1.0 + root) * decay, 3.0 * decay]
}

fn rbf(squared: f64) -> [f64; 2] {
    let value = (-0.5 * squared).exp();
    [value, value]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kernel() -> Kernel {
        Kernel {
            matern: Component {
                variance: 0.5,
                lengths: vec![1.0, 2.0],
            },
            rbf: Component {
                variance: 2.0,
                lengths: vec![3.0, 0.5],
            },
            noise: 0.1,
        }
    }

    #[test]
    fn by_hand() {
        // Scaled distances of (1, 1) to (2, 3): Matérn 1 + 1, squared exponential 1/9 + 16.
        let root = 6f64.sqrt();
        let expected = 0.5 * (1.0 + root) * (-root).exp() + 2.0 * (-0.5 * (1.0f64 / 9.0 + 16.0)).exp();
        assert!((kernel().value(&[1.0, 1.0], &[2.0, 3.0]) - expected).abs() < 1e-15);
        assert_eq!(kernel().value(&[1.0, 1.0], &[1.0, 1.0]), 2.5);
        assert_eq!(kernel().diagonal(), 2.6);
    }

    #[test]
    fn numbers_that_are_no_kernel_are_told() {
        let bounds = [(1e-4, 1e4), (1e-2, 1e3), (1e-6, 1e4)];
        assert!(kernel().is_within(2, bounds) && !kernel().is_within(3, bounds));
        for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e300, 1e-300] {
            let mut others = [(); 3].map(|()| kernel());
            others[0].noise = wrong;
            others[1].matern.variance = wrong;
            others[2].rbf.lengths[1] = wrong;
            assert!(others.iter().all(|other| !other.is_within(2, bounds)), "{wrong}");
        }
    }

    #[test]
    fn logarithms_there_and_back() {
        let logarithms = kernel().logarithms();
        assert_eq!(logarithms.len(), 7);
        let back = Kernel::of_logarithms(&logarithms).logarithms();
        assert!(logarithms.iter().zip(&back).all(|(a, b)| (a - b).abs() < 1e-14));
    }
}
