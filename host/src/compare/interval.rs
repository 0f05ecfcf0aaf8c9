//! Means of paired runs and how sure they are: Student's t over seeds.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Share of such intervals that hold the true mean, if runs are independent and nearly normal.
pub const CONFIDENCE: f64 = 0.95;

/// A mean over seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    /// The mean.
    pub mean: f64,
    /// Standard deviation between seeds; `None` for one seed.
    pub sd: Option<f64>,
    /// Lower and upper end of the interval of [`CONFIDENCE`]; `None` for one seed.
    pub interval: Option<[f64; 2]>,
    /// One value per seed.
    pub values: Vec<f64>,
}

impl Mean {
    /// Of one value per seed; `None` if there is none, or one is not finite.
    ///
    /// The interval is `mean ± t · sd / √n` with the t of `n − 1` degrees of freedom. Of differences between two runs of one
    /// seed it is the paired t interval.
    pub fn of(values: Vec<f64>) -> Option<Self> {
        let n = values.len() as f64;
        if values.is_empty() || !values.iter().all(|value| value.is_finite()) {
            return None;
        }
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let sd = (values.len() > 1).then(|| (squares / (n - 1.0)).sqrt());
        let interval = sd.and_then(|sd| {
            let t = StudentsT::new(0.0, 1.0, n - 1.0)
                .ok()?
                .inverse_cdf(0.5 + CONFIDENCE / 2.0);
            let half = t * sd / n.sqrt();
            Some([mean - half, mean + half])
        });
        Some(Self {
            mean,
            sd,
            interval,
            values,
        })
    }

    /// Whether the interval leaves zero out.
    pub fn is_clear(&self) -> bool {
        self.interval.is_some_and(|[low, high]| low > 0.0 || high < 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_worked_by_hand() {
        // Mean 3, sd √2.5, t(4) = 2.776445: half width 2.776445 · √(2.5 / 5) = 1.963243.
        let mean = Mean::of(vec![1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        assert_eq!(mean.mean, 3.0);
        let [low, high] = mean.interval.unwrap();
        assert!(
            (low - (3.0 - 1.963_243)).abs() < 1e-5 && (high - 4.963_243).abs() < 1e-5,
            "{low} {high}"
        );
        assert!(mean.is_clear());
        // t(1) = 12.7062: two seeds say little.
        let [low, high] = Mean::of(vec![0.9, 1.1]).unwrap().interval.unwrap();
        assert!(
            (high - 1.0 - 12.7062 * 0.1).abs() < 1e-4 && (low + high - 2.0).abs() < 1e-9,
            "{low} {high}"
        );
    }

    #[test]
    fn one_seed_has_no_interval_and_no_value_no_mean() {
        let one = Mean::of(vec![2.0]).unwrap();
        assert_eq!((one.mean, one.sd, one.interval), (2.0, None, None));
        assert!(!one.is_clear());
        assert_eq!(Mean::of(Vec::new()), None);
        assert_eq!(Mean::of(vec![1.0, f64::NAN]), None);
    }
}
