//! Uphill by the signs of derivatives: iRprop− (Igel and Hüsken, "Improving the Rprop learning algorithm", 2000), which suits
//! likelihoods of Gaussian processes as well as anything (Blum and Riedmiller, "Optimization of Gaussian process hyperparameters
//! using Rprop", 2013): it needs no line search and no scale.

/// The first step of every number.
const FIRST: f64 = 0.1;

/// Steps stay within these.
const LEAST: f64 = 1e-6;
const MOST: f64 = 0.5;

/// Once every step is smaller than this, it is done.
const SETTLED: f64 = 2e-3;

/// A way uphill, within bounds.
#[derive(Debug)]
pub struct Ascent {
    numbers: Vec<f64>,
    bounds: Vec<(f64, f64)>,
    steps: Vec<f64>,
    before: Vec<f64>,
    best: Option<(f64, Vec<f64>)>,
}

impl Ascent {
    /// From `numbers`, each within its bounds.
    pub fn new(numbers: Vec<f64>, bounds: Vec<(f64, f64)>) -> Self {
        Self {
            steps: vec![FIRST; numbers.len()],
            before: vec![0.0; numbers.len()],
            best: None,
            numbers,
            bounds,
        }
    }

    /// Where it stands.
    pub fn numbers(&self) -> &[f64] {
        &self.numbers
    }

    /// Goes on from where it stands, given the height there and its gradient; `None` where there is no height, whence it goes half
    /// way back to the best.
    pub fn go(&mut self, found: Option<(f64, Vec<f64>)>) {
        let Some((height, gradient)) = found.filter(|(height, _)| height.is_finite()) else {
            if let Some((_, best)) = &self.best {
                self.numbers
                    .iter_mut()
                    .zip(best)
                    .for_each(|(number, best)| *number = 0.5 * (*number + best));
            }
            self.steps.iter_mut().for_each(|step| *step *= 0.5);
            self.before.fill(0.0);
            return;
        };
        if self.best.as_ref().is_none_or(|(best, _)| height > *best) {
            self.best = Some((height, self.numbers.clone()));
        }
        for (index, mut slope) in gradient.into_iter().enumerate() {
            let step = &mut self.steps[index];
            let agreement = slope * self.before[index];
            if agreement > 0.0 {
                *step = (*step * 1.2).min(MOST);
            } else if agreement < 0.0 {
                *step = (*step * 0.5).max(LEAST);
                slope = 0.0;
            }
            self.before[index] = slope;
            let (least, most) = self.bounds[index];
            let next = self.numbers[index] + if slope == 0.0 { 0.0 } else { slope.signum() * *step };
            if !(least..=most).contains(&next) {
                // At a wall there is nowhere to go.
                *step = (*step * 0.5).max(LEAST);
            }
            self.numbers[index] = next.clamp(least, most);
        }
    }

    /// Whether its steps have become too small to matter.
    pub fn is_settled(&self) -> bool {
        self.steps.iter().all(|&step| step < SETTLED)
    }

    /// The highest place it has been at.
    pub fn best(&self) -> Option<&[f64]> {
        self.best.as_ref().map(|(_, numbers)| &numbers[..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hill with its top at (1, −2, 3), a thousand times steeper along one number than along another.
    fn hill(numbers: &[f64]) -> Option<(f64, Vec<f64>)> {
        let terms = numbers.iter().zip([1.0, -2.0, 3.0]).zip([0.1, 1.0, 100.0]);
        let (mut height, mut gradient) = (0.0, Vec::new());
        for ((number, top), steep) in terms {
            height -= steep * (number - top) * (number - top);
            gradient.push(-2.0 * steep * (number - top));
        }
        // Behind a cliff there is nothing.
        (numbers[0] < 1.3).then_some((height, gradient))
    }

    fn climb(bounds: (f64, f64)) -> (Vec<f64>, usize) {
        let mut ascent = Ascent::new(vec![0.0; 3], vec![bounds; 3]);
        let mut steps = 0;
        while !ascent.is_settled() && steps < 500 {
            ascent.go(hill(ascent.numbers()));
            steps += 1;
        }
        (ascent.best().unwrap().to_vec(), steps)
    }

    #[test]
    fn it_reaches_the_top_past_a_cliff() {
        let (top, steps) = climb((-10.0, 10.0));
        let off = top.iter().zip([1.0, -2.0, 3.0]).map(|(a, b)| (a - b).abs());
        assert!(off.fold(0.0, f64::max) < 0.01, "{top:?}");
        assert!(steps < 100, "{steps} steps");
    }

    #[test]
    fn it_keeps_within_its_bounds() {
        let (top, steps) = climb((-1.0, 2.0));
        assert!(
            (top[0] - 1.0).abs() < 0.01 && top[1] == -1.0 && top[2] == 2.0,
            "{top:?}"
        );
        assert!(steps < 100, "{steps} steps");
    }
}
